import { execFile, execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/castellan-chromium/', import.meta.url));
/** where Debian's package has it, below the root; `/usr/bin/chromium` is a script that looks into the real `/usr` */
const PACKAGED = join('usr', 'lib', 'chromium', 'chromium');
/** test files run side by side, and apt does not */
const LOCK = join(tmpdir(), 'castellan-chromium.lock');
const APT_TIMEOUT_MS = 300_000;

/**
 * Where the Chromium of the tests is: CHROMIUM_PATH, else on the PATH, else Debian's, installed (as root) or unpacked
 * beside our modules (as anybody else).
 * @returns its absolute path
 * @throws Error that says what was tried and how to get one
 */
export async function findChromium(env: Record<string, string | undefined> = process.env): Promise<string> {
  const named = env.CHROMIUM_PATH;
  if (named) {
    if (isExecutable(named)) return named;
    throw new Error(`CHROMIUM_PATH is ${named}, but nothing there can be started.`);
  }
  return onPath(env) ?? unpacked() ?? (await fetched(env));
}

function onPath({ PATH = '' }: Record<string, string | undefined>): string | null {
  const candidates = NAMES.flatMap((name) => PATH.split(delimiter).map((folder) => join(folder, name)));
  return candidates.find(isExecutable) ?? null;
}

function unpacked(): string | null {
  const path = join(CACHE, PACKAGED);
  return isExecutable(path) ? path : null;
}

async function fetched(env: Record<string, string | undefined>): Promise<string> {
  try {
    if (process.getuid?.() === 0) await install();
    else await unpack();
  } catch (error) {
    throw missing(error instanceof Error ? error.message : String(error));
  }
  const found = onPath(env) ?? unpacked();
  if (found === null) throw missing('the package was fetched, but holds no chromium');
  return found;
}

async function install(): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args: string[]) => run('flock', [LOCK, 'apt-get', ...args], { env, timeout: APT_TIMEOUT_MS });
  const add = () => apt('install', '-y', '--no-install-recommends', 'chromium');
  if (!hasLists()) await apt('update');
  try {
    await add();
  } catch {
    /* the lists may be older than what the mirror still has */
    await apt('update');
    await add();
  }
}

function hasLists(): boolean {
  const folder = '/var/lib/apt/lists';
  return existsSync(folder) && readdirSync(folder).some((name) => name.includes('_Packages'));
}

/** Without root: the packages of Chromium and of the libraries that this machine lacks, unpacked side by side. */
async function unpack(): Promise<void> {
  const folder = `${CACHE.replace(/\/$/, '')}-${process.pid}`;
  mkdirSync(folder, { recursive: true });
  try {
    const options = { cwd: folder, timeout: APT_TIMEOUT_MS };
    await run('apt-get', ['download', ...missingPackages()], options);
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.deb'))) {
      await run('dpkg-deb', ['-x', name, '.'], options);
      await rm(join(folder, name));
    }
    await rename(folder, CACHE).catch((error: NodeJS.ErrnoException) => {
      /* another test file was quicker */
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What an installation would bring, by apt's own reckoning. */
function missingPackages(): string[] {
  const plan = execFileSync('apt-get', ['install', '--simulate', '--no-install-recommends', 'chromium'], {
    encoding: 'utf8',
  });
  return [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name]) => String(name));
}

/** What a Chromium that was only unpacked needs besides: its libraries are unpacked beside it. */
export function chromiumEnvironment(path: string): Record<string, string> {
  if (!path.startsWith(CACHE)) return {};
  const folders = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].map((arch) => join(CACHE, 'usr', 'lib', arch));
  return { LD_LIBRARY_PATH: folders.filter((folder) => existsSync(folder)).join(delimiter) };
}

function missing(why: string): Error {
  return new Error(
    [
      'There is no Chromium for the tests of the dashboard.',
      `Looked at CHROMIUM_PATH, for ${NAMES.join(', ')} on the PATH, and tried Debian's package: ${why.trim()}`,
      'Install one (Debian: apt-get install chromium) or set CHROMIUM_PATH to the binary of Chromium or Chrome.',
    ].join('\n'),
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
