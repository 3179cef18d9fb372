import type { BinaryNode } from '@whiskeysockets/baileys';
import { deviceJid, isLid, isPn, lidJid, parseJid, pnJid, serverJid, userJid } from './jids.ts';
import { child, children, node } from './nodes.ts';

/** Asks the server; the answer is an iq of type result. */
export type Query = (attrs: Record<string, string>, content: BinaryNode[]) => Promise<BinaryNode>;

export interface Group {
  id: string;
  addressingMode: 'lid' | 'pn';
  subject: string;
  /** account JIDs in the group's addressing mode */
  participants: string[];
}

/**
 * What a device knows of other people: which LID belongs to which phone number, who has which devices, who is in which
 * group. Filled by queries and by what stanzas carry, kept until the server says that it changed.
 */
export class Directory {
  private readonly lidByPn = new Map<string, string>();
  private readonly pnByLid = new Map<string, string>();
  private readonly deviceNumbers = new Map<string, number[]>();
  private readonly groups = new Map<string, Group>();
  private readonly query: Query;

  constructor(query: Query) {
    this.query = query;
  }

  /** Learns that two account JIDs, one in each addressing, are the same account. Anything else is ignored. */
  learn(one: string | undefined, other: string | undefined): void {
    if (!one || !other) return;
    const lid = [one, other].find(isLid);
    const pn = [one, other].find(isPn);
    if (!lid || !pn) return;
    this.lidByPn.set(parseJid(pn).user, parseJid(lid).user);
    this.pnByLid.set(parseJid(lid).user, parseJid(pn).user);
  }

  /** The LID form of a JID (device kept), asked from the server where it is not known; a JID without a LID stays. */
  async canonical(jid: string): Promise<string> {
    if (!isPn(jid)) return jid;
    const { user, device } = parseJid(jid);
    if (!this.lidByPn.has(user)) await this.ask([userJid(jid)]);
    const lid = this.lidByPn.get(user);
    return lid ? lidJid(lid, device) : jid;
  }

  /** The phone-number form of an account JID, if it is known. */
  phoneNumberOf(jid: string): string | undefined {
    const pn = this.pnByLid.get(parseJid(jid).user);
    return pn && pnJid(pn);
  }

  /** JIDs of all devices of these accounts, in the addressing in which they were asked for. */
  async devicesOf(accounts: readonly string[]): Promise<string[]> {
    const unknown = accounts.filter((account) => !this.deviceNumbers.has(account));
    if (unknown.length > 0) await this.ask(unknown);
    return accounts.flatMap((account) =>
      (this.deviceNumbers.get(account) ?? []).map((device) => deviceJid(account, device)),
    );
  }

  forgetDevicesOf(account: string): void {
    const { user } = parseJid(account);
    for (const name of [user, this.lidByPn.get(user), this.pnByLid.get(user)]) {
      if (!name) continue;
      this.deviceNumbers.delete(lidJid(name));
      this.deviceNumbers.delete(pnJid(name));
    }
  }

  async group(id: string): Promise<Group> {
    const known = this.groups.get(id);
    if (known) return known;
    const answer = await this.query({ type: 'get', xmlns: 'w:g2', to: id }, [
      node('query', { request: 'interactive' }),
    ]);
    const group = this.readGroup(id, child(answer, 'group'));
    this.groups.set(id, group);
    return group;
  }

  forgetGroup(id: string): void {
    this.groups.delete(id);
  }

  private readGroup(id: string, found: BinaryNode | undefined): Group {
    if (!found) throw new Error(`The server knows no group ${id}`);
    const participants = children(found, 'participant').map(({ attrs }) => {
      this.learn(attrs.jid, attrs.phone_number ?? attrs.lid);
      return attrs.jid ?? '';
    });
    const addressingMode = found.attrs.addressing_mode === 'pn' ? 'pn' : 'lid';
    return { id, addressingMode, subject: found.attrs.subject ?? '', participants };
  }

  private async ask(accounts: readonly string[]): Promise<void> {
    const usync = node('usync', { context: 'message', mode: 'query', sid: `${Date.now()}`, last: 'true', index: '0' }, [
      node('query', {}, [node('devices', { version: '2' }), node('lid')]),
      node(
        'list',
        {},
        accounts.map((jid) => node('user', { jid })),
      ),
    ]);
    const answer = await this.query({ type: 'get', xmlns: 'usync', to: serverJid }, [usync]);
    for (const user of children(child(child(answer, 'usync'), 'list'), 'user')) this.remember(user);
  }

  private remember(user: BinaryNode): void {
    const jid = user.attrs.jid;
    if (!jid) return;
    this.learn(jid, child(user, 'lid')?.attrs.val);
    const list = child(child(user, 'devices'), 'device-list');
    if (list)
      this.deviceNumbers.set(
        userJid(jid),
        children(list, 'device').map(({ attrs }) => Number(attrs.id)),
      );
  }
}
