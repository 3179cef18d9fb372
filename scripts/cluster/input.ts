import { fstatSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';

const STDIN = 0;

/** Commands, one a line. */
export interface CommandInput {
  readonly lines: AsyncIterable<string>;
  /** Shows that another command may be typed. */
  prompt(): void;
  /**
   * Whether the end of the input is the end of the cluster: whoever held the pipe or terminal is gone. A job in the
   * background has no input at all (/dev/null) and runs until it gets a signal.
   */
  readonly endIsQuit: boolean;
}

export function openInput(human: boolean): CommandInput {
  const output = human && process.stdin.isTTY ? process.stdout : undefined;
  const lines: Interface = createInterface({ input: process.stdin, ...(output && { output, prompt: 'cluster> ' }) });
  const typed = lines[Symbol.asyncIterator]();
  return {
    /* from now on: what is typed while everything starts counts too */
    lines: { [Symbol.asyncIterator]: () => typed },
    prompt: () => output && lines.prompt(),
    endIsQuit: process.stdin.isTTY || !fstatSync(STDIN).isCharacterDevice(),
  };
}
