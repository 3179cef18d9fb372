import type { ServiceBroker } from 'moleculer';
import { type Clock, systemClock } from '../lib/clock.ts';
import { lockKeyOf } from '../lib/cluster/lease-keeper.ts';
import type { Locks } from '../lib/cluster/locks.port.ts';
import { nodeOfHolder } from '../lib/cluster/membership.port.ts';
import { sessionNodeContract, type WakeReason } from '../lib/contracts/session-node.contract.ts';
import { CastellanError, errorType, isErrorType } from '../lib/errors.ts';
import { type Log, silentLog } from '../lib/log.ts';
import type { ConnectionDoc } from '../lib/storage/collections.ts';
import type { Store } from '../lib/storage/port.ts';
import type { CallContext } from './define-service.ts';

/**
 * Calls the node that runs a connection. The node is named in the call: Moleculer's own strategies spread calls, and its
 * retries forget the node. "Not the owner" and "the node is gone" are answered by looking the owner up once more; a
 * timeout, or a node that vanished meanwhile, is not: the call may have run there, so its outcome is unknown.
 *
 * Who runs it is what its lock says. While the locks cannot be reached nobody can claim, so the node that the
 * connection's row names is the best guess; a wrong one answers NO_OWNER.
 */
export interface OwnerRouting {
  /**
   * @param orAnyone where no node runs it: `true` = let any node answer, otherwise NO_OWNER
   * @throws NO_OWNER, OUTCOME_UNKNOWN, SERVICE_UNAVAILABLE, STORE_UNAVAILABLE, and what the action throws
   */
  callOwner<T>(ctx: CallContext, connectionId: string, action: string, params: object, orAnyone?: boolean): Promise<T>;
  /**
   * Tells whoever runs it, or any node, to look at a connection now. Level-triggered: they look by themselves, so a lost
   * wake-up only delays. Resolves when it was looked at, or in vain; never rejects.
   */
  wake(broker: Caller, connectionId: string): Promise<void>;
  /** Not waited for: there is something to be sent. Many at once for one connection are few calls. */
  wakeOutbox(broker: Caller, connectionId: string): void;
}

type Caller = Pick<ServiceBroker, 'call'>;

export interface OwnerRoutingOptions {
  locks: Pick<Locks, 'holderOf'>;
  store: Pick<Store, 'collection'>;
  clock?: Pick<Clock, 'monotonic'>;
  log?: Log;
  /** ms; default 28,000: above what a session-node itself waits for, below what the gateway does */
  timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 28_000;
/** above what a session-node itself waits for what comes of it */
const WAKE_TIMEOUT_MS = 1_500;
/** after the locks could not be reached, how long nobody asks them: each question may take their whole timeout */
const LOCKS_REST_MS = 1_000;
const ATTEMPTS = 2;
/** what Moleculer answers for a node or service that is not there (its classes do not survive the wire, these do) */
const GONE: ReadonlySet<string | undefined> = new Set(['SERVICE_NOT_FOUND', 'SERVICE_NOT_AVAILABLE', 'NO_OWNER']);
/** the call was sent, and nobody knows what became of it */
const UNANSWERED: ReadonlySet<string | undefined> = new Set(['REQUEST_TIMEOUT', 'REQUEST_REJECTED']);

export function createOwnerRouting(options: OwnerRoutingOptions): OwnerRouting {
  const { locks, store, clock = systemClock, log = silentLog, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  /** connections whose outbox is being woken; true = once more after that */
  const waking = new Map<string, boolean>();
  let askLocksFrom = Number.NEGATIVE_INFINITY;

  async function ownerOf(connectionId: string): Promise<string | null> {
    if (clock.monotonic() >= askLocksFrom) {
      try {
        const holder = await locks.holderOf(lockKeyOf(connectionId));
        return holder === null ? null : nodeOfHolder(holder);
      } catch (error) {
        if (!isErrorType(error, 'STORE_UNAVAILABLE')) throw error;
        askLocksFrom = clock.monotonic() + LOCKS_REST_MS;
      }
    }
    const row = await store.collection<ConnectionDoc>('connections').findOne({ _id: connectionId });
    return row?.worker?.nodeId ?? null;
  }

  async function wakeOwner(broker: Caller, connectionId: string, reason: WakeReason): Promise<void> {
    try {
      const nodeID = await ownerOf(connectionId);
      const at = nodeID === null ? {} : { nodeID };
      await broker.call(sessionNodeContract.wake.name, { connectionId, reason }, { timeout: WAKE_TIMEOUT_MS, ...at });
    } catch (error) {
      log.debug({ connectionId, err: error }, 'a wake-up was lost');
    }
  }

  async function wakeWhileAsked(broker: Caller, connectionId: string): Promise<void> {
    do {
      waking.set(connectionId, false);
      await wakeOwner(broker, connectionId, 'outbox');
    } while (waking.get(connectionId));
    waking.delete(connectionId);
  }

  return {
    async callOwner<T>(ctx: CallContext, connectionId: string, action: string, params: object, orAnyone = false) {
      for (let attempt = 1; ; attempt += 1) {
        const nodeID = await ownerOf(connectionId);
        if (nodeID === null && !orAnyone) throw new CastellanError('NO_OWNER');
        try {
          return (await ctx.call(action, params, { timeout: timeoutMs, ...(nodeID !== null && { nodeID }) })) as T;
        } catch (error) {
          if (UNANSWERED.has(errorType(error))) throw new CastellanError('OUTCOME_UNKNOWN');
          if (!GONE.has(errorType(error))) throw error;
          if (attempt === ATTEMPTS) throw isErrorType(error, 'NO_OWNER') ? error : new CastellanError('NO_OWNER');
        }
      }
    },

    wake: (broker, connectionId) => wakeOwner(broker, connectionId, 'connection'),

    wakeOutbox(broker, connectionId) {
      if (waking.has(connectionId)) waking.set(connectionId, true);
      else void wakeWhileAsked(broker, connectionId);
    },
  };
}
