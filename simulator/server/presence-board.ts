import type { DeviceAddress } from '../ports.ts';
import { type Account, accountJid, deviceKey, type JidMode } from './directory.ts';
import type { PostOffice } from './post-office.ts';
import { node } from './stanzas.ts';

interface AccountPresence {
  /** devices that said `available` */
  available: Set<string>;
  lastSeen?: number;
  subscribers: Map<string, { address: DeviceAddress; mode: JidMode }>;
}

/** Who is online, and who asked to be told. */
export class PresenceBoard {
  private readonly accounts = new Map<string, AccountPresence>();
  private readonly post: PostOffice;

  constructor(post: PostOffice) {
    this.post = post;
  }

  set(account: Account, device: DeviceAddress, available: boolean): void {
    const presence = this.of(account);
    const wasOnline = presence.available.size > 0;
    if (available) presence.available.add(deviceKey(device));
    else presence.available.delete(deviceKey(device));
    const isOnline = presence.available.size > 0;
    if (wasOnline === isOnline) return;
    if (!isOnline) presence.lastSeen = Math.floor(Date.now() / 1000);
    for (const { address, mode } of presence.subscribers.values()) this.tell(account, address, mode);
  }

  subscribe(watched: Account, by: DeviceAddress, mode: JidMode): void {
    this.of(watched).subscribers.set(deviceKey(by), { address: by, mode });
    this.tell(watched, by, mode);
  }

  /** A device went away: it is not online any more and its subscriptions end. */
  left(account: Account, device: DeviceAddress): void {
    this.set(account, device, false);
    for (const { subscribers } of this.accounts.values()) subscribers.delete(deviceKey(device));
  }

  private tell(account: Account, to: DeviceAddress, mode: JidMode): void {
    const { available, lastSeen } = this.of(account);
    const from = accountJid(account, mode);
    const offline = { from, type: 'unavailable', last: lastSeen === undefined ? 'deny' : String(lastSeen) };
    this.post.deliverIfLive(to, node('presence', available.size > 0 ? { from } : offline));
  }

  private of({ pn }: Account): AccountPresence {
    const known = this.accounts.get(pn);
    if (known) return known;
    const presence: AccountPresence = { available: new Set(), subscribers: new Map() };
    this.accounts.set(pn, presence);
    return presence;
  }
}
