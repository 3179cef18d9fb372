/**
 * The right to act for a connection, as whoever acts sees it.
 *
 *   mine      proven at this moment
 *   unproven  the wall clock jumped: nothing is written until a confirmation that was sent after the jump is answered
 *   over      lost, given back, or not confirmed in time: for good, whatever is answered later
 */
export type Standing = 'mine' | 'unproven' | 'over';

export interface Lease {
  /** synchronous, asked before every write to a socket or a store */
  standing(): Standing;
  /** Resolves when it is `mine` (at once if it is). @throws SESSION_FENCED when it is over */
  proven(): Promise<void>;
}

/** For what needs no proof: tools and tests that are alone with their store. */
export const UNCONDITIONAL: Lease = { standing: () => 'mine', async proven() {} };
