import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache.ts';
import { runCommand } from './run-command.ts';

/** Debian packages that every system has: the C library, and what only matters to an installation. */
const ALWAYS_THERE = /^(libc6|adduser|lsb-base|init-system-helpers|.*:any|<.*>)$/;

async function dependenciesOf(name: string): Promise<string[]> {
  const printed = await runCommand('apt-cache', ['depends', '--important', name]);
  return [...printed.matchAll(/^\s+\|?Depends: (\S+)$/gm)]
    .map(([, dependency]) => String(dependency))
    .filter((dependency) => !ALWAYS_THERE.test(dependency));
}

async function download(names: readonly string[], folder: string): Promise<void> {
  const lists = join(folder, 'lists');
  try {
    await runCommand('apt-get', ['download', ...names], folder);
  } catch {
    /* a machine whose package lists were never fetched, or are old: into lists of our own, which needs no root */
    await mkdir(join(lists, 'partial'), { recursive: true });
    const own = ['-o', `Dir::State::Lists=${lists}`, '-o', `Dir::Cache=${folder}`, '-o', 'Debug::NoLocking=1'];
    await runCommand('apt-get', [...own, 'update']);
    await runCommand('apt-get', [...own, 'download', ...names], folder);
  }
  await rm(lists, { recursive: true, force: true });
}

/**
 * A program of Debian (or Ubuntu), unpacked into the cache folder with the libraries that it names; nothing is
 * installed, nothing needs root.
 * @returns the folder that stands for `/`
 */
export async function debianPackages(cacheName: string, names: readonly string[]): Promise<string> {
  return cached(cacheName, async (folder) => {
    const needed = new Set(names);
    for (const name of names) for (const dependency of await dependenciesOf(name)) needed.add(dependency);
    await download([...needed], folder);
    for (const file of await readdir(folder)) {
      if (!file.endsWith('.deb')) continue;
      await runCommand('dpkg-deb', ['-x', file, '.'], folder);
      await rm(join(folder, file));
    }
  });
}

/**
 * Wheels of PyPI in a virtual environment of their own. Start programs by `bin/python -m`: the environment was moved
 * after it was made, and the scripts in its `bin` still name the old place.
 * @returns the environment's folder
 */
export async function pythonEnvironment(cacheName: string, requirement: string): Promise<string> {
  return cached(cacheName, async (folder) => {
    await runCommand('python3', ['-m', 'venv', folder]);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary', ':all:'];
    await runCommand(join(folder, 'bin', 'python'), [...pip, requirement]);
  });
}
