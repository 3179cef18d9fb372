import type { Socket } from 'node:net';
import { type BinaryNode, decodeBinaryNode, encodeBinaryNode } from '@whiskeysockets/baileys';
import type { WebSocket } from 'ws';
import { FrameReader, frame, readConnectionHeader } from './frames.ts';
import type { NoiseIdentity } from './noise-certificate.ts';
import { type ClientFinish, NoiseResponder, type NoiseTransport } from './noise-responder.ts';

export interface ConnectionObserver {
  /** The handshake is done: the client says who it is. */
  onHello(connection: ClientConnection, finish: ClientFinish): void;
  onStanza(connection: ClientConnection, stanza: BinaryNode): void;
  onSent(connection: ClientConnection, stanza: BinaryNode): void;
  /** The client answered `probe`: its process runs and its socket is open. */
  onProbeAnswered(connection: ClientConnection): void;
  onClosed(connection: ClientConnection, why: string): void;
}

/** How long a client has to answer a close before the socket is cut. */
const closeGraceMs = 1_000;

/** One client's WebSocket: handshake first, then encrypted stanzas both ways, in order. */
export class ClientConnection {
  readonly id: number;
  readonly remote: string;
  private readonly webSocket: WebSocket;
  private readonly tcp: Socket;
  private readonly identity: NoiseIdentity;
  private readonly observer: ConnectionObserver;
  private readonly frames = new FrameReader();
  private unparsedHeader: Buffer = Buffer.alloc(0);
  private responder?: NoiseResponder;
  private saidHello = false;
  private transport?: NoiseTransport;
  private inbox: Promise<void> = Promise.resolve();
  private whyClosed?: string;
  private closed = false;
  /** neither reads nor writes, but the TCP connection stays */
  private frozen = false;

  constructor(
    id: number,
    webSocket: WebSocket,
    tcp: Socket,
    identity: NoiseIdentity,
    observer: ConnectionObserver,
    options: { silent?: boolean } = {},
  ) {
    this.id = id;
    this.webSocket = webSocket;
    this.tcp = tcp;
    this.identity = identity;
    this.observer = observer;
    this.remote = `${tcp.remoteAddress ?? '?'}:${tcp.remotePort ?? 0}`;
    webSocket.on('message', (data: Buffer) => {
      if (!options.silent) this.receive(data);
    });
    webSocket.on('pong', () => observer.onProbeAnswered(this));
    webSocket.on('error', (error) => this.abort(`socket error: ${error.message}`));
    webSocket.on('close', (code) => this.finish(`client closed (${code})`));
  }

  get isOpen(): boolean {
    return !this.closed && this.webSocket.readyState === this.webSocket.OPEN && this.whyClosed === undefined;
  }

  /** Whether what the client said counts: also when it closed right after saying it. */
  get isHeard(): boolean {
    return this.whyClosed === undefined && !this.frozen;
  }

  send(stanza: BinaryNode): void {
    if (!this.transport || this.frozen || !this.isOpen) return;
    this.webSocket.send(frame(this.transport.encrypt(encodeBinaryNode(stanza))));
    this.observer.onSent(this, stanza);
  }

  /** Asks whether anybody is still there; a stopped process does not answer. */
  probe(): void {
    if (this.isOpen && !this.frozen) this.webSocket.ping();
  }

  /** Ends the stream as the server does: a last stanza, if any, then the WebSocket's close. */
  end(why: string, lastStanza?: BinaryNode): void {
    if (lastStanza) this.send(lastStanza);
    if (!this.isOpen) return;
    this.whyClosed = why;
    this.webSocket.close();
    setTimeout(() => this.webSocket.terminate(), closeGraceMs).unref();
  }

  /** Cuts the TCP connection (RST): the client sees an abnormal closure. */
  abort(why: string): void {
    this.whyClosed ??= why;
    this.tcp.resetAndDestroy();
  }

  /** Leaves the TCP connection open but neither reads nor writes from now on. */
  freeze(): void {
    this.frozen = true;
    this.webSocket.pause();
  }

  private receive(data: Buffer): void {
    if (this.frozen || this.closed) return;
    try {
      for (const bytes of this.frames.push(this.withoutHeader(data))) this.handleFrame(bytes);
    } catch (error) {
      this.abort(`protocol error: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private withoutHeader(data: Buffer): Buffer {
    if (this.responder) return data;
    this.unparsedHeader = Buffer.concat([this.unparsedHeader, data]);
    const header = readConnectionHeader(this.unparsedHeader);
    if (!header) return Buffer.alloc(0);
    this.responder = new NoiseResponder(this.identity, header.prologue);
    return header.rest;
  }

  private handleFrame(bytes: Buffer): void {
    if (this.transport) {
      this.handleStanza(this.transport.decrypt(bytes));
      return;
    }
    if (!this.responder) return;
    if (!this.saidHello) {
      this.saidHello = true;
      this.webSocket.send(frame(this.responder.answerHello(bytes)));
      return;
    }
    const finish = this.responder.readFinish(bytes);
    this.transport = this.responder.split();
    this.observer.onHello(this, finish);
  }

  /** Decoding may inflate asynchronously; the chain keeps the order of the wire. */
  private handleStanza(plaintext: Buffer): void {
    const decoded = decodeBinaryNode(plaintext);
    this.inbox = this.inbox.then(async () => {
      try {
        const stanza = await decoded;
        this.observer.onStanza(this, stanza);
      } catch (error) {
        this.abort(`protocol error: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
    decoded.catch(() => {}); // reported by the chain above
  }

  private finish(why: string): void {
    if (this.closed) return;
    this.closed = true;
    this.observer.onClosed(this, this.whyClosed ?? why);
  }
}
