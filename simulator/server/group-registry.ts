import type { BinaryNode } from '@whiskeysockets/baileys';
import { type Account, accountJid, type Directory, type JidMode } from './directory.ts';
import type { SeededRandom } from './random.ts';
import { attributes, node } from './stanzas.ts';

export type GroupRole = 'superadmin' | 'admin' | 'member';

export interface GroupDescription {
  id: string;
  text: string;
  by: string;
  at: number;
}

const now = (): number => Math.floor(Date.now() / 1000);

export class Group {
  readonly jid: string;
  readonly mode: JidMode;
  readonly createdAt = now();
  readonly creator: string;
  subject: string;
  subjectBy: string;
  subjectAt = now();
  description?: GroupDescription;
  /** only admins post */
  announcement = false;
  /** only admins change the group's data */
  locked = false;
  ephemeralSeconds = 0;
  memberAddMode: 'admin_add' | 'all_member_add' = 'all_member_add';
  joinApproval = false;
  inviteCode: string;
  private readonly roles = new Map<string, GroupRole>();

  constructor(jid: string, mode: JidMode, creator: string, subject: string, inviteCode: string) {
    this.jid = jid;
    this.mode = mode;
    this.creator = creator;
    this.subject = subject;
    this.subjectBy = creator;
    this.inviteCode = inviteCode;
    this.roles.set(creator, 'superadmin');
  }

  members(): string[] {
    return [...this.roles.keys()];
  }

  roleOf(pn: string): GroupRole | undefined {
    return this.roles.get(pn);
  }

  isAdmin(pn: string): boolean {
    const role = this.roles.get(pn);
    return role === 'admin' || role === 'superadmin';
  }

  mayPost(pn: string): boolean {
    return this.roles.has(pn) && (!this.announcement || this.isAdmin(pn));
  }

  setRole(pn: string, role: GroupRole): void {
    this.roles.set(pn, role);
  }

  remove(pn: string): void {
    this.roles.delete(pn);
  }

  /** `<group>` as metadata queries and `create` answer it. */
  toNode(directory: Directory): BinaryNode {
    const creator = directory.account(this.creator);
    const subjectOwner = directory.account(this.subjectBy);
    const attrs = attributes({
      id: this.jid.split('@')[0],
      subject: this.subject,
      s_t: String(this.subjectAt),
      s_o: subjectOwner && accountJid(subjectOwner, this.mode),
      s_o_pn: this.mode === 'lid' && subjectOwner ? accountJid(subjectOwner, 'pn') : undefined,
      creation: String(this.createdAt),
      creator: creator && accountJid(creator, this.mode),
      creator_pn: this.mode === 'lid' && creator ? accountJid(creator, 'pn') : undefined,
      size: String(this.roles.size),
      addressing_mode: this.mode,
    });
    return node('group', attrs, [...this.settingNodes(directory), ...this.participantNodes(directory)]);
  }

  participantNode(account: Account): BinaryNode {
    const role = this.roles.get(account.pn);
    const other = accountJid(account, this.mode === 'lid' ? 'pn' : 'lid');
    return node(
      'participant',
      attributes({
        jid: accountJid(account, this.mode),
        ...(this.mode === 'lid' ? { phone_number: other } : { lid: other }),
        type: role && role !== 'member' ? role : undefined,
      }),
    );
  }

  private participantNodes(directory: Directory): BinaryNode[] {
    return this.members().flatMap((pn) => {
      const account = directory.account(pn);
      return account ? [this.participantNode(account)] : [];
    });
  }

  private settingNodes(directory: Directory): BinaryNode[] {
    const nodes = [node('member_add_mode', {}, this.memberAddMode)];
    if (this.description) {
      const { id, text, by, at } = this.description;
      const author = directory.account(by);
      const participant = author && accountJid(author, this.mode);
      nodes.push(
        node('description', attributes({ id, participant, t: String(at) }), [node('body', {}, Buffer.from(text))]),
      );
    }
    if (this.announcement) nodes.push(node('announcement'));
    if (this.locked) nodes.push(node('locked'));
    if (this.ephemeralSeconds) nodes.push(node('ephemeral', { expiration: String(this.ephemeralSeconds) }));
    if (this.joinApproval) nodes.push(node('membership_approval_mode', {}, [node('group_join', { state: 'on' })]));
    return nodes;
  }
}

export class GroupRegistry {
  private readonly groups = new Map<string, Group>();
  private readonly random: SeededRandom;
  private readonly mode: JidMode;
  private created = 0;
  private codes = 0;

  /** @param mode how new groups address their members */
  constructor(random: SeededRandom, mode: JidMode) {
    this.random = random;
    this.mode = mode;
  }

  create(creator: string, subject: string): Group {
    const number = this.random.bytes(`group ${this.created++}`, 6).readUIntBE(0, 6);
    const jid = `1203630${String(number % 1e11).padStart(11, '0')}@g.us`;
    const group = new Group(jid, this.mode, creator, subject, this.newInviteCode());
    this.groups.set(jid, group);
    return group;
  }

  get(jid: string): Group | undefined {
    return this.groups.get(jid);
  }

  byInvite(code: string): Group | undefined {
    return [...this.groups.values()].find(({ inviteCode }) => inviteCode === code);
  }

  of(pn: string): Group[] {
    return [...this.groups.values()].filter((group) => group.roleOf(pn) !== undefined);
  }

  all(): Group[] {
    return [...this.groups.values()];
  }

  newInviteCode(): string {
    return this.random.bytes(`invite ${this.codes++}`, 16).toString('base64url');
  }
}
