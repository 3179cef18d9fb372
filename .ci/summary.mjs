// Prints why a test was skipped, then the closing line of a CI run, from Jest's JSON report.
import { readFileSync } from 'node:fs';

let report;
try {
  report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
} catch {
  console.log('the tests wrote no report');
  console.log('0 passed, 1 failed, 0 skipped');
  process.exit(1);
}

for (const suite of report.testResults) {
  for (const test of suite.assertionResults) {
    if (test.status === 'pending' || test.status === 'todo') console.log(`skipped: ${test.fullName}`);
  }
}
const skipped = report.numPendingTests + report.numTodoTests;
const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
console.log(`${report.numPassedTests} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed > 0 || report.numPassedTests === 0 ? 1 : 0);
