/**
 * Locks as a port: in-process when embedded, Redis in a cluster. `holder` is `nodeId:incarnation`. One conformance
 * suite holds both adapters to this contract.
 *
 * A lock may also carry the number of the lease that it was claimed for, growing within its holder. A command that the
 * network held back until the next lease of the same holder began is then a stranger to that one: it neither renews nor
 * releases it, and a claim with a smaller number does not replace it.
 */
export type RenewOutcome = 'renewed' | 'missing' | 'lost';

export interface ClaimOptions {
  /** a holder that is proven to be gone: its time is not waited for */
  over?: string | null;
  /** default 0: none */
  lease?: number;
}

export interface Locks {
  /** Claims when absent, already mine, or `over`'s. @returns the holder after the call. @throws STORE_UNAVAILABLE */
  claim(key: string, holder: string, ttlMs: number, options?: ClaimOptions): Promise<{ mine: boolean; holder: string }>;
  /**
   * Claims like `claim`, but only while the generation still is the given one: both in one step. A claimer that goes over
   * an owner which has not released must know that the store did not forget while it watched that owner's silence.
   * @returns `forgotten`: the generation is another one (nothing was claimed). @throws STORE_UNAVAILABLE
   */
  claimInGeneration(
    key: string,
    holder: string,
    ttlMs: number,
    generation: string,
    options?: Pick<ClaimOptions, 'lease'>,
  ): Promise<{ mine: boolean; holder: string | null; forgotten: boolean }>;
  /**
   * Extends those that are mine, in one round trip.
   * @param leases their numbers, in order; left out, all are 0
   * @returns one outcome a key, in order. @throws STORE_UNAVAILABLE
   */
  renew(keys: readonly string[], holder: string, ttlMs: number, leases?: readonly number[]): Promise<RenewOutcome[]>;
  /** Deletes it only if it is mine, and of this lease. @returns whether it was. */
  release(key: string, holder: string, lease?: number): Promise<boolean>;
  holderOf(key: string): Promise<string | null>;
  /** Random, lost together with the data: tells a claimer that the store forgot. */
  generation(): Promise<string>;
  close(): Promise<void>;
}
