// Plain JavaScript that an old Node can read: loaded before any TypeScript, so that the reason is one clear line.
const MINIMUM_MAJOR = 24;

if (Number(process.versions.node.split('.')[0]) < MINIMUM_MAJOR) {
  console.error(
    `Castellan needs Node ${MINIMUM_MAJOR} or newer, this is ${process.versions.node}: ` +
      'run it through npm (npm start, npm test, ...), which uses the Node that npm ci installed, or install a newer Node.',
  );
  process.exit(1);
}
