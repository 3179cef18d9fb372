import type { DecryptReport, DeviceAddress } from '../ports.ts';

export interface ReceiptRecord {
  by: DeviceAddress;
  /** delivered, read, played, inactive, sender, retry, ... */
  type: string;
  at: number;
}

export interface MessageRecord {
  id: string;
  from: DeviceAddress;
  to: string;
  /** how often a device submitted this id to the server, resends to a single device not counted */
  submitted: number;
  /** resends to one device, answers to retry receipts */
  resent: number;
  acked: number;
  nacked: number;
  firstAt: number;
  lastAt: number;
  /** stanzas put on the way, by `pn:device` */
  deliveries: Record<string, number>;
  /** what virtual devices reported, by `pn:device` */
  decrypted: Record<string, number>;
  receipts: ReceiptRecord[];
}

export interface DecryptFailure {
  /** who could not read it */
  by: DeviceAddress;
  from: string;
  messageId: string;
  /** `reported` by a virtual device, or a `retry` receipt of any device */
  source: 'reported' | 'retry';
  error?: string;
  at: number;
}

const nameOf = ({ pn, device }: DeviceAddress): string => `${pn}:${device}`;

const bump = (counts: Record<string, number>, name: string): void => {
  counts[name] = (counts[name] ?? 0) + 1;
};

const keptFailures = 10_000;

/** Every message id, what became of it, and who could not read it. */
export class MessageLog {
  private readonly records = new Map<string, MessageRecord>();
  private readonly orderByChat = new Map<string, string[]>();
  private readonly readingOrder = new Map<string, string[]>();
  private readonly failures: DecryptFailure[] = [];
  private readonly totals = { submitted: 0, delivered: 0, decrypted: 0, duplicates: 0, failures: 0, retries: 0 };
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  /** @param isResend to one device only; a full fan-out that answers a retry receipt counts as a resend too */
  submitted(from: DeviceAddress, id: string, to: string, isResend: boolean): void {
    const at = this.now();
    const record = this.records.get(id) ?? this.add(from, id, to, at);
    record.lastAt = at;
    const retries = record.receipts.filter(({ type }) => type === 'retry').length;
    if (isResend || retries > record.resent) {
      record.resent++;
      return;
    }
    record.submitted++;
    this.totals.submitted++;
  }

  answered(id: string, error: string | undefined): void {
    const record = this.records.get(id);
    if (!record) return;
    if (error === undefined) record.acked++;
    else record.nacked++;
  }

  delivered(to: DeviceAddress, id: string): void {
    this.totals.delivered++;
    const record = this.records.get(id);
    if (record) bump(record.deliveries, nameOf(to));
  }

  receipt(by: DeviceAddress, ids: string[], type: string): void {
    const at = this.now();
    for (const id of ids) this.records.get(id)?.receipts.push({ by, type, at });
  }

  retry(by: DeviceAddress, messageId: string, from: string, error: string | undefined): void {
    this.totals.retries++;
    this.fail({ by, from, messageId, source: 'retry', ...(error !== undefined && { error }), at: this.now() });
  }

  report({ device, from, stanzaId, outcome, error }: DecryptReport): void {
    if (outcome === 'duplicate') this.totals.duplicates++;
    if (outcome === 'failed') {
      this.fail({ by: device, from, messageId: stanzaId, source: 'reported', ...(error && { error }), at: this.now() });
    }
    if (outcome !== 'decrypted') return;
    this.totals.decrypted++;
    const record = this.records.get(stanzaId);
    if (!record) return;
    const known = record.decrypted[nameOf(device)] !== undefined;
    bump(record.decrypted, nameOf(device));
    if (known) return;
    const reading = `${nameOf(device)} < ${record.from.pn}:${record.from.device} > ${record.to}`;
    const order = this.readingOrder.get(reading) ?? [];
    this.readingOrder.set(reading, order);
    order.push(stanzaId);
  }

  get(id: string): MessageRecord | undefined {
    return this.records.get(id);
  }

  list(filter: { from?: string; to?: string; since?: number } = {}): MessageRecord[] {
    return [...this.records.values()].filter(
      (record) =>
        (filter.from === undefined || record.from.pn === filter.from) &&
        (filter.to === undefined || record.to === filter.to) &&
        (filter.since === undefined || record.lastAt >= filter.since),
    );
  }

  /** Ids that were submitted more than once, with their counts. */
  repeated(): { id: string; submitted: number }[] {
    return [...this.records.values()]
      .filter(({ submitted }) => submitted > 1)
      .map(({ id, submitted }) => ({ id, submitted }));
  }

  decryptFailures(since = 0): DecryptFailure[] {
    return this.failures.filter(({ at }) => at >= since);
  }

  /** Message ids in the order in which the server accepted them from one sender (phone number) in one chat. */
  order(fromPn: string, to: string): string[] {
    return this.orderByChat.get(`${fromPn} > ${to}`) ?? [];
  }

  /** Pairs of neighbours that a reader read in another order than the sender sent them, by reader and chat. */
  inversions(): { reading: string; before: string; after: string }[] {
    const found: { reading: string; before: string; after: string }[] = [];
    for (const [reading, ids] of this.readingOrder) {
      for (let index = 1; index < ids.length; index++) {
        const before = ids[index - 1] ?? '';
        const after = ids[index] ?? '';
        if ((this.records.get(before)?.firstAt ?? 0) > (this.records.get(after)?.firstAt ?? 0)) {
          found.push({ reading, before, after });
        }
      }
    }
    return found;
  }

  counts(): Readonly<typeof this.totals> & { ids: number } {
    return { ...this.totals, ids: this.records.size };
  }

  private add(from: DeviceAddress, id: string, to: string, at: number): MessageRecord {
    const record: MessageRecord = {
      id,
      from,
      to,
      submitted: 0,
      resent: 0,
      acked: 0,
      nacked: 0,
      firstAt: at,
      lastAt: at,
      deliveries: {},
      decrypted: {},
      receipts: [],
    };
    this.records.set(id, record);
    const chat = `${from.pn} > ${to}`;
    const order = this.orderByChat.get(chat) ?? [];
    this.orderByChat.set(chat, order);
    order.push(id);
    return record;
  }

  private fail(failure: DecryptFailure): void {
    this.totals.failures++;
    this.failures.push(failure);
    if (this.failures.length > keptFailures) this.failures.shift();
  }
}
