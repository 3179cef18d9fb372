import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrorType } from '../errors.ts';
import type { Log } from '../log.ts';
import { type Seat, takeSeat } from '../storage/seat.ts';

/** An identity that only one living process can have (`Owner.seat`), for as long as `held` is not released. */
export interface ClusterSeat {
  /** null = this process has none: whoever follows it waits for its silence */
  id: string | null;
  release(): void;
}

const ID_FILE = 'seat.id';

/**
 * A pod's UID where there is one (a container restart inside a pod proves that the former container is gone; the pod's
 * name proves nothing, because a force-deleted pod's successor has it too), otherwise a locked directory. A process that
 * can have neither runs without.
 */
export function takeClusterSeat(
  { podUid, dataDir }: { podUid: string | null; dataDir: string },
  log: Log,
): ClusterSeat {
  if (podUid !== null) return { id: `pod:${podUid}`, release() {} };
  let seat: Seat | null = null;
  try {
    seat = takeSeat(dataDir);
    return { id: `dir:${idOf(dataDir)}`, release: () => seat?.release() };
  } catch (error) {
    seat?.release();
    const cause = (error as Error).message;
    const expected = isErrorType(error, 'CONFIG_INVALID');
    log[expected ? 'info' : 'warn'](
      { cause },
      'this node has no seat of its own: after a restart it waits like the others',
    );
    return { id: null, release() {} };
  }
}

/** Made once a directory, under the seat. */
function idOf(dataDir: string): string {
  const path = join(dataDir, ID_FILE);
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const id = randomUUID();
    writeFileSync(path, id, { mode: 0o600 });
    return id;
  }
}
