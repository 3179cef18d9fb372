import type { BinaryNode } from '@whiskeysockets/baileys';
import type { DeviceAddress } from '../ports.ts';
import { child, children, node, serverStamp } from './stanzas.ts';

/*
 * What is under way to one device. A stanza that the protocol acknowledges stays here until the device acknowledged it,
 * so whatever a broken socket swallowed comes again, in order and marked `offline`, after the next login:
 *   <ib><offline_preview/></ib>, the stanzas (on `offline_batch`, or unasked a moment later), <ib><offline/></ib>
 * What is sent meanwhile queues behind. A virtual device's transport is a function call, which loses nothing.
 */

/** Some clients never ask for a batch; real servers push then. */
const unaskedPushMs = 100;
const pushBatch = 100;

export interface MailTransport {
  send(stanza: BinaryNode): void;
  /** whether everything sent has arrived, so that nothing needs to be kept */
  readonly lossless: boolean;
}

/** Decides how a stanza really goes out (faults); undefined = as usual. */
export type DeliveryShaper = (address: DeviceAddress, stanza: BinaryNode) => DeliveryPlan | undefined;

export interface DeliveryPlan {
  copies: number;
  delayMs: number;
  /** keep it back until the next stanza of its tag went out */
  swapWithNext: boolean;
}

const longestHoldMs = 1_000;

type Phase = 'offline' | 'passive' | 'flushing' | 'live';

export class Mailbox {
  readonly address: DeviceAddress;
  private readonly shape: DeliveryShaper;
  private readonly pending = new Map<number, BinaryNode>();
  private readonly pendingByName = new Map<string, Set<number>>();
  private nextSequence = 1;
  private transport?: MailTransport;
  private phase: Phase = 'offline';
  private held: BinaryNode[] = [];
  private pushNow?: () => void;

  constructor(address: DeviceAddress, shape: DeliveryShaper) {
    this.address = address;
    this.shape = shape;
  }

  get isLive(): boolean {
    return this.phase === 'live';
  }

  get pendingCount(): number {
    return this.pending.size;
  }

  /** A socket logged in: nothing is delivered before it says that it is active. */
  connect(transport: MailTransport): void {
    this.transport = transport;
    this.phase = 'passive';
    this.held = [];
  }

  /** Only the transport that is still in charge may disconnect. */
  disconnect(transport?: MailTransport): boolean {
    if (transport && this.transport !== transport) return false;
    delete this.transport;
    delete this.pushNow;
    this.phase = 'offline';
    return true;
  }

  /** Delivers now or keeps it for the next login. */
  deliver(stanza: BinaryNode): void {
    if (this.phase === 'live' && this.transport?.lossless) {
      this.emit(stanza);
      return;
    }
    this.keep(stanza);
    if (this.phase === 'live') this.emit(stanza);
  }

  /** Presence, typing, acks: worth something now or never. */
  deliverIfLive(stanza: BinaryNode): void {
    if (this.phase === 'live') this.transport?.send(stanza);
  }

  /** To a logged-in device even before it is active (answers). */
  answer(stanza: BinaryNode): void {
    this.transport?.send(stanza);
  }

  /**
   * Pushes what waited.
   * @param mayFinish false keeps the flush open for ever (a fault)
   */
  flush(onDone: () => void, mayFinish: boolean): void {
    if (this.phase !== 'passive' || !this.transport) return;
    this.phase = 'flushing';
    const transport = this.transport;
    const finish = (count: number): void => {
      if (!mayFinish) return;
      this.phase = 'live';
      transport.send(node('ib', { from: serverStamp }, [node('offline', { count: String(count) })]));
      onDone();
    };
    if (this.pending.size === 0) {
      finish(0);
      return;
    }
    transport.send(node('ib', { from: serverStamp }, [this.preview()]));
    let started = false;
    const start = (): void => {
      if (started || this.transport !== transport) return;
      started = true;
      this.pushFrom(0, 0, transport, finish);
    };
    this.pushNow = start;
    setTimeout(start, unaskedPushMs).unref();
  }

  /** The client asked for the next batch. */
  batchAsked(): void {
    this.pushNow?.();
  }

  /** A virtual device attached: what waited is delivered now. */
  attach(transport: MailTransport): void {
    this.transport = transport;
    this.phase = 'live';
    const waiting = [...this.pending.values()];
    this.pending.clear();
    this.pendingByName.clear();
    for (const stanza of waiting) this.emit(asOffline(stanza));
  }

  /** `<ack>` of the device: one stanza less to keep. */
  acknowledged(ack: BinaryNode): void {
    const { id, class: tag, to, participant, type } = ack.attrs;
    const candidates = this.pendingByName.get(`${tag} ${id}`);
    if (!candidates) return;
    const exact = [...candidates].find((sequence) => {
      const attrs = this.pending.get(sequence)?.attrs;
      return attrs?.from === to && attrs?.participant === participant && attrs?.type === type;
    });
    const [first] = candidates;
    const sequence = exact ?? first;
    if (sequence !== undefined) this.forget(sequence);
  }

  /** `<receipt>` of the device: the messages that it names have arrived. */
  receipted(receipt: BinaryNode): void {
    const listed = children(child(receipt, 'list'), 'item').map((item) => item.attrs.id);
    for (const id of [receipt.attrs.id, ...listed]) {
      for (const sequence of [...(this.pendingByName.get(`message ${id}`) ?? [])]) this.forget(sequence);
    }
  }

  private emit(stanza: BinaryNode): void {
    const plan = this.shape(this.address, stanza);
    if (plan?.swapWithNext) {
      this.held.push(stanza);
      setTimeout(() => this.release(stanza.tag), longestHoldMs).unref();
      return;
    }
    const send = (): void => {
      for (let copy = 0; copy < (plan?.copies ?? 1); copy++) this.transport?.send(stanza);
      this.release(stanza.tag);
    };
    if (plan?.delayMs) setTimeout(send, plan.delayMs).unref();
    else send();
  }

  private release(tag: string): void {
    const due = this.held.filter((stanza) => stanza.tag === tag);
    if (due.length === 0) return;
    this.held = this.held.filter((stanza) => stanza.tag !== tag);
    for (const stanza of due) this.transport?.send(stanza);
  }

  private pushFrom(cursor: number, sent: number, transport: MailTransport, finish: (count: number) => void): void {
    if (this.transport !== transport) return;
    const batch = [...this.pending].filter(([sequence]) => sequence > cursor).slice(0, pushBatch);
    const last = batch.at(-1);
    if (!last) {
      finish(sent);
      return;
    }
    for (const [, stanza] of batch) this.emit(asOffline(stanza));
    setImmediate(() => this.pushFrom(last[0], sent + batch.length, transport, finish));
  }

  private preview(): BinaryNode {
    const count = (tag: string): string =>
      String([...this.pending.values()].filter((stanza) => stanza.tag === tag).length);
    return node('offline_preview', {
      count: String(this.pending.size),
      message: count('message'),
      notification: count('notification'),
      receipt: count('receipt'),
      call: count('call'),
      appdata: '0',
    });
  }

  private keep(stanza: BinaryNode): void {
    const sequence = this.nextSequence++;
    const name = `${stanza.tag} ${stanza.attrs.id}`;
    this.pending.set(sequence, stanza);
    const named = this.pendingByName.get(name) ?? new Set();
    this.pendingByName.set(name, named.add(sequence));
  }

  private forget(sequence: number): void {
    const stanza = this.pending.get(sequence);
    if (!stanza) return;
    this.pending.delete(sequence);
    const name = `${stanza.tag} ${stanza.attrs.id}`;
    const named = this.pendingByName.get(name);
    named?.delete(sequence);
    if (named?.size === 0) this.pendingByName.delete(name);
  }
}

const asOffline = (stanza: BinaryNode): BinaryNode => ({ ...stanza, attrs: { ...stanza.attrs, offline: '0' } });
