import { Errors, Transporters } from 'moleculer';
import { createInbox } from 'nats';
import { systemClock } from '../clock.ts';
import { CastellanError } from '../errors.ts';
import { createStamps, createTravelWatch, type Stamp } from './travel-time.ts';

/** What the NATS client of Moleculer's transporter has and we use (its types say `any`). */
interface NatsClient {
  info?: { max_payload: number };
  publish(subject: string, data: Buffer, options: { reply: string }): void;
  subscribe(subject: string, options: { callback(error: Error | null, message: NatsMessage): void }): void;
  flush(): Promise<void>;
  close(): Promise<void>;
  status(): AsyncIterable<{ type: string }>;
}

interface NatsMessage {
  subject: string;
  headers?: { code: number };
}

interface SentPacket {
  type: string;
  target: string;
  payload: { id: string; meta: object };
}

interface ReceivedPacket {
  payload: { action?: string; sender?: string; timeout?: number | null; stamp?: Stamp } | null;
}

type Nats = InstanceType<typeof Transporters.NATS>;
type Transit = Parameters<Nats['init']>[0];
type Packet = Parameters<Nats['serialize']>[0];
/** Moleculer's types say that a packet is a text. */
type MessageHandler = Parameters<Nats['init']>[1];

interface PendingRequest {
  nodeID: string;
  action: { name: string };
  reject(error: Error): void;
}

/** What Moleculer's transit has and its types do not tell. */
interface TransitInside {
  pendingRequests: Map<string, PendingRequest>;
  discoverer: { remoteNodeDisconnected(nodeId: string, isUnexpected: boolean): void };
  sendResponse(nodeId: string, id: string, meta: object, headers: object, data: null, error: Error): Promise<void>;
}

const REQUEST = 'REQ';
const RESPONSE = 'RES';
/** status of the server's answer in the place of a receiver that is not there (NATS protocol, "no responders") */
const NO_RESPONDERS = 503;
const DEFAULT_MAX_PAYLOAD_BYTES = 1024 * 1024;
const RECONNECT_PAUSE_MS = 250;
const CONNECT_TIMEOUT_MS = 2_000;
/** a server that holds the connection and answers no ping for three of these is as good as gone */
const PING_INTERVAL_MS = 2_000;
const PINGS_UNANSWERED = 2;
const GOODBYE_MS = 500;

/** How to reach the servers of a NATS_URL. */
export interface NatsConnection {
  /** `host:port` */
  servers: string[];
  user?: string;
  pass?: string;
  token?: string;
  /** the server's certificate is checked against the system's and NODE_EXTRA_CA_CERTS; there is no falling back */
  tls?: object;
}

/**
 * @param natsUrl `nats://` or `tls://`, several with commas between; user and password (or a token in the user's place)
 *   from the first that has them. Percent escapes are resolved. One `tls://` makes it TLS for all.
 */
export function natsConnection(natsUrl: string): NatsConnection {
  const urls = natsUrl.split(',').map((one) => new URL(one.trim()));
  const known = urls.find(({ username }) => username !== '');
  const [user, pass] = [known?.username ?? '', known?.password ?? ''].map(decodeURIComponent) as [string, string];
  const credentials = pass ? { user, pass } : { token: user };
  return {
    servers: urls.map(({ host }) => host),
    ...(known ? credentials : {}),
    ...(urls.some(({ protocol }) => protocol === 'tls:') ? { tls: {} } : {}),
  };
}

/**
 * Moleculer's NATS transporter, made honest about what does not go out:
 *  - while there is no connection the client would keep messages and send them when it is back, long after whoever asked
 *    has given up. A call then fails at once with SERVICE_UNAVAILABLE: surely not run. One that was under way when the
 *    connection broke is OUTCOME_UNKNOWN;
 *  - a call to a process that has no connection (it was killed, or is not back yet) would wait for its timeout: NATS
 *    keeps nothing for who is not there. The server says so ("no responders"), and the call ends at once as it does
 *    for a process that the bus does not know: surely not run. The next ones go elsewhere, until its next heartbeat;
 *  - a message above the server's limit (1 MB unless configured) is PAYLOAD_TOO_LARGE: of a call for the caller, of an
 *    answer for whoever waits for it (Moleculer would only log it, and the caller wait for its timeout). Media go through
 *    the store, never by message;
 *  - a request that comes after its caller has given up (the bus was paused, this process was stopped) is dropped: it
 *    must not undo what has happened since. One that comes late, but in time, has that much less time (travel-time.ts).
 *
 * It reconnects for ever, and notices a silent server within seconds.
 */
export class NatsTransporter extends Transporters.NATS {
  #connected = false;
  readonly #stamp = createStamps(systemClock);
  readonly #lateness = createTravelWatch(systemClock);
  /** where the server answers for receivers that are not there: `<inbox>.<id of the request>` */
  readonly #unheard = createInbox();

  constructor(natsUrl: string) {
    super({
      ...natsConnection(natsUrl),
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_PAUSE_MS,
      reconnectJitter: RECONNECT_PAUSE_MS,
      timeout: CONNECT_TIMEOUT_MS,
      pingInterval: PING_INTERVAL_MS,
      maxPingOut: PINGS_UNANSWERED,
    });
  }

  get #nats(): NatsClient | null {
    return this.client as NatsClient | null;
  }

  override init(transit: Transit, handle: MessageHandler, afterConnect: (wasReconnect: boolean) => void): void {
    const handleInTime: MessageHandler = (type, packet) =>
      this.#isTooLate(type, packet as unknown as ReceivedPacket) ? undefined : handle(type, packet);
    super.init(transit, handleInTime, afterConnect);
  }

  #isTooLate(type: string, { payload }: ReceivedPacket): boolean {
    if (!payload?.stamp) return false;
    const lateMs = this.#lateness(payload.stamp);
    if (type !== REQUEST || !payload.timeout) return false;
    payload.timeout -= lateMs;
    if (payload.timeout > 0) return false;
    const { action, sender } = payload;
    this.logger.warn(`A request from ${sender} came after its caller had given up: ${action} is not run.`);
    return true;
  }

  override serialize(packet: Packet): Buffer {
    Object.assign(packet.payload, { stamp: this.#stamp() });
    return super.serialize(packet);
  }

  override async connect(): Promise<void> {
    /* what announces this node is sent while it connects */
    this.#connected = true;
    try {
      await super.connect();
    } catch (error) {
      this.#connected = false;
      throw error;
    }
    if (!this.#nats) return;
    void this.#follow(this.#nats);
    this.#nats.subscribe(`${this.#unheard}.*`, {
      callback: (_error, { subject, headers }) => {
        if (headers?.code === NO_RESPONDERS) this.#nobodyHeard(subject.slice(this.#unheard.length + 1));
      },
    });
  }

  get #inside(): TransitInside {
    return this.transit as unknown as TransitInside;
  }

  #nobodyHeard(requestId: string): void {
    const { pendingRequests, discoverer } = this.#inside;
    const request = pendingRequests.get(requestId);
    if (!request) return;
    pendingRequests.delete(requestId);
    const { nodeID, action } = request;
    request.reject(new Errors.ServiceNotAvailableError({ action: action.name, nodeID }));
    discoverer.remoteNodeDisconnected(nodeID, true);
  }

  async #follow(client: NatsClient): Promise<void> {
    for await (const { type } of client.status()) {
      if (type === 'disconnect') this.#disconnected();
      if (type === 'reconnect') this.#connected = true;
    }
    this.#disconnected();
  }

  /** Whose call is under way would wait for its timeout: an answer that was sent meanwhile is lost. */
  #disconnected(): void {
    this.#connected = false;
    const { pendingRequests } = this.#inside;
    for (const [id, { reject }] of [...pendingRequests]) {
      pendingRequests.delete(id);
      reject(new CastellanError('OUTCOME_UNKNOWN'));
    }
  }

  override async send(topic: string, data: Buffer, meta?: Record<string, unknown>): Promise<void> {
    const packet = meta?.packet as SentPacket | undefined;
    const isCall = packet?.type === REQUEST || packet?.type === RESPONSE;
    if (!this.#connected) {
      /* heartbeats and events: the next one will do, and events may get lost on any bus */
      if (!isCall) return;
      throw new CastellanError('SERVICE_UNAVAILABLE', 'The message bus cannot be reached at the moment.');
    }
    const limit = this.#nats?.info?.max_payload ?? DEFAULT_MAX_PAYLOAD_BYTES;
    if (data.byteLength <= limit) {
      if (packet?.type !== REQUEST) return super.send(topic, data);
      this.#nats?.publish(topic, data, { reply: `${this.#unheard}.${packet.payload.id}` });
      return;
    }
    const tooLarge = new CastellanError('PAYLOAD_TOO_LARGE', `A message on the bus may have ${limit} bytes.`);
    if (packet?.type !== RESPONSE) throw tooLarge;
    const { target, payload } = packet;
    /* the answer's meta may be what is too large */
    await this.#inside.sendResponse(target, payload.id, {}, {}, null, tooLarge);
  }

  /** Also when nobody answers any more: a broker that stops must not wait for NATS. */
  override async disconnect(): Promise<void> {
    const client = this.#nats;
    if (!client) return;
    const goodbye = Promise.withResolvers<void>();
    const timer = setTimeout(goodbye.resolve, GOODBYE_MS);
    await Promise.race([client.flush().catch(() => undefined), goodbye.promise]);
    clearTimeout(timer);
    await client.close();
    this.client = null;
  }
}
