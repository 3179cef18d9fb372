import {
  type AuthenticationCreds,
  type BaileysEventMap,
  BufferJSON,
  type ConnectionState,
  DisconnectReason,
  initAuthCreds,
  makeWASocket,
  proto,
  type SignalDataTypeMap,
  type SignalKeyStore,
  type UserFacingSocketConfig,
  WA_CERT_DETAILS,
  type WAMessage,
  type WASocket,
} from '@whiskeysockets/baileys';
import { pino } from 'pino';
import { eventually } from './eventually.ts';

/** What a client needs to know of a simulator. */
export interface SimulatorAddress {
  url: string;
  rootPublicKey: string;
}

export interface ClientOptions {
  /** credentials and keys as JSON of Baileys' own kind (a pre-paired account); a new device when left out */
  auth?: { creds: unknown; keys: Record<string, Record<string, unknown>> };
  config?: Partial<UserFacingSocketConfig>;
}

type Keys = Map<string, unknown>;

const longTimerMs = 5_000;

/** Baileys leaves timers of up to 60 s behind a closed socket (queries, uploads): they must not hold the test process. */
function letLongTimersGo(): void {
  const original = globalThis.setTimeout;
  const patched = (callback: (...args: unknown[]) => void, ms?: number, ...rest: unknown[]): NodeJS.Timeout => {
    const timer = original(callback, ms, ...rest);
    if (ms !== undefined && ms >= longTimerMs) timer.unref();
    return timer;
  };
  globalThis.setTimeout = Object.assign(patched, original) as typeof setTimeout;
}

letLongTimersGo();

// libsignal prints whole sessions, private keys included
console.info = () => undefined;

/** What a store would give back: a copy, with Buffers for Buffers. */
const copyOf = (value: unknown): unknown => JSON.parse(JSON.stringify(value, BufferJSON.replacer), BufferJSON.reviver);

/** From plain JSON; `replacer` must not see it, or it would encode the encoded Buffers again. */
const revive = <T>(json: unknown): T => JSON.parse(JSON.stringify(json), BufferJSON.reviver) as T;

/**
 * A real, unmodified Baileys client with its session in memory. `connect` opens a new socket each time; 515 after pairing
 * reconnects by itself, every other end is the test's business.
 */
export class BaileysClient {
  readonly creds: AuthenticationCreds;
  readonly received: WAMessage[] = [];
  readonly upserts: BaileysEventMap['messages.upsert'][] = [];
  readonly updates: BaileysEventMap['messages.update'] = [];
  readonly acks: { id: string; error?: string }[] = [];
  readonly states: Partial<ConnectionState>[] = [];
  /** status codes of all ends */
  readonly ends: number[] = [];
  qr?: string;
  private readonly keys: Keys = new Map();
  private readonly simulator: SimulatorAddress;
  private readonly config: Partial<UserFacingSocketConfig>;
  private current?: WASocket;
  private stopped = false;

  constructor(simulator: SimulatorAddress, { auth, config = {} }: ClientOptions = {}) {
    WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(simulator.rootPublicKey, 'hex');
    this.simulator = simulator;
    this.config = config;
    this.creds = auth ? revive(auth.creds) : initAuthCreds();
    for (const [type, values] of Object.entries(auth?.keys ?? {})) {
      for (const [id, value] of Object.entries(values)) this.keys.set(`${type} ${id}`, revive(value));
    }
  }

  get sock(): WASocket {
    if (!this.current) throw new Error('The client was never connected');
    return this.current;
  }

  get isOpen(): boolean {
    return this.states.findLast(({ connection }) => connection !== undefined)?.connection === 'open';
  }

  connect(): WASocket {
    this.stopped = false;
    const sock = makeWASocket({
      waWebSocketUrl: this.simulator.url,
      auth: { creds: this.creds, keys: this.keyStore() },
      logger: pino({ level: process.env.BAILEYS_LOG ?? 'silent' }) as unknown as NonNullable<
        UserFacingSocketConfig['logger']
      >,
      getMessage: async ({ id }) => this.received.find(({ key }) => key.id === id)?.message ?? undefined,
      ...this.config,
    });
    this.current = sock;
    this.listen(sock);
    return sock;
  }

  async open({ timeoutMs = 15_000 } = {}): Promise<this> {
    this.connect();
    await this.waitOpen(timeoutMs);
    return this;
  }

  async waitOpen(timeoutMs = 15_000): Promise<void> {
    await eventually(() => assert(this.isOpen, `not open: ${JSON.stringify(this.states.at(-1))}`), { timeoutMs });
  }

  waitQr(timeoutMs = 10_000): Promise<string> {
    return eventually(() => assert(this.qr, 'no QR code'), { timeoutMs });
  }

  waitEnd(code: number, timeoutMs = 10_000): Promise<void> {
    return eventually(() => void assert(this.ends.includes(code), `no end with ${code}: ${this.ends}`), { timeoutMs });
  }

  waitText(text: string, timeoutMs = 10_000): Promise<WAMessage> {
    return eventually(
      () =>
        assert(
          this.received.find((message) => textOf(message) === text),
          `no "${text}"`,
        ),
      {
        timeoutMs,
      },
    );
  }

  waitAck(id: string, timeoutMs = 10_000): Promise<{ id: string; error?: string }> {
    return eventually(
      () =>
        assert(
          this.acks.find((ack) => ack.id === id),
          `no ack for ${id}`,
        ),
      { timeoutMs },
    );
  }

  /** The highest status of a message so far: an update may have been merged into the message itself. */
  statusOf(id: string): number {
    const updated = this.updates.filter(({ key }) => key.id === id).map(({ update }) => update.status ?? 0);
    const stored = this.received.filter(({ key }) => key.id === id).map(({ status }) => status ?? 0);
    return Math.max(0, ...updated, ...stored);
  }

  /** Cuts the connection as a killed process would; the session stays. */
  kill(): void {
    this.stopped = true;
    const { ws } = this.sock;
    (ws as unknown as { socket: { terminate(): void } | null }).socket?.terminate();
  }

  /** Terminates first: a closing handshake with a silent server takes 30 s. */
  async close(): Promise<void> {
    if (!this.current) return;
    this.kill();
    await this.current.end(undefined);
  }

  private listen(sock: WASocket): void {
    sock.ev.on('creds.update', (update) => void Object.assign(this.creds, update));
    sock.ev.on('connection.update', (update) => this.onConnection(sock, update));
    sock.ev.on('messages.upsert', (upsert) => {
      this.upserts.push(upsert);
      this.received.push(...upsert.messages);
    });
    sock.ev.on('messages.update', (updates) => void this.updates.push(...updates));
    sock.ws.on('CB:ack,class:message', ({ attrs }: { attrs: Record<string, string> }) => {
      this.acks.push({ id: attrs.id ?? '', ...(attrs.error !== undefined && { error: attrs.error }) });
    });
  }

  private onConnection(sock: WASocket, update: Partial<ConnectionState>): void {
    if (sock !== this.current) return;
    this.states.push(update);
    if (update.qr) this.qr = update.qr;
    if (update.connection !== 'close') return;
    const error = update.lastDisconnect?.error as { output?: { statusCode?: number } } | undefined;
    const code = error?.output?.statusCode ?? 0;
    this.ends.push(code);
    if (code === DisconnectReason.restartRequired && !this.stopped) this.connect();
  }

  private keyStore(): SignalKeyStore {
    return {
      get: async <T extends keyof SignalDataTypeMap>(type: T, ids: string[]) => {
        const found: Record<string, SignalDataTypeMap[T]> = {};
        for (const id of ids) {
          const value = this.keys.get(`${type} ${id}`);
          if (value !== undefined) found[id] = fromStore(type, value) as SignalDataTypeMap[T];
        }
        return found;
      },
      set: async (data) => {
        for (const [type, values] of Object.entries(data)) {
          for (const [id, value] of Object.entries(values ?? {})) {
            if (value === null || value === undefined) this.keys.delete(`${type} ${id}`);
            // a copy: Baileys goes on writing into what it handed over
            else this.keys.set(`${type} ${id}`, copyOf(value));
          }
        }
      },
    };
  }
}

/** App-state keys are protobuf messages, whose JSON has strings for bytes; Baileys' own file store restores them so too. */
const fromStore = (type: string, value: unknown): unknown =>
  type === 'app-state-sync-key' ? proto.Message.AppStateSyncKeyData.fromObject(value as object) : value;

export const textOf = ({ message }: WAMessage): string | undefined =>
  message?.conversation ?? message?.extendedTextMessage?.text ?? undefined;

function assert<T>(value: T, why: string): NonNullable<T> {
  if (!value) throw new Error(why);
  return value;
}
