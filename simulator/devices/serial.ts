/** Runs work one after the other, in the order of the calls; a failure does not stop what follows. */
export type Serial = <Result>(work: () => Promise<Result>) => Promise<Result>;

export function createSerial(): Serial {
  let tail: Promise<unknown> = Promise.resolve();
  return <Result>(work: () => Promise<Result>): Promise<Result> => {
    const run = tail.then(work);
    tail = run.catch(() => undefined);
    return run;
  };
}
