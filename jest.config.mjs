const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  throw new Error(
    `Castellan's tests need Node 24 or newer, this is ${process.versions.node}: run "npm test", which uses the Node that npm ci installed.`,
  );
}

export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  testTimeout: 60_000,
  maxWorkers: 2,
};
