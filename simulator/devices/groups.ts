import type { BinaryNode } from '@whiskeysockets/baileys';
import type { DeviceCore } from './device-core.ts';
import type { Group } from './directory.ts';
import { toJid } from './jids.ts';
import { child, node } from './nodes.ts';

export type ParticipantChange = 'add' | 'remove' | 'promote' | 'demote';

/** What a person does with groups, apart from writing into them. */
export class Groups {
  private readonly core: DeviceCore;

  constructor(core: DeviceCore) {
    this.core = core;
  }

  /** @param participants phone numbers or JIDs; returns the group's JID */
  async create(subject: string, participants: readonly string[]): Promise<string> {
    const members = await this.participantNodes(participants);
    const answer = await this.change('@g.us', node('create', { subject, key: this.core.newMessageId() }, members));
    const id = child(answer, 'group')?.attrs.id;
    if (!id) throw new Error('The server made no group');
    return id.includes('@') ? id : `${id}@g.us`;
  }

  metadata(group: string): Promise<Group> {
    return this.core.directory.group(group);
  }

  async participants(group: string, change: ParticipantChange, accounts: readonly string[]): Promise<void> {
    await this.change(group, node(change, {}, await this.participantNodes(accounts)));
    this.changed(group, change === 'remove');
  }

  async subject(group: string, subject: string): Promise<void> {
    await this.change(group, node('subject', {}, Buffer.from(subject)));
    this.changed(group, false);
  }

  async leave(group: string): Promise<void> {
    await this.change('@g.us', node('leave', {}, [node('group', { id: group })]));
    this.changed(group, true);
  }

  private async participantNodes(accounts: readonly string[]): Promise<BinaryNode[]> {
    const jids = await Promise.all(accounts.map((account) => this.core.directory.canonical(toJid(account))));
    return jids.map((jid) => node('participant', { jid }));
  }

  private change(to: string, content: BinaryNode): Promise<BinaryNode> {
    return this.core.query({ type: 'set', xmlns: 'w:g2', to }, [content]);
  }

  /** The server tells everybody else; who changes a group knows it from the answer. */
  private changed(group: string, somebodyLeft: boolean): void {
    this.core.directory.forgetGroup(group);
    if (somebodyLeft) this.core.senderKeys.rotate(group);
  }
}
