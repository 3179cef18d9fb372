import { findChromium } from './browser/find-chromium.ts';
import { cacheDirectory } from './servers/cache.ts';
import { findMongo, findNats, findRedis } from './servers/programs.ts';

/** `npm run servers -- fetch`: sees to it that the servers and the browser that the tests need are there before they are needed. */
const PROGRAMS = [
  ['NATS', 'NATS_URL', findNats],
  ['Redis', 'REDIS_URL', findRedis],
  ['MongoDB', 'MONGO_URL', findMongo],
  ['Chromium', 'CHROMIUM_PATH', async () => ({ origin: await findChromium() })],
] as const;

async function fetchAll(): Promise<boolean> {
  let complete = true;
  for (const [name, variable, find] of PROGRAMS) {
    if (process.env[variable]) {
      console.log(`${name}: ${variable} names one`);
      continue;
    }
    const startedAt = performance.now();
    try {
      const { origin } = await find();
      console.log(`${name}: ${origin} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
    } catch (error) {
      complete = false;
      console.error(`${name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return complete;
}

if (process.argv[2] !== 'fetch') {
  console.error(
    `npm run servers -- fetch\n\nFetches NATS, Redis, a MongoDB-compatible server (into ${cacheDirectory()}) and Chromium.`,
  );
  process.exitCode = 2;
} else if (!(await fetchAll())) {
  process.exitCode = 1;
}
