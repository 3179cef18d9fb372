import type { Connection } from '../../../lib/contracts/entities.ts';

/** Without a login yet, it is in one of these on the way to a code. */
const ON_THE_WAY: ReadonlySet<string> = new Set(['created', 'connecting', 'reconnecting', 'qr_expired']);

/** Whether the next step is the phone's: the page shows the code then, or how to get one. */
export function waitsForPhone({ status, me, desiredState }: Connection): boolean {
  if (desiredState !== 'running') return false;
  return status === 'awaiting_pairing' || (me === null && ON_THE_WAY.has(status));
}
