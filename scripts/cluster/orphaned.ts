const POLL_MS = 500;

/**
 * Calls back when npm, which started us and passes signals on, was killed without being able to. (Started by hand, a
 * parent that ends means nothing.)
 */
export function whenOrphaned(then: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    then();
  }, POLL_MS);
  timer.unref();
}
