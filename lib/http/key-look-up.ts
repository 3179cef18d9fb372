import type { Caller } from '../contracts/action.ts';
import { CastellanError, errorType } from '../errors.ts';

/** Above two reads of a store that is slow by 2 s. */
const TIMEOUT_MS = 5_000;
const UNANSWERED: ReadonlySet<string | undefined> = new Set(['REQUEST_TIMEOUT', 'REQUEST_REJECTED', 'OUTCOME_UNKNOWN']);

/**
 * Asks the users service whose key it is. Asking changes nothing, so what one process does not answer another one is
 * asked, and a request that fails here has surely had no effect.
 *
 * @param ask one call of the action with this timeout, ms
 * @throws SERVICE_UNAVAILABLE when nobody answers, and what the action throws
 */
export function createKeyLookUp(ask: (hash: string, timeoutMs: number) => Promise<Caller | null>) {
  async function attempt(hash: string): Promise<{ caller: Caller | null } | null> {
    try {
      return { caller: await ask(hash, TIMEOUT_MS) };
    } catch (error) {
      if (UNANSWERED.has(errorType(error))) return null;
      throw error;
    }
  }

  return async (hash: string): Promise<Caller | null> => {
    const answer = (await attempt(hash)) ?? (await attempt(hash));
    if (answer === null) throw new CastellanError('SERVICE_UNAVAILABLE');
    return answer.caller;
  };
}
