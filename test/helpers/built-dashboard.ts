import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SOURCES = join(ROOT, 'dashboard');
const CACHE = join(ROOT, 'node_modules', '.cache', 'castellan-dashboard');
/** changes when what is built of the same sources does */
const BUILD = 'production';

/**
 * The dashboard as it stands in the working tree, built once for all test files: `dashboard/dist` may be older.
 * @returns the folder to serve
 */
export async function builtDashboard(): Promise<string> {
  const folder = join(CACHE, fingerprint());
  if (isThere(folder)) return folder;
  await mkdir(CACHE, { recursive: true });
  const fresh = await mkdtemp(join(CACHE, 'building-'));
  const vite = join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js');
  /* Jest's NODE_ENV would make it a build for development */
  const env = { ...process.env, NODE_ENV: 'production' };
  await promisify(execFile)(process.execPath, [vite, 'build', SOURCES, '--outDir', fresh, '--logLevel', 'warn'], {
    env,
  });
  await rename(fresh, folder).catch(async (error: NodeJS.ErrnoException) => {
    /* another test file has built the same */
    await rm(fresh, { recursive: true, force: true });
    if (!isThere(folder)) throw error;
  });
  return folder;
}

function isThere(folder: string): boolean {
  return statSync(join(folder, 'index.html'), { throwIfNoEntry: false }) !== undefined;
}

function fingerprint(): string {
  const hash = createHash('sha256').update(BUILD);
  for (const path of sourceFiles()) hash.update(relative(SOURCES, path)).update(readFileSync(path));
  return hash.digest('hex').slice(0, 24);
}

function sourceFiles(): string[] {
  const dist = join(SOURCES, 'dist');
  return readdirSync(SOURCES, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.startsWith(dist))
    .sort();
}

/** Puts it where a Castellan that is started as its users do it looks for it. Nothing is taken away: others may read. */
export async function installBuiltDashboard(): Promise<void> {
  const built = await builtDashboard();
  const dist = join(SOURCES, 'dist');
  await cp(join(built, 'assets'), join(dist, 'assets'), { recursive: true });
  await cp(built, dist, { recursive: true });
}
