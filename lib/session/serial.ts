/** Runs tasks one after the other, in the order given. An actor's thoughts: two never overlap. */
export interface Serial {
  /** @returns when this task ended; it never rejects, `onError` gets what went wrong */
  run(task: () => Promise<void> | void): Promise<void>;
}

export function createSerial(onError: (error: unknown) => void): Serial {
  let tail: Promise<void> = Promise.resolve();
  return {
    run(task) {
      tail = tail.then(task).catch(onError);
      return tail;
    },
  };
}
