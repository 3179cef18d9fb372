import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { takeSeat } from '../../../lib/storage/seat.ts';

const HOLDER = join(import.meta.dirname, '../../helpers/seat-holder.ts');

let directory: string;
let children: ChildProcess[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'castellan-seat-'));
  children = [];
});
afterEach(async () => {
  for (const child of children) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
  await rm(directory, { recursive: true });
});

/** Starts a process that takes the seat; resolves with what it says. */
async function startHolder(): Promise<{ said: string; child: ChildProcess }> {
  const child = spawn(process.execPath, [HOLDER, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const [said] = await once(child.stdout, 'data');
  return { said: String(said).trim(), child };
}

describe('the seat on a DATA_DIR', () => {
  test('is refused at once while another process has it, and free after kill -9', async () => {
    const first = await startHolder();
    expect(first.said).toBe('taken');
    const startedAt = performance.now();
    expect(() => takeSeat(directory)).toThrow(expect.objectContaining({ type: 'CONFIG_INVALID' }));
    expect(() => takeSeat(directory)).toThrow(/DATA_DIR .* is in use by another Castellan process/);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    takeSeat(directory).release();
  });

  test('taken here is refused elsewhere until it is released', async () => {
    const seat = takeSeat(directory);
    expect((await startHolder()).said).toBe('CONFIG_INVALID');
    expect(() => takeSeat(directory)).toThrow(expect.objectContaining({ type: 'CONFIG_INVALID' }));
    seat.release();
    seat.release();
    expect((await startHolder()).said).toBe('taken');
  });

  test('makes the directory when it is missing', () => {
    takeSeat(join(directory, 'not/yet/there')).release();
  });

  test('says so when the directory cannot be used', async () => {
    await writeFile(join(directory, 'file'), 'not a directory');
    expect(() => takeSeat(join(directory, 'file'))).toThrow(/cannot be used/);
  });
});
