import type { ConnectionStatus, Party } from '../contracts/entities.ts';
import { CastellanError, isErrorType } from '../errors.ts';
import type { Log } from '../log.ts';
import type { NewChatPause } from '../messaging/new-chat-gate.ts';
import type { Outbox } from '../messaging/outbox.port.ts';
import type { ConnectionDoc } from '../storage/collections.ts';
import { type Activated, activate, firstWords, pairsAnew, quarantine } from './activation-start.ts';
import type { ActorClaim, ActorDeps, ActorEnd, ActorState } from './actor.port.ts';
import { browserOf } from './browser.ts';
import type { PairingCode } from './pairing-desk.ts';
import type { SocketEnd, WhatsAppSocket } from './ports.ts';
import { restrictedBy, restrictionWords } from './restriction.ts';
import { createSerial } from './serial.ts';
import type { StatusChange } from './status-writer.ts';
import { type Decision, decide, type EndHistory, isDegraded, NO_HISTORY } from './supervisor.ts';
import { wishOf } from './wanted.ts';
import { within } from './within.ts';

/** One activation of one connection on this node; its life is told at `ActorState`. */
export class ConnectionActor {
  readonly connectionId: string;
  readonly ended: Promise<ActorEnd>;
  /** It was open for the first time, or ended. */
  readonly arrived: Promise<void>;
  readonly #deps: ActorDeps;
  readonly #claim: ActorClaim;
  readonly #log: Log;
  readonly #serial = createSerial((error) => this.#onError(error));
  readonly #done = Promise.withResolvers<ActorEnd>();
  readonly #arrival = Promise.withResolvers<void>();
  readonly #startedBySomeone: boolean;
  #row: ConnectionDoc;
  #state: ActorState = 'taking-over';
  #live: Activated | null = null;
  #socket: WhatsAppSocket | null = null;
  #outbox: Outbox | null = null;
  #openedAt: number | null = null;
  #history: EndHistory = NO_HISTORY;
  #cancelTimer: () => void = () => {};
  #cancelStableTimer: () => void = () => {};
  #cancelLogoutTimer: () => void = () => {};
  #logoutWanted = false;
  #degraded: boolean;
  #isReleased = false;
  /** somebody waits to go on with it */
  #isAwaited = false;

  /** @param row as it was read when the lock was claimed; `startedBySomeone`: a wish that nobody has acted on yet */
  constructor(deps: ActorDeps, row: ConnectionDoc, claim: ActorClaim, startedBySomeone: boolean) {
    this.#deps = deps;
    this.#row = row;
    this.#degraded = row.degraded;
    this.#claim = claim;
    this.#startedBySomeone = startedBySomeone;
    this.connectionId = row._id;
    this.ended = this.#done.promise;
    this.arrived = this.#arrival.promise;
    this.#log = deps.log.child({ connectionId: row._id });
  }

  get state(): ActorState {
    return this.#state;
  }

  get isOver(): boolean {
    return this.#isEnding();
  }

  /** of the row that the actor last acted on */
  get generation(): number {
    return this.#row.generation;
  }

  get epoch(): number | null {
    return this.#live?.activation.epoch ?? null;
  }

  /** The journal does not name this process as the owner any more. Known once it ended. */
  get isReleased(): boolean {
    return this.#isReleased;
  }

  /** A login that can go on elsewhere: a pairing under way would begin anew, a logout would be forgotten. */
  get isMovable(): boolean {
    return !this.#isEnding() && !this.#logoutWanted && (this.#live?.activation.registered ?? false);
  }

  /** Takes the session over and opens it. @returns once the first socket is on its way, or the actor ended */
  start(): Promise<void> {
    return this.#serial.run(() => this.#takeOver());
  }

  /** There may be something to send. */
  wake(): void {
    this.#outbox?.wake();
  }

  /** The row has a newer generation: somebody wishes something. */
  apply(row: ConnectionDoc): Promise<void> {
    const before = this.#row;
    this.#row = row;
    return this.#serial.run(async () => {
      if (this.#isEnding() || row.generation <= before.generation) return;
      if (wishOf(row) === 'logout') return this.#logout();
      await this.#restart();
    });
  }

  /** @returns the code of the pairing that a wish of this kind began. @throws CONNECTION_CLOSED */
  pairingCode(): Promise<PairingCode> {
    const wanted = Promise.withResolvers<PairingCode>();
    void this.#serial.run(() => {
      if (this.#live && !this.#isEnding()) this.#live.desk.nextCode().then(wanted.resolve, wanted.reject);
      else wanted.reject(new CastellanError('CONNECTION_CLOSED'));
    });
    return wanted.promise;
  }

  /** Who goes by a number. @returns null when it is not on WhatsApp. @throws CONNECTION_CLOSED where none is open */
  async lookup(pn: string): Promise<{ lid: string | null; pn: string } | null> {
    if (this.#state !== 'open' || !this.#socket) throw new CastellanError('CONNECTION_CLOSED');
    return this.#socket.lookup(pn);
  }

  /**
   * Ends it in the planned way: what is being sent may finish (grace), then the socket is terminated, the session is
   * flushed and released.
   * @param status what the row shows from then on
   */
  stop(status: ConnectionStatus, reason: string): Promise<void> {
    return this.#serial.run(async () => {
      if (this.#isEnding()) return;
      await this.#drainOutbox();
      await this.#finish('stopped', { status, reason });
    });
  }

  /** Ends it in the planned way, for another run of this connection, here or elsewhere. */
  async handOver(): Promise<void> {
    const comesBack = this.#row.me === null ? 'connecting' : 'reconnecting';
    this.#isAwaited = true;
    await this.stop(comesBack, 'Handed over to another node.');
    await this.ended;
  }

  /** Ends it for good: WhatsApp is told where a socket is open. */
  async logoutAndStop(): Promise<void> {
    await this.#serial.run(() => (this.#isEnding() ? undefined : this.#logoutNow()));
    await this.ended;
  }

  /** Ends it at once and without a word: another owner has the session, or may have it. */
  abandon(end: 'lost' | 'fenced' | 'store-down' | 'crashed'): void {
    /* one that is being handed over still has its socket while its last words are written */
    this.#dropSocket();
    if (this.#isEnding()) return;
    this.#state = 'ending';
    void this.#serial.run(() => this.#close(end, false));
  }

  #isEnding(): boolean {
    return this.#state === 'ending' || this.#state === 'ended';
  }

  async #takeOver(): Promise<void> {
    const bySomeone = this.#startedBySomeone;
    try {
      this.#live = await activate(this.#deps, this.#row, this.#claim, bySomeone);
    } catch (error) {
      if (!isErrorType(error, 'SESSION_QUARANTINED')) throw error;
      this.#log.error({ cause: (error as Error).message }, 'the session is quarantined');
      await quarantine(this.#deps, this.#row);
      return this.#close('parked', false);
    }
    const { activation, writer, sleepsUntil } = this.#live;
    activation.onFailure((error) => this.#onError(error));
    if (this.#isEnding()) return;
    const logsOut = wishOf(this.#row) === 'logout';
    if (activation.registered && !logsOut && pairsAnew(this.#row, bySomeone)) await activation.resetCredentials();
    const told = writer.write(firstWords(this.#live, this.#row, bySomeone, this.#deps));
    if (bySomeone) this.#row = { ...this.#row, ...restrictedBy(null) };
    const isLogin = activation.registered && sleepsUntil === null && !logsOut;
    /* a login waits neither until the row says who runs it, the journal does already, nor for what came before it */
    await Promise.all([told, activation.replayed, isLogin ? this.#open() : undefined]);
    if (isLogin) return;
    if (sleepsUntil !== null) return this.#sleep(sleepsUntil);
    if (logsOut) return this.#logout();
    await this.#open();
  }

  async #open(): Promise<void> {
    if (this.#isEnding() || !this.#live) return;
    if (this.#claim.lease.standing() === 'over') return this.abandon('lost');
    const { activation, desk, writer } = this.#live;
    if (!activation.registered) {
      /* what an unfinished pairing left (its early `me`) would be taken for a login, and answered with 401 */
      await activation.resetCredentials();
      this.#row = { ...this.#row, me: null };
      await writer.write({ status: writer.status, reason: null, row: { me: null }, ...desk.begin(this.#row.pairing) });
    }
    if (this.#isEnding()) return;
    this.#state = 'connecting';
    this.#openedAt = null;
    const socket: WhatsAppSocket = this.#deps.openSocket({
      activation,
      browser: browserOf(this.#row.deviceInfo),
      lease: this.#claim.lease,
      handlers: {
        qr: (qr, validForMs) => this.#with(socket, () => this.#onQr(socket, qr, validForMs)),
        paired: (me) => this.#with(socket, () => this.#onPaired(me)),
        open: (me) => this.#with(socket, () => this.#onOpen(socket, me)),
        closed: (end) => this.#onClosed(end),
      },
    });
    this.#socket = socket;
  }

  /** Thinks about a socket's news unless it is gone by then. */
  #with(socket: WhatsAppSocket, task: () => Promise<void>): void {
    void this.#serial.run(() => (this.#socket === socket ? task() : undefined));
  }

  async #onQr(socket: WhatsAppSocket, qr: string, validForMs: number): Promise<void> {
    this.#state = 'pairing';
    try {
      await this.#live?.desk.onQr(socket, qr, validForMs);
    } catch (error) {
      /* the socket's end follows, and says more */
      if (!isErrorType(error, 'CONNECTION_CLOSED')) throw error;
    }
  }

  async #onPaired(me: Party): Promise<void> {
    await this.#live?.activation.flush();
    await this.#live?.desk.paired(me);
  }

  async #onOpen(socket: WhatsAppSocket, me: Party): Promise<void> {
    if (!this.#live) return;
    const { activation, writer } = this.#live;
    this.#state = 'open';
    this.#openedAt = this.#deps.clock.monotonic();
    this.#arrival.resolve();
    this.#history = { ...this.#history, canaryTried: false };
    const before = this.#row.me?.id === me.id ? this.#row.me : null;
    const known = { ...me, name: me.name ?? before?.name ?? null };
    await writer.write({ status: 'open', reason: null, row: { me: known, sleepUntil: null } });
    this.#row = { ...this.#row, me: known };
    if (this.#socket !== socket) return;
    if (this.#logoutWanted) return this.#logoutNow();
    this.#outbox = this.#deps.createOutbox({
      store: this.#deps.store,
      connection: { connectionId: this.connectionId, userId: this.#row.userId },
      account: known,
      epoch: activation.epoch,
      socket,
      newChatPause: this.#row.newChatPause ?? null,
      onNewChatPause: (pause) => void this.#serial.run(() => this.#onNewChatPause(pause)),
      log: this.#log,
    });
    this.#outbox.start();
    this.#watchStability();
    this.#log.info({ epoch: activation.epoch }, 'open');
  }

  /** Being open for long ends what its former ends brought about. */
  #watchStability(): void {
    const { clock, timings } = this.#deps;
    if (!this.#degraded) return;
    this.#cancelStableTimer = clock.after(timings.stableAfterMs, () => {
      if (isDegraded(this.#history, clock.monotonic(), timings)) this.#watchStability();
      else void this.#serial.run(() => (this.#state === 'open' ? this.#recover() : undefined));
    });
  }

  async #recover(): Promise<void> {
    this.#degraded = false;
    await this.#live?.writer.write({ status: 'open', reason: null, row: { degraded: false } });
  }

  /** Not a disconnect: WhatsApp lets the account write to known chats only, or (null) to new ones again. */
  async #onNewChatPause(newChatPause: NewChatPause | null): Promise<void> {
    if (!this.#live || this.#isEnding()) return;
    const { writer } = this.#live;
    this.#row = { ...this.#row, ...restrictedBy(newChatPause) };
    await writer.write({ ...restrictionWords(newChatPause, writer.status), row: restrictedBy(newChatPause) });
  }

  #onClosed(end: SocketEnd): void {
    const { clock } = this.#deps;
    const openForMs = this.#openedAt === null ? null : clock.monotonic() - this.#openedAt;
    this.#dropSocket();
    if (!this.#isEnding()) this.#state = 'waiting';
    void this.#serial.run(() => (this.#isEnding() || this.#socket ? undefined : this.#judge(end, openForMs)));
  }

  async #judge(end: SocketEnd, openForMs: number | null): Promise<void> {
    if (!this.#live) return;
    const { clock, timings, canary, random } = this.#deps;
    const { activation } = this.#live;
    const situation = {
      now: clock.monotonic(),
      wallNow: clock.now(),
      openForMs,
      registered: activation.registered,
      lockIsMine: this.#claim.lease.standing() === 'mine',
      canaryIsFree: canary.isFree(),
    };
    const decision = decide(end, this.#history, situation, timings, random);
    this.#history = decision.history;
    const { status, next, alert } = decision;
    this.#log[alert ? 'error' : 'info']({ code: end.code, cause: end.reason, status, next: next.kind }, 'socket ended');
    if (decision.takesCanary) canary.take();
    await this.#follow(end, decision);
  }

  async #follow(end: SocketEnd, { status, reason, degraded, next }: Decision): Promise<void> {
    if (!this.#live || next.kind === 'yield') return this.#close('yielded', false);
    const { activation, writer, desk } = this.#live;
    this.#degraded = degraded;
    const change: StatusChange = { status, reason, code: end.code, row: { degraded } };
    const unpaired = !activation.registered;
    if (next.kind === 'park') return this.#finish('parked', change, end.pairingExpired ? 'expired' : 'failed');
    /* its code went with the socket */
    const auth = unpaired ? desk.begin(this.#row.pairing) : {};
    if (next.kind === 'sleep') {
      await writer.write({ ...change, ...auth, row: { degraded, sleepUntil: next.until } });
      return this.#sleep(next.until);
    }
    /* a restart on request follows a pairing: its credentials must be durable before they are used */
    if (end.code === 515) await activation.flush();
    await writer.write({ ...change, ...auth });
    this.#openAfter(next.delayMs, end.code !== 515);
  }

  #openAfter(delayMs: number, limited: boolean): void {
    const { clock, reopens } = this.#deps;
    const open = () => void this.#serial.run(() => (this.#socket ? undefined : this.#open()));
    this.#state = 'waiting';
    this.#cancelTimer = clock.after(delayMs, () => {
      const waitMs = limited ? reopens.reserve() : 0;
      if (waitMs === 0) open();
      else this.#cancelTimer = clock.after(waitMs, open);
    });
  }

  #sleep(until: number): void {
    /* setTimeout takes 24.8 days at most; waking up early only means to look again */
    const delayMs = Math.min(Math.max(0, until - this.#deps.clock.now()), 2 ** 31 - 1);
    this.#openAfter(delayMs, true);
    this.#state = 'sleeping';
  }

  async #restart(): Promise<void> {
    if (!this.#live) return;
    await this.#drainOutbox();
    this.#dropSocket();
    this.#history = NO_HISTORY;
    this.#degraded = false;
    const row = { servedGeneration: this.#row.generation, ...restrictedBy(null), sleepUntil: null, degraded: false };
    await this.#live.writer.write({ status: 'connecting', reason: 'Restarted on request.', row });
    this.#row = { ...this.#row, ...restrictedBy(null) };
    await this.#open();
  }

  /** WhatsApp can be told over an open socket only; one that does not open in time is not waited for. */
  async #logout(): Promise<void> {
    if (this.#state === 'open' || !this.#live?.activation.registered) return this.#logoutNow();
    this.#logoutWanted = true;
    this.#cancelLogoutTimer = this.#deps.clock.after(this.#deps.timings.logoutTimeoutMs, () => {
      void this.#serial.run(() => (this.#isEnding() ? undefined : this.#logoutNow()));
    });
    if (!this.#socket) await this.#open();
  }

  async #logoutNow(): Promise<void> {
    const told = this.#state === 'open';
    await this.#drainOutbox();
    if (told) await this.#socket?.logout();
    const reason = told ? 'Logged out on request.' : 'Logged out on request; WhatsApp could not be told.';
    await this.#finish('parked', { status: 'logged_out', reason });
  }

  #dropSocket(): void {
    this.#cancelTimer();
    this.#cancelStableTimer();
    this.#socket?.terminate();
    this.#socket = null;
    this.#openedAt = null;
    void this.#outbox?.stop();
    this.#outbox = null;
  }

  /** Takes no more to send, and lets what is on its way arrive. */
  async #drainOutbox(): Promise<void> {
    if (!this.#outbox) return;
    const outbox = this.#outbox;
    this.#outbox = null;
    const stopped = outbox.stop();
    await within(this.#deps.clock, this.#deps.timings.drainGraceMs, stopped);
  }

  /**
   * The last word of an activation: row, worker and event together, then the session is flushed and released.
   * @param pairing how a pairing ended that was under way
   */
  async #finish(
    end: 'stopped' | 'parked',
    change: StatusChange,
    pairing: 'expired' | 'failed' = 'expired',
  ): Promise<void> {
    this.#state = 'ending';
    /* who hands it over says so first: the session is away from the cut on, and nobody waits for words in that time */
    if (!this.#isAwaited) this.#dropSocket();
    if (!this.#live) return this.#close(end, true);
    const { activation, writer, worker, desk } = this.#live;
    const row = { ...change.row, servedGeneration: this.#row.generation, worker: null };
    const auth = activation.registered ? [] : (desk.ended(pairing).writes ?? []);
    const writes = [...auth, ...worker.ended(this.#deps.clock.now(), change.status)];
    await writer.write({ ...change, row, writes });
    await this.#close(end, true);
  }

  async #close(end: ActorEnd, release: boolean): Promise<void> {
    if (this.#state === 'ended') return;
    this.#state = 'ending';
    this.#dropSocket();
    this.#live?.desk.close();
    try {
      this.#isReleased = (await this.#live?.activation.close({ release, swift: this.#isAwaited })) ?? false;
    } catch (error) {
      this.#log.warn({ cause: (error as Error).message }, 'the session was not released');
    }
    this.#cancelLogoutTimer();
    this.#state = 'ended';
    this.#arrival.resolve();
    this.#done.resolve(end);
  }

  #onError(error: unknown): void {
    if (this.#state === 'ended') return;
    const end = endOf(error);
    const cause = (error as Error | undefined)?.message;
    if (end === 'crashed') this.#log.error({ cause, stack: (error as Error | undefined)?.stack }, 'the actor failed');
    else this.#log.warn({ cause, end }, 'the actor ends');
    if (this.#state === 'ending') void this.#close(end, false);
    else this.abandon(end);
  }
}

function endOf(error: unknown): 'fenced' | 'store-down' | 'crashed' {
  if (isErrorType(error, 'SESSION_FENCED')) return 'fenced';
  return isErrorType(error, 'STORE_UNAVAILABLE') ? 'store-down' : 'crashed';
}
