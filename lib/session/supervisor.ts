import type { ConnectionStatus } from '../contracts/entities.ts';
import type { SocketEnd } from './ports.ts';

/**
 * What each end of a socket means: one table from the code to status, words for people and what to do next. It is pure:
 * time, chance and what happened before come in, and the new history goes out with the decision.
 */

/** All in milliseconds. */
export interface SupervisorTimings {
  /** full jitter: a delay is chance x min(cap, base x 2^attempt). Default 1,000 */
  backoffBaseMs: number;
  /** default 60,000 */
  backoffCapMs: number;
  /** the least delay after a 503. Default 5,000 */
  unavailableBaseMs: number;
  /** being open for this long forgets the failed attempts. Default 60,000 */
  stableAfterMs: number;
  /** the one retry after another login took over, plus up to a third of it. Default 30,000 */
  conflictRetryMs: number;
  /** a second 440 within it is a conflict. Default 600,000 */
  conflictWindowMs: number;
  /** so many stream errors ... Default 5 */
  streamErrorLimit: number;
  /** ... within this time mark the connection as degraded. Default 600,000 */
  streamErrorWindowMs: number;
  /** how long to sleep when a temporary ban came without its end. Default 3,600,000 */
  banFallbackMs: number;
  /** one connection of the node tries again this long after a 405, plus up to a third of it. Default 300,000 */
  canaryDelayMs: number;
}

export const DEFAULT_SUPERVISOR_TIMINGS: SupervisorTimings = {
  backoffBaseMs: 1_000,
  backoffCapMs: 60_000,
  unavailableBaseMs: 5_000,
  stableAfterMs: 60_000,
  conflictRetryMs: 30_000,
  conflictWindowMs: 600_000,
  streamErrorLimit: 5,
  streamErrorWindowMs: 600_000,
  banFallbackMs: 3_600_000,
  canaryDelayMs: 300_000,
};

/** What earlier ends left behind; times are monotonic. */
export interface EndHistory {
  /** ends since the connection was last stable */
  attempts: number;
  /** restarts on request (515) since the connection was last open */
  restarts: number;
  conflictAt: number | null;
  streamErrorsAt: readonly number[];
  /** this connection has had its try after a 405 */
  canaryTried: boolean;
}

export const NO_HISTORY: EndHistory = {
  attempts: 0,
  restarts: 0,
  conflictAt: null,
  streamErrorsAt: [],
  canaryTried: false,
};

export interface Situation {
  /** monotonic */
  now: number;
  /** ms since the epoch, for what WhatsApp dates */
  wallNow: number;
  /** how long the socket was open; null = it never was */
  openForMs: number | null;
  /** the credentials are a login that worked */
  registered: boolean;
  /** may we prove that the lock is ours at this moment? */
  lockIsMine: boolean;
  /** the node has a try with an outdated client to spend */
  canaryIsFree: boolean;
}

export type NextStep =
  | { kind: 'reconnect'; delayMs: number }
  /** nothing happens before this time (ms since the epoch), then it reconnects */
  | { kind: 'sleep'; until: number }
  /** nothing happens before somebody asks */
  | { kind: 'park' }
  /** someone else runs it: end without a word */
  | { kind: 'yield' };

export interface Decision {
  status: ConnectionStatus;
  /** for people */
  reason: string;
  degraded: boolean;
  next: NextStep;
  history: EndHistory;
  /** takes the node's try with an outdated client */
  takesCanary: boolean;
  /** the operator should know: it is about the fleet, not about one account */
  alert: boolean;
}

interface Case {
  end: SocketEnd;
  situation: Situation;
  history: EndHistory;
  timings: SupervisorTimings;
  /** 0 <= x < 1 */
  random: () => number;
}

type Row = (c: Case) => Partial<Omit<Decision, 'degraded'>> & Pick<Decision, 'status' | 'reason' | 'next'>;

const RESTARTS_AT_ONCE = 3;

const parked =
  (status: ConnectionStatus, reason: string, alert = false): Row =>
  () => ({ status, reason, alert, next: { kind: 'park' } });

const backoff =
  (reason: (c: Case) => string): Row =>
  (c) => ({ status: 'reconnecting', reason: reason(c), next: { kind: 'reconnect', delayMs: jitter(c) } });

/** The table of PROMISES.md, row by row. */
const ROWS: Readonly<Record<number, Row>> = {
  401: parked('logged_out', 'WhatsApp logged this device out; pair it anew.'),
  402: temporarilyBanned,
  403: parked('locked', 'WhatsApp locked the account, or its primary phone is gone.'),
  405: outdated,
  406: parked('banned', 'WhatsApp banned the account.'),
  408: lost,
  409: parked('failed', 'WhatsApp refused the client that Castellan says it is.', true),
  411: parked('needs_pairing', 'The account does not take linked devices in this form; pair it anew.'),
  428: backoff(() => 'WhatsApp closed the connection.'),
  440: replaced,
  500: streamError,
  503: unavailable,
  515: restartRequired,
};

/** @returns what an end means and what follows; codes that the table does not know are taken as 500 */
export function decide(
  end: SocketEnd,
  history: EndHistory,
  situation: Situation,
  timings: SupervisorTimings = DEFAULT_SUPERVISOR_TIMINGS,
  random: () => number = Math.random,
): Decision {
  const stable = situation.openForMs !== null && situation.openForMs >= timings.stableAfterMs;
  const before = {
    ...history,
    attempts: stable ? 0 : history.attempts,
    restarts: situation.openForMs === null ? history.restarts : 0,
  };
  const row = ROWS[end.code] ?? streamError;
  const decision = row({ end, situation, history: before, timings, random });
  const after = { ...before, attempts: before.attempts + 1, ...decision.history };
  return {
    takesCanary: false,
    alert: false,
    ...decision,
    degraded: isDegraded(after, situation.now, timings),
    history: after,
  };
}

/** Whether WhatsApp broke the stream so often lately that somebody should look. */
export function isDegraded(history: EndHistory, now: number, timings: SupervisorTimings): boolean {
  return recentStreamErrors(history, now, timings).length >= timings.streamErrorLimit;
}

function recentStreamErrors(history: EndHistory, now: number, timings: SupervisorTimings): number[] {
  return history.streamErrorsAt.filter((at) => now - at < timings.streamErrorWindowMs);
}

/** Full jitter, so that a thousand connections that fell together do not come back together. */
function jitter({ history, timings, random }: Case): number {
  return random() * exponential(timings.backoffBaseMs, history, timings);
}

function exponential(baseMs: number, history: EndHistory, timings: SupervisorTimings): number {
  return Math.min(timings.backoffCapMs, baseMs * 2 ** Math.min(history.attempts, 30));
}

function aroundThirdMore(ms: number, random: () => number): number {
  return ms + (random() * ms) / 3;
}

function temporarilyBanned({ end, situation, timings }: Case): ReturnType<Row> {
  const until = Math.max(end.expiresAt ?? situation.wallNow + timings.banFallbackMs, situation.wallNow);
  const reason = `WhatsApp banned the account until ${new Date(until).toISOString()}; nothing is sent before.`;
  return { status: 'restricted', reason, next: { kind: 'sleep', until } };
}

/** Not a loop: of all the connections of a node one tries again, the others wait for a newer Castellan. */
function outdated(c: Case): ReturnType<Row> {
  const reason = 'WhatsApp refuses this version of the client; Castellan needs an update.';
  if (c.history.canaryTried || !c.situation.canaryIsFree) {
    return { status: 'outdated', reason, alert: true, next: { kind: 'park' } };
  }
  return {
    status: 'outdated',
    reason: `${reason} It tries once more.`,
    alert: true,
    takesCanary: true,
    next: { kind: 'reconnect', delayMs: aroundThirdMore(c.timings.canaryDelayMs, c.random) },
    history: { ...c.history, attempts: c.history.attempts + 1, canaryTried: true },
  };
}

function lost(c: Case): ReturnType<Row> {
  if (c.end.pairingExpired && !c.situation.registered) {
    return { status: 'qr_expired', reason: 'Nobody paired in time; start it for a new code.', next: { kind: 'park' } };
  }
  const what = c.situation.openForMs === null ? 'WhatsApp cannot be reached' : 'The connection to WhatsApp was lost';
  return backoff(({ end }) => `${what}: ${end.reason}.`)(c);
}

function replaced(c: Case): ReturnType<Row> {
  const { situation, history, timings, random } = c;
  const reason = 'The account was opened by another login with the same credentials.';
  if (!situation.lockIsMine) return { status: 'reconnecting', reason, next: { kind: 'yield' } };
  const again = history.conflictAt !== null && situation.now - history.conflictAt <= timings.conflictWindowMs;
  if (again) return { status: 'conflict', reason: `${reason} It was twice.`, next: { kind: 'park' } };
  return {
    status: 'reconnecting',
    reason: `${reason} It tries once more.`,
    next: { kind: 'reconnect', delayMs: aroundThirdMore(timings.conflictRetryMs, random) },
    history: { ...history, attempts: history.attempts + 1, conflictAt: situation.now },
  };
}

/** Also for what the table does not know. Credentials are never deleted for it. */
function streamError(c: Case): ReturnType<Row> {
  const { end, history, situation, timings } = c;
  const recent = recentStreamErrors(history, situation.now, timings);
  const streamErrorsAt = [...recent, situation.now].slice(-timings.streamErrorLimit);
  return {
    status: 'reconnecting',
    reason: `WhatsApp ended the stream: ${end.reason} (${end.code}).`,
    next: { kind: 'reconnect', delayMs: jitter(c) },
    history: { ...history, attempts: history.attempts + 1, streamErrorsAt },
  };
}

function unavailable({ history, timings, random }: Case): ReturnType<Row> {
  const floor = timings.unavailableBaseMs;
  const delayMs = floor + random() * Math.max(0, exponential(floor, history, timings) - floor);
  return {
    status: 'reconnecting',
    reason: 'WhatsApp is not available at the moment.',
    next: { kind: 'reconnect', delayMs },
  };
}

/** Part of every pairing, so at once; a server that asks for it again and again is treated as one that fails. */
function restartRequired(c: Case): ReturnType<Row> {
  if (c.history.restarts >= RESTARTS_AT_ONCE) return streamError(c);
  return {
    status: 'connecting',
    reason: 'WhatsApp asked for a new connection.',
    next: { kind: 'reconnect', delayMs: 0 },
    history: { ...c.history, restarts: c.history.restarts + 1 },
  };
}
