import {
  type BinaryNode,
  Curve,
  encodeBinaryNode,
  type KeyPair,
  makeNoiseHandler,
  NOISE_WA_HEADER,
  proto,
} from '@whiskeysockets/baileys';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { eventually } from './eventually.ts';

/** Speaks the protocol by hand, to do what Baileys never does. */
export class RawClient {
  readonly received: BinaryNode[] = [];
  closed = false;
  private readonly webSocket: WebSocket;
  private readonly noise: ReturnType<typeof makeNoiseHandler>;
  private readonly ephemeral = Curve.generateKeyPair();
  private handshake?: (message: proto.HandshakeMessage) => void;

  constructor(url: string) {
    this.noise = makeNoiseHandler({
      keyPair: this.ephemeral,
      NOISE_HEADER: NOISE_WA_HEADER,
      logger: pino({ level: 'silent' }) as unknown as Parameters<typeof makeNoiseHandler>[0]['logger'],
    });
    this.webSocket = new WebSocket(url);
    this.webSocket.on('error', () => undefined);
    this.webSocket.on('close', () => {
      this.closed = true;
    });
    this.webSocket.on('message', (data: Buffer) => void this.noise.decodeFrame(data, (frame) => this.onFrame(frame)));
  }

  /** Shakes hands and sends the payload; returns the server's certificate chain as it was checked. */
  async login(noiseKey: KeyPair, payload: proto.IClientPayload): Promise<void> {
    await this.opened();
    const hello = proto.HandshakeMessage.encode({ clientHello: { ephemeral: this.ephemeral.public } }).finish();
    const answered = new Promise<proto.HandshakeMessage>((resolve) => {
      this.handshake = resolve;
    });
    this.webSocket.send(this.noise.encodeFrame(hello));
    const keyEnc = this.noise.processHandshake(await answered, noiseKey);
    const encrypted = this.noise.encrypt(proto.ClientPayload.encode(payload).finish());
    const finish = proto.HandshakeMessage.encode({ clientFinish: { static: keyEnc, payload: encrypted } }).finish();
    this.webSocket.send(this.noise.encodeFrame(finish));
    await this.noise.finishInit();
  }

  opened(): Promise<void> {
    return eventually(() => {
      if (this.webSocket.readyState !== WebSocket.OPEN) throw new Error('The WebSocket is not open');
    });
  }

  frameOf(stanza: BinaryNode): Buffer {
    return this.noise.encodeFrame(encodeBinaryNode(stanza)) as Buffer;
  }

  sendBytes(bytes: Uint8Array): void {
    this.webSocket.send(bytes);
  }

  send(stanza: BinaryNode): void {
    this.sendBytes(this.frameOf(stanza));
  }

  waitFor(predicate: (stanza: BinaryNode) => boolean): Promise<BinaryNode> {
    return eventually(() => {
      const found = this.received.find(predicate);
      if (!found) throw new Error(`Not received; there were ${this.received.map(({ tag }) => tag)}`);
      return found;
    });
  }

  /** As a stopped process: the socket stays open, nothing is read or answered. */
  stop(): void {
    this.webSocket.pause();
  }

  close(): void {
    this.webSocket.terminate();
  }

  private onFrame(frame: Uint8Array | BinaryNode): void {
    if (frame instanceof Uint8Array) this.handshake?.(proto.HandshakeMessage.decode(frame));
    else this.received.push(frame);
  }
}
