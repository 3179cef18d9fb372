import type { proto } from '@whiskeysockets/baileys';

/** One message as one device of a contact decrypted it. */
export interface InboxEntry {
  id: string;
  /** account JID of the author, canonical (LID where there is one) */
  from: string;
  /** author's phone number as a JID, where it is known */
  fromPn?: string;
  /** number of the author's device */
  fromDevice: number;
  /** whether this account wrote it on another device */
  fromMe: boolean;
  /** account or group JID */
  chat: string;
  /** chat and author as the stanza named them, which is how receipts name them */
  wire: { chat: string; participant?: string };
  text?: string;
  type: string;
  /** `performance.now()` at the first decryption */
  timestampMonotonic: number;
  /** number of the device that decrypted it */
  device: number;
  /** how often it arrived: 1, and one more for every redelivery */
  count: number;
  message: proto.IMessage;
}

interface Waiter<Item> {
  predicate: (item: Item) => boolean;
  resolve: (item: Item) => void;
  reject: (error: Error) => void;
}

const itemsKept = 20_000;

/** A log that can be read and awaited. Only the newest items are kept, so that long load tests do not fill the memory. */
export class Log<Item> {
  private readonly items: Item[] = [];
  private readonly waiters = new Set<Waiter<Item>>();
  private readonly name: string;

  /** @param name what a timeout says it waited for */
  constructor(name: string) {
    this.name = name;
  }

  get all(): readonly Item[] {
    return this.items;
  }

  add(item: Item): void {
    this.items.push(item);
    // half of them at once: dropping one by one would copy the log for every item
    if (this.items.length > itemsKept) this.items.splice(0, itemsKept / 2).forEach(this.dropped, this);
    for (const waiter of this.waiters) {
      if (!waiter.predicate(item)) continue;
      this.waiters.delete(waiter);
      waiter.resolve(item);
    }
  }

  clear(): void {
    this.items.length = 0;
  }

  /** Ends what waits. */
  close(): void {
    for (const { reject } of this.waiters) reject(new Error(`${this.name}: closed`));
    this.waiters.clear();
  }

  /** Resolves with the first item, past or future, that fits; rejects after `timeoutMs`. */
  waitFor(predicate: (item: Item) => boolean, timeoutMs = 10_000): Promise<Item> {
    const known = this.items.find(predicate);
    if (known) return Promise.resolve(known);
    const { promise, resolve, reject } = Promise.withResolvers<Item>();
    const waiter = { predicate, resolve, reject };
    const timer = setTimeout(() => {
      this.waiters.delete(waiter);
      reject(new Error(`${this.name}: nothing fitting within ${timeoutMs} ms (${this.items.length} seen)`));
    }, timeoutMs);
    this.waiters.add(waiter);
    return promise.finally(() => clearTimeout(timer));
  }

  protected dropped(_item: Item): void {}
}

/** Every message that the devices of one account decrypted. */
export class Inbox extends Log<InboxEntry> {
  private readonly byName = new Map<string, InboxEntry>();
  /** outlives `clear`: a redelivery stays a redelivery */
  private readonly seen = new Set<string>();

  /** The entry of this message on this device. */
  find(device: number, from: string, id: string): InboxEntry | undefined {
    return this.byName.get(`${device}|${from}|${id}`);
  }

  hasSeen(device: number, from: string, id: string): boolean {
    return this.seen.has(`${device}|${from}|${id}`);
  }

  byId(id: string): InboxEntry[] {
    return this.all.filter((entry) => entry.id === id);
  }

  override add(entry: InboxEntry): void {
    const name = `${entry.device}|${entry.from}|${entry.id}`;
    this.byName.set(name, entry);
    this.seen.add(name);
    super.add(entry);
  }

  override clear(): void {
    this.byName.clear();
    super.clear();
  }

  protected override dropped({ device, from, id }: InboxEntry): void {
    this.byName.delete(`${device}|${from}|${id}`);
  }
}
