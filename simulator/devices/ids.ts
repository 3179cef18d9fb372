import { createHash, randomBytes } from 'node:crypto';

/** Draws hex digits: repeatable where the world has a seed, random where it has none. */
export type Draw = (byteCount: number) => string;

/** @param name keeps the sequences of different devices apart */
export function createDraw(seed: string | undefined, name: string): Draw {
  if (seed === undefined) return (byteCount) => randomBytes(byteCount).toString('hex').toUpperCase();
  let counter = 0;
  return (byteCount) => {
    counter += 1;
    const digest = createHash('sha256').update(`${seed}|${name}|${counter}`).digest();
    return digest.subarray(0, byteCount).toString('hex').toUpperCase();
  };
}

/** A message id as the official clients make it: 32 digits on phones, `3EB0` and 18 digits on companions. */
export const messageId = (draw: Draw, device: number): string => (device === 0 ? draw(16) : `3EB0${draw(9)}`);

/** Digits drawn from the seed, for phone numbers and LIDs; the first one is never 0. */
export function digits(draw: Draw, count: number): string {
  const value = BigInt(`0x${draw(16)}`)
    .toString()
    .slice(-count)
    .padStart(count, '1');
  return value.startsWith('0') ? `1${value.slice(1)}` : value;
}
