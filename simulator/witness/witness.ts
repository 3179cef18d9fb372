import type { BinaryNode } from '@whiskeysockets/baileys';
import type { DecryptReport, DeviceAddress } from '../ports.ts';
import { MessageLog } from './messages.ts';
import { SocketLog } from './sockets.ts';

export interface StanzaRecord {
  at: number;
  direction: 'in' | 'out';
  /** undefined for a virtual device */
  socket?: number;
  device?: DeviceAddress;
  tag: string;
  type?: string;
  id?: string;
  from?: string;
  to?: string;
}

export interface StanzaQuery {
  pn?: string;
  device?: number;
  tag?: string;
  direction?: 'in' | 'out';
  since?: number;
  limit?: number;
}

/** Sees all that passes the server. Times are monotonic milliseconds since the witness began. */
export class Witness {
  readonly sockets: SocketLog;
  readonly messages: MessageLog;
  /** wall clock of time 0 */
  readonly startedAt = Date.now();
  private readonly origin = performance.now();
  private readonly ring: StanzaRecord[] = [];
  private readonly capacity: number;
  private next = 0;
  private totalStanzas = 0;

  /** @param stanzaCapacity how many of the latest stanzas are kept; 0 keeps none */
  constructor(stanzaCapacity = 20_000) {
    this.capacity = stanzaCapacity;
    this.sockets = new SocketLog(() => this.now());
    this.messages = new MessageLog(() => this.now());
  }

  now(): number {
    return performance.now() - this.origin;
  }

  stanza(direction: 'in' | 'out', stanza: BinaryNode, who: { socket?: number; device?: DeviceAddress }): void {
    this.totalStanzas++;
    if (this.capacity === 0) return;
    const { type, id, from, to } = stanza.attrs;
    const record: StanzaRecord = {
      at: this.now(),
      direction,
      ...who,
      tag: stanza.tag,
      ...(type !== undefined && { type }),
      ...(id !== undefined && { id }),
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
    };
    this.ring[this.next] = record;
    this.next = (this.next + 1) % this.capacity;
  }

  /** The latest stanzas that match, oldest first. */
  stanzas(query: StanzaQuery = {}): StanzaRecord[] {
    const ordered = [...this.ring.slice(this.next), ...this.ring.slice(0, this.next)];
    const matching = ordered.filter(
      (record) =>
        (query.pn === undefined || record.device?.pn === query.pn) &&
        (query.device === undefined || record.device?.device === query.device) &&
        (query.tag === undefined || record.tag === query.tag) &&
        (query.direction === undefined || record.direction === query.direction) &&
        (query.since === undefined || record.at >= query.since),
    );
    return query.limit === undefined ? matching : matching.slice(-query.limit);
  }

  report(report: DecryptReport): void {
    this.messages.report(report);
  }

  summary() {
    return {
      now: this.now(),
      startedAt: this.startedAt,
      stanzas: this.totalStanzas,
      sockets: { total: this.sockets.list().length, open: this.sockets.list({ open: true }).length },
      replacements: this.sockets.replacements().length,
      overlaps: this.sockets.overlaps().length,
      messages: this.messages.counts(),
      repeatedIds: this.messages.repeated().length,
      inversions: this.messages.inversions().length,
    };
  }
}
