import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { CastellanError, isErrorType } from '../errors.ts';
import { newUlid } from '../ids.ts';
import type { IdempotencyDoc } from '../storage/collections.ts';
import type { Store } from '../storage/port.ts';
import type { Vault } from '../storage/vault.ts';

/**
 * A repeated request is one request. The first one with a key claims it by inserting a row (the store's unique `_id`
 * decides among gateways) and sets a ULID aside, from which whatever the request creates takes its ids. It holds the
 * claim by a lease that it renews while it works. Others with the same key wait for its answer.
 *
 * - answered: the answer is kept, sealed, for 24 h, and repeated as it was;
 * - refused (a 4xx that created nothing): the row goes, so that the key can be used for the corrected request;
 * - unknown (5xx, or the process died and the lease ran out): the row stays with its ULID, and the next request with the
 *   key takes it over: it makes the same ids, so it meets what the first one may have stored instead of doubling it.
 *
 * Leases compare wall clocks of gateways. A wrong one costs at worst a second run under the same ULID, which is harmless.
 */
const KEEP_MS = 24 * 3_600_000;
/** short, because a client repeats soon after a crash and a second run is harmless */
const LEASE_MS = 3_000;
const RENEW_EVERY_MS = 1_000;
const WAIT_MS = 25_000;
const POLL_FIRST_MS = 25;
const POLL_MAX_MS = 500;
const KEY_PATTERN = /^[\x20-\x7e]{1,255}$/;

export interface Answer {
  status: number;
  body: unknown;
}

export interface IdempotentRequest {
  userId: string;
  key: string;
  method: string;
  path: string;
  body: unknown;
}

export interface Idempotency {
  /**
   * @param run does the work; it is given the ULID to make ids from, and throws what the client must be told
   * @returns the answer, and whether it is a repeat
   * @throws BAD_REQUEST (no such key), IDEMPOTENCY_MISMATCH, IDEMPOTENCY_IN_PROGRESS, and what `run` throws
   */
  once(
    request: IdempotentRequest,
    run: (reservedUlid: string) => Promise<Answer>,
  ): Promise<{ answer: Answer; replayed: boolean }>;
}

interface Claim {
  _id: string;
  userId: string;
  requestHash: string;
  holder: string;
}

type Outcome = { claimed: { holder: string; reservedUlid: string } } | { answer: Answer } | { busy: true };

export interface IdempotencyOptions {
  store: Store;
  vault: Vault;
  clock: Clock;
  /** whether an error means that nothing was created, so that the key is free again */
  isRefusal(error: unknown): boolean;
}

export function createIdempotency({ store, vault, clock, isRefusal }: IdempotencyOptions): Idempotency {
  const rows = store.collection<IdempotencyDoc>('idempotency');
  /** requests that this process works on: their repeats wait here instead of asking the store again and again */
  const running = new Map<string, { requestHash: string; answer: Promise<Answer> }>();

  async function claim(wanted: Claim): Promise<Outcome> {
    const { _id, holder, ...rest } = wanted;
    const now = clock.now();
    const reservedUlid = newUlid();
    const lease = { status: 'pending' as const, response: null, holder, leaseUntil: now + LEASE_MS };
    try {
      await rows.insertOne({ _id, ...rest, reservedUlid, ...lease, createdAt: now, expiresAt: now + KEEP_MS });
      return { claimed: { holder, reservedUlid } };
    } catch (error) {
      if (!isErrorType(error, 'DUPLICATE_KEY')) throw error;
      return meet(wanted, now);
    }
  }

  /** Somebody was here before. */
  async function meet(wanted: Claim, now: number): Promise<Outcome> {
    const { _id, holder } = wanted;
    const row = await rows.findOne({ _id });
    if (!row) return { busy: true };
    if (row.expiresAt <= now) {
      await rows.deleteOne({ _id, expiresAt: row.expiresAt });
      return { busy: true };
    }
    if (row.requestHash !== wanted.requestHash) throw new CastellanError('IDEMPOTENCY_MISMATCH');
    if (row.response) return { answer: vault.openJson<Answer>(row.response, _id) };
    if (row.leaseUntil > now) return { busy: true };
    const takeover = { _id, status: 'pending', holder: row.holder, leaseUntil: row.leaseUntil };
    const { matched } = await rows.updateOne(takeover, { $set: { holder, leaseUntil: now + LEASE_MS } });
    return matched === 1 ? { claimed: { holder, reservedUlid: row.reservedUlid } } : { busy: true };
  }

  async function work(mine: Claim, run: () => Promise<Answer>): Promise<Answer> {
    const { _id, holder } = mine;
    const stopRenewing = keepLease(_id, holder);
    try {
      const answer = await run();
      const response = vault.sealJson(answer, _id);
      await rows.updateOne({ _id, holder }, { $set: { status: 'done', response } });
      return answer;
    } catch (error) {
      /* if this write fails too, the lease runs out by itself */
      if (isRefusal(error)) await rows.deleteOne({ _id, holder, status: 'pending' }).catch(() => 0);
      else await rows.updateOne({ _id, holder }, { $set: { leaseUntil: 0 } }).catch(() => 0);
      throw error;
    } finally {
      stopRenewing();
    }
  }

  function keepLease(_id: string, holder: string): () => void {
    let cancel = clock.after(RENEW_EVERY_MS, renew);
    let stopped = false;
    function renew(): void {
      const leaseUntil = clock.now() + LEASE_MS;
      rows.updateOne({ _id, holder, status: 'pending' }, { $set: { leaseUntil } }).catch(() => 0);
      if (!stopped) cancel = clock.after(RENEW_EVERY_MS, renew);
    }
    return () => {
      stopped = true;
      cancel();
    };
  }

  async function once(request: IdempotentRequest, run: (reservedUlid: string) => Promise<Answer>) {
    const { key, userId } = request;
    if (!KEY_PATTERN.test(key)) {
      throw new CastellanError('BAD_REQUEST', 'The Idempotency-Key must be 1 to 255 printable characters.');
    }
    const _id = `${userId}:${sha256(key)}`;
    const requestHash = sha256(`${request.method} ${request.path}\n${JSON.stringify(request.body)}`);
    const first = running.get(_id);
    if (first) {
      if (first.requestHash !== requestHash) throw new CastellanError('IDEMPOTENCY_MISMATCH');
      return { answer: await first.answer, replayed: true };
    }
    const lead = leadOrFollow({ _id, userId, requestHash, holder: newUlid() }, run);
    running.set(_id, { requestHash, answer: lead.then(({ answer }) => answer) });
    running.get(_id)?.answer.catch(() => undefined);
    try {
      return await lead;
    } finally {
      running.delete(_id);
    }
  }

  async function leadOrFollow(mine: Claim, run: (reservedUlid: string) => Promise<Answer>) {
    const until = clock.monotonic() + WAIT_MS;
    for (let pollMs = POLL_FIRST_MS; clock.monotonic() < until; pollMs = Math.min(pollMs * 2, POLL_MAX_MS)) {
      const outcome = await claim(mine);
      if ('answer' in outcome) return { answer: outcome.answer, replayed: true };
      if ('claimed' in outcome) {
        const { reservedUlid } = outcome.claimed;
        return { answer: await work(mine, () => run(reservedUlid)), replayed: false };
      }
      await new Promise<void>((resolve) => clock.after(pollMs, resolve));
    }
    throw new CastellanError('IDEMPOTENCY_IN_PROGRESS');
  }

  return { once };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
