import { lockKeyOf } from '../lib/cluster/lease-keeper.ts';
import type { Locks } from '../lib/cluster/locks.port.ts';
import { CastellanError, errorType, isErrorType } from '../lib/errors.ts';
import type { CallContext } from './define-service.ts';

/**
 * Calls the node that runs a connection. The node is named in the call: Moleculer's own strategies spread calls, and its
 * retries forget the node. "Not the owner" and "the node is gone" are answered by looking the owner up once more; a
 * timeout is not: the call may still be running there, so its outcome is unknown.
 */
export interface OwnerRouting {
  /**
   * @param orAnyone where no node runs it: `true` = let any node answer, otherwise NO_OWNER
   * @throws NO_OWNER, OUTCOME_UNKNOWN, and what the action throws
   */
  callOwner<T>(ctx: CallContext, connectionId: string, action: string, params: object, orAnyone?: boolean): Promise<T>;
}

export interface OwnerRoutingOptions {
  locks: Pick<Locks, 'holderOf'>;
  /** ms; default 28,000: above what a session-node itself waits for, below what the gateway does */
  timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 28_000;
const ATTEMPTS = 2;
/** what Moleculer answers for a node or service that is not there (its classes do not survive the wire, these do) */
const GONE: ReadonlySet<string | undefined> = new Set(['SERVICE_NOT_FOUND', 'SERVICE_NOT_AVAILABLE', 'NO_OWNER']);

export function createOwnerRouting({ locks, timeoutMs = DEFAULT_TIMEOUT_MS }: OwnerRoutingOptions): OwnerRouting {
  async function ownerOf(connectionId: string): Promise<string | null> {
    const holder = await locks.holderOf(lockKeyOf(connectionId));
    return holder?.slice(0, holder.lastIndexOf(':')) ?? null;
  }

  return {
    async callOwner<T>(ctx: CallContext, connectionId: string, action: string, params: object, orAnyone = false) {
      for (let attempt = 1; ; attempt += 1) {
        const nodeID = await ownerOf(connectionId);
        if (nodeID === null && !orAnyone) throw new CastellanError('NO_OWNER');
        try {
          return (await ctx.call(action, params, { timeout: timeoutMs, ...(nodeID !== null && { nodeID }) })) as T;
        } catch (error) {
          if (errorType(error) === 'REQUEST_TIMEOUT') throw new CastellanError('OUTCOME_UNKNOWN');
          if (!GONE.has(errorType(error))) throw error;
          if (attempt === ATTEMPTS) throw isErrorType(error, 'NO_OWNER') ? error : new CastellanError('NO_OWNER');
        }
      }
    },
  };
}
