import { type ChildProcess, spawn } from 'node:child_process';

/* a killed process may still have its folder open for a moment */
const SCRIPT = `read _
[ -n "$1" ] && kill -9 "$1" 2>/dev/null
[ -n "$2" ] && for _ in 1 2 3 4 5 6 7 8 9 10; do rm -rf "$2" 2>/dev/null && break; sleep 0.2; done`;

/** What happens when this process ends without having cleaned up. */
export interface LastWill {
  /** killed with SIGKILL */
  pid?: number;
  /** removed with all that is in it */
  folder?: string;
}

/**
 * Sees to it that nothing of ours is left when this process ends in whatever way, `kill -9` included: a shell reads from a
 * pipe that only we hold open. It is no member of our group, so that Ctrl-C does not end it before its work is done.
 * @returns how to call it off; do so as soon as the process is gone, before its pid can be another's
 */
export function watchOver({ pid, folder }: LastWill): { callOff(): void } {
  const args = [pid === undefined ? '' : String(pid), folder ?? ''];
  const watcher: ChildProcess = spawn('sh', ['-c', SCRIPT, 'watch', ...args], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watcher.unref();
  (watcher.stdin as unknown as { unref?(): void } | null)?.unref?.();
  return { callOff: () => void watcher.kill('SIGKILL') };
}
