import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { takeSeat } from '../../lib/storage/seat.ts';

/**
 * A process that takes the seat on a directory, forgets about it, and lives until it is killed; prints `taken` (after
 * a collection of garbage, which must not free the seat) or the error's type.
 */
try {
  takeSeat(process.argv[2] ?? '');
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  setInterval(() => undefined, 1_000);
  setImmediate(() => {
    collectGarbage();
    process.stdout.write('taken\n');
  });
} catch (error) {
  process.stdout.write(`${(error as { type: string }).type}\n`);
}
