import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const PROBE_TIMEOUT_MS = 20_000;
const POLL_MS = 20;
const CLOCK_TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** What garbage collection leaves, bytes. */
export interface LiveMemory {
  rss: number;
  heapUsed: number;
  /** what V8 holds for the heap, used or not */
  heapTotal: number;
  external: number;
}

/** A process as the kernel (Linux: /proc) and its own collector see it. */
export interface MeasuredProcess {
  readonly pid: number;
  /** user + system time of all threads so far, seconds */
  cpuSeconds(): number;
  /** resident memory as it is, nothing collected, bytes */
  residentBytes(): number;
  /** Collects garbage first. @throws when the process does not answer within 20 s */
  liveMemory(): Promise<LiveMemory>;
}

export interface ProbeSetup {
  nodeFlags: string[];
  env: Record<string, string>;
  measure(pid: number): MeasuredProcess;
}

/** What a process must be started with to be measured. */
export function probeSetup(): ProbeSetup {
  const file = join(tmpdir(), `castellan-bench-${randomUUID()}.json`);
  return {
    nodeFlags: ['--expose-gc', '--import', './bench/probe.ts'],
    env: { BENCH_PROBE_FILE: file },
    measure: (pid) => ({
      pid,
      cpuSeconds: () => cpuSeconds(pid),
      residentBytes: () => residentBytes(pid),
      liveMemory: () => liveMemory(pid, file),
    }),
  };
}

/** proc(5): the name may hold spaces and parentheses, so fields are counted from the last `)`; utime is the 14th. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) * 1024;
}

async function liveMemory(pid: number, file: string): Promise<LiveMemory> {
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  const deadline = performance.now() + PROBE_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const text = readOrEmpty(file);
    if (text.endsWith('\n')) {
      rmSync(file, { force: true });
      return JSON.parse(text) as LiveMemory;
    }
    await delay(POLL_MS);
  }
  throw new Error(`process ${pid} did not say how much memory it uses`);
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
