/**
 * Locks as a port: in-process when embedded, Redis in a cluster. `holder` is `nodeId:incarnation`. One conformance
 * suite holds both adapters to this contract.
 */
export type RenewOutcome = 'renewed' | 'missing' | 'lost';

export interface Locks {
  /**
   * Claims when absent, already mine, or `over`'s: a holder that is proven to be gone, whose time is not waited for.
   * @returns the holder after the call. @throws STORE_UNAVAILABLE
   */
  claim(key: string, holder: string, ttlMs: number, over?: string | null): Promise<{ mine: boolean; holder: string }>;
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
  ): Promise<{ mine: boolean; holder: string | null; forgotten: boolean }>;
  /** Extends those that are mine, in one round trip. @returns one outcome a key, in order. @throws STORE_UNAVAILABLE */
  renew(keys: readonly string[], holder: string, ttlMs: number): Promise<RenewOutcome[]>;
  /** Deletes it only if it is mine. @returns whether it was. */
  release(key: string, holder: string): Promise<boolean>;
  holderOf(key: string): Promise<string | null>;
  /** Random, lost together with the data: tells a claimer that the store forgot. */
  generation(): Promise<string>;
  close(): Promise<void>;
}
