/* Runs after npm ci (prepare). Plain JavaScript that an old Node can read; without Vite there is nothing to build with. */
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));

const vite = await import('vite').catch((error) => {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  return null;
});

if (vite === null) {
  console.log('The dashboard is not built: Vite is not installed (npm ci without --omit=dev brings it).');
} else {
  await vite.build({ root, configFile: `${root}vite.config.mjs`, logLevel: 'warn' });
}
