import type { Simulator } from '../../../simulator/index.ts';
import type { SocketRecord } from '../../../simulator/witness/sockets.ts';

/** A socket that logged in. */
export type LoggedIn = SocketRecord & { loginAt: number };

const isLoggedIn = (record: SocketRecord): record is LoggedIn => record.loginAt !== undefined;

/** The witness's sockets of an account's companion, in the order of their logins. */
export function socketsOf({ witness }: Pick<Simulator, 'witness'>, pn: string): LoggedIn[] {
  return witness.sockets
    .list({ pn })
    .filter(isLoggedIn)
    .sort((a, b) => a.loginAt - b.loginAt);
}

/** The one that messages go to now. */
export function openSocketOf(simulator: Pick<Simulator, 'witness'>, pn: string): LoggedIn | undefined {
  const newest = socketsOf(simulator, pn).at(-1);
  return newest?.closedAt === undefined ? newest : undefined;
}

/**
 * How long an account had no socket, once for every login since then: from the older socket's end to the newer one's
 * login. 0 where the newer one replaced it.
 * @param since ms of the witness's clock
 */
export function gapsOf(simulator: Pick<Simulator, 'witness'>, pn: string, since: number): number[] {
  const sockets = socketsOf(simulator, pn);
  return sockets.flatMap(({ loginAt }, index) => {
    const older = sockets[index - 1];
    if (loginAt < since || !older) return [];
    return [Math.max(0, loginAt - (older.closedAt ?? loginAt))];
  });
}

/** Ms from a moment to the account's next login; undefined when there was none. */
export function msToNextLogin(simulator: Pick<Simulator, 'witness'>, pn: string, since: number): number | undefined {
  const next = socketsOf(simulator, pn).find(({ loginAt }) => loginAt >= since);
  return next && next.loginAt - since;
}
