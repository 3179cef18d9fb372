import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 100;
/** how long a lock may lack its owner's pid, which is written right after it was made */
const UNNAMED_LOCK_MS = 5_000;

export function cacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'castellan');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM';
  }
}

async function isAbandoned(lock: string): Promise<boolean> {
  try {
    const pid = Number(await readFile(lock, 'utf8'));
    if (pid > 0) return !isAlive(pid);
    return Date.now() - (await stat(lock)).mtimeMs > UNNAMED_LOCK_MS;
  } catch {
    return false;
  }
}

async function lockUnless(done: () => boolean, lock: string): Promise<boolean> {
  while (!done()) {
    try {
      await writeFile(lock, String(process.pid), { flag: 'wx' });
      return true;
    } catch (error) {
      if ((error as { code?: string }).code !== 'EEXIST') throw error;
    }
    if (await isAbandoned(lock)) await rm(lock, { force: true });
    await delay(POLL_MS);
  }
  return false;
}

/**
 * What is kept under `name` in the cache folder, put there by `install` the first time. Several processes may ask at
 * once: one installs, the others wait. It appears whole (by a rename) or not at all.
 *
 * @param install fills an empty folder, which is moved afterwards
 * @returns its path. @throws what `install` throws
 */
export async function cached(name: string, install: (folder: string) => Promise<void>): Promise<string> {
  const root = cacheDirectory();
  const target = join(root, name);
  const lock = `${target}.lock`;
  await mkdir(root, { recursive: true });
  if (!(await lockUnless(() => existsSync(target), lock))) return target;
  try {
    if (existsSync(target)) return target;
    const folder = await mkdtemp(`${target}.`);
    try {
      await install(folder);
      await rename(folder, target);
    } catch (error) {
      /* two that found the same abandoned lock: the other one was first */
      if (!existsSync(target)) throw error;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    return target;
  } finally {
    await rm(lock, { force: true });
  }
}
