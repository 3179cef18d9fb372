import { type BinaryNode, type ConnectionState, proto, type WASocket } from '@whiskeysockets/baileys';
import type WebSocket from 'ws';
import type { Clock } from '../../clock.ts';
import { type Lease, UNCONDITIONAL } from '../../cluster/lease.port.ts';
import type { MessageContent } from '../../contracts/entities.ts';
import { CastellanError, isErrorType } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { OpenSocket, SendRequest, ServerAck, SocketEnd, SocketOptions, WhatsAppSocket } from '../ports.ts';
import { createAckWaiters } from './ack-waiters.ts';
import { createBaileysLog } from './baileys-log.ts';
import { openContainedSocket } from './contained-socket.ts';
import { encodeContent } from './content-codec.ts';
import { ownParty } from './identity.ts';
import { lookupNumber, refusalOf, removeThisDevice } from './queries.ts';
import { bindSession, type SessionBindingDeps } from './session-binding.ts';
import { hung, refusedUpgrade, toSocketEnd, undecodable } from './socket-end.ts';
import { trustRoot } from './trust-root.ts';

/** The version of WhatsApp Web that Baileys 7.0.0-rc14 was released with; never asked of the network. */
const CLIENT_VERSION: [number, number, number] = [2, 3000, 1043857760];
const WHATSAPP_URL = 'wss://web.whatsapp.com/ws/chat';
/** Baileys Socket/socket.js, `genPairQR`: how long the first and every further code is shown */
const FIRST_CODE_MS = 60_000;
const NEXT_CODE_MS = 20_000;

export interface SocketTimings {
  /** until the WebSocket and the Noise handshake must be done, ms. Default 20,000 */
  connectTimeoutMs: number;
  /** added to it before a silent server is given up, ms. Default 5,000 */
  watchdogGraceMs: number;
  /** silence of this plus 5 s ends a socket, ms. Default 25,000 */
  keepAliveIntervalMs: number;
  /** how long one code is shown, ms; null = WhatsApp's own 60 s for the first and 20 s for every other. Default null */
  qrTimeoutMs: number | null;
}

export const DEFAULT_SOCKET_TIMINGS: SocketTimings = {
  connectTimeoutMs: 20_000,
  watchdogGraceMs: 5_000,
  keepAliveIntervalMs: 25_000,
  qrTimeoutMs: null,
};

export interface SocketDeps {
  clock: Clock;
  log: Log;
  /** where WhatsApp is; null = the real one */
  websocketUrl: string | null;
  /** the Noise root to trust instead of WhatsApp's, 32 bytes */
  rootPublicKey: Uint8Array | null;
  binding: SessionBindingDeps;
  /** what was sent under this id, for contacts that ask again; null = unknown */
  loadOutgoing(connectionId: string, waMessageId: string): Promise<MessageContent | null>;
  timings?: Partial<SocketTimings>;
}

/**
 * Opens sockets with Baileys. A socket ends exactly once: by `closed` or by `terminate()`, and after either nothing of
 * it is left. How long an ack may take is the outbox's choice: a send waits until its socket ends.
 */
export function createOpenSocket(deps: SocketDeps): OpenSocket {
  if (deps.rootPublicKey) trustRoot(deps.rootPublicKey);
  const timings = { ...DEFAULT_SOCKET_TIMINGS, ...deps.timings };
  return (options) => open(options, deps, timings);
}

function open(options: SocketOptions, deps: SocketDeps, timings: SocketTimings): WhatsAppSocket {
  const { activation, handlers } = options;
  const { clock } = deps;
  const { connectionId } = activation;
  const log = deps.log.child({ connectionId, epoch: activation.epoch });
  const lease = options.lease ?? UNCONDITIONAL;
  const binding = bindSession(activation, deps.binding, lease);
  let ended = false;
  let codesShown = 0;

  const contained = openContainedSocket(
    {
      ...binding.socketConfig,
      ...fixedConfig(deps, timings, log),
      browser: options.browser,
      getMessage: async ({ id }) => {
        const content = id ? await deps.loadOutgoing(connectionId, id) : null;
        return content ? encodeContent(content) : undefined;
      },
    },
    (event, error) => {
      log.debug({ event, cause: (error as Error | undefined)?.message }, 'a handler of Baileys failed');
      if (event === 'message') end(undecodable());
    },
  );
  const { sock, raw } = contained;
  const acks = createAckWaiters();
  const watchdogMs = timings.connectTimeoutMs + timings.watchdogGraceMs;
  const cancelWatchdog = clock.after(watchdogMs, () => end(hung(watchdogMs)));

  function release(reason: string): void {
    ended = true;
    cancelWatchdog();
    acks.close(reason);
    binding.detach();
    contained.destroy();
  }

  function end(why: SocketEnd): void {
    if (ended) return;
    release(why.reason);
    handlers.closed(why);
  }

  function onUpdate({ connection, qr, isNewLogin, lastDisconnect }: Partial<ConnectionState>): void {
    if (ended) return;
    if (qr) {
      const validForMs = timings.qrTimeoutMs ?? (codesShown === 0 ? FIRST_CODE_MS : NEXT_CODE_MS);
      codesShown += 1;
      handlers.qr(qr, validForMs);
    }
    if (isNewLogin) handlers.paired(ownParty(sock.authState.creds.me));
    if (connection === 'open') handlers.open(ownParty(sock.authState.creds.me));
    if (connection === 'close') end(toSocketEnd(lastDisconnect?.error, clock.now()));
  }

  guardWrites(raw, lease, () => end({ code: 408, reason: 'This node cannot prove any more that it owns it' }));
  binding.attach(sock);
  sock.ev.on('connection.update', onUpdate);
  sock.ws.on('CB:ack,class:message', (ack: BinaryNode) => acks.onAck(ack));
  sock.ws.on('CB:success', cancelWatchdog);
  sock.ws.on('CB:iq,type:set,pair-device', cancelWatchdog);
  sock.ws.on('unexpected-response', (_request, { statusCode }: { statusCode?: number }) =>
    end(refusedUpgrade(statusCode ?? 0)),
  );

  /** One at a time: a claim travels with the next encryption, which must be its own message's. */
  let writing: Promise<void> = Promise.resolve();

  async function write(request: SendRequest, sent: PromiseWithResolvers<ServerAck>): Promise<void> {
    const { jobId, messageId, waMessageId, chatId, content } = request;
    if (ended || !sock.ws.isOpen) throw new CastellanError('CONNECTION_CLOSED', undefined, { claimed: false });
    const message = encodeContent(content);
    acks.wait(waMessageId).then(sent.resolve, sent.reject);
    binding.claim({ kind: 'claim', jobId, messageId, at: clock.now() });
    try {
      await sock.relayMessage(chatId, message, { messageId: waMessageId });
    } catch (error) {
      const refusal = refusalOf(error);
      log.debug({ messageId, cause: (error as Error).message }, 'the message was not written');
      acks.fail(waMessageId, refusal);
      /* a socket that cannot be written to is none */
      if (isErrorType(refusal, 'CONNECTION_CLOSED')) end(toSocketEnd(error, clock.now()));
    }
  }

  const whileOpen = async <T>(work: (sock: WASocket) => Promise<T>): Promise<T> => {
    if (ended) throw new CastellanError('CONNECTION_CLOSED');
    try {
      return await work(sock);
    } catch (cause) {
      if (ended) throw new CastellanError('CONNECTION_CLOSED', undefined, undefined, { cause });
      throw cause;
    }
  };

  return {
    send(request) {
      const sent = Promise.withResolvers<ServerAck>();
      writing = writing.then(() => write(request, sent)).catch(sent.reject);
      return sent.promise;
    },
    lookup: (pn) => whileOpen((open) => lookupNumber(open, pn)),
    requestPairingCode: (phoneNumber) => whileOpen((open) => open.requestPairingCode(phoneNumber.replace(/\D/g, ''))),
    async logout() {
      if (!ended) await removeThisDevice(sock);
    },
    terminate() {
      if (!ended) release('The socket was terminated.');
    },
  };
}

function fixedConfig(deps: SocketDeps, timings: SocketTimings, log: Log) {
  return {
    version: CLIENT_VERSION,
    waWebSocketUrl: deps.websocketUrl ?? WHATSAPP_URL,
    logger: createBaileysLog(log),
    connectTimeoutMs: timings.connectTimeoutMs,
    keepAliveIntervalMs: timings.keepAliveIntervalMs,
    ...(timings.qrTimeoutMs !== null && { qrTimeout: timings.qrTimeoutMs }),
    syncFullHistory: false,
    /* the first history carries the account's LID mappings and names; the rest is chats that nobody asked for */
    shouldSyncHistoryMessage: ({ syncType }: proto.Message.IHistorySyncNotification) =>
      syncType === HistorySyncType.INITIAL_BOOTSTRAP || syncType === HistorySyncType.PUSH_NAME,
    markOnlineOnConnect: false,
    /* nothing is taken from its message events */
    emitOwnEvents: false,
    generateHighQualityLinkPreview: false,
  };
}

const { HistorySyncType } = proto.HistorySync;

/** Below everything that Baileys and the frame gate do, so that what they held back is checked when it really goes. */
function guardWrites(raw: WebSocket, lease: Lease, onRefusal: () => void): void {
  const write = raw.send.bind(raw) as (...args: unknown[]) => void;
  raw.send = ((...args: unknown[]) => {
    const standing = lease.standing();
    if (standing === 'mine') return write(...args);
    if (standing === 'over') onRefusal();
    const callback = args.at(-1);
    if (typeof callback === 'function') callback(new CastellanError('CONNECTION_CLOSED'));
  }) as WebSocket['send'];
}
