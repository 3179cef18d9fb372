import { eventually } from '../helpers/eventually.ts';
import { SimulatedWorld } from '../helpers/simulated-world.ts';

describe('groups in the simulator', () => {
  let world: SimulatedWorld;
  let numbers = 0;

  const newContact = (devices = 1) =>
    world.simulator.devices.createContact({ pn: `1777${String(++numbers).padStart(7, '0')}`, devices });

  beforeAll(async () => {
    world = await SimulatedWorld.start({ seed: 'groups' });
  });

  afterAll(() => world.close());

  it('carries sender-key messages both ways, to all devices of all members', async () => {
    const { client } = await world.online();
    const [one, two] = [newContact(2), newContact()];
    const group = await client.sock.groupCreate('Friends', [one.pnJid, two.pnJid]);
    expect(group.participants).toHaveLength(3);
    await client.sock.sendMessage(group.id, { text: 'to all' });
    await one.waitForMessage(({ text, device }) => text === 'to all' && device === 0);
    await one.waitForMessage(({ text, device }) => text === 'to all' && device === 1);
    await two.waitForMessage(({ text }) => text === 'to all');
    await two.sendText(group.id, 'from two');
    const received = await client.waitText('from two');
    expect(received.key.remoteJid).toBe(group.id);
    await one.waitForMessage(({ text }) => text === 'from two');
    await client.sock.sendMessage(group.id, { text: 'again' });
    await two.waitForMessage(({ text }) => text === 'again');
    expect(world.simulator.witness.messages.decryptFailures()).toEqual([]);
  });

  it('resends a group message to the one device that could not read it', async () => {
    const { client, pn } = await world.online();
    const [one, two] = [newContact(), newContact()];
    const { id: group } = await client.sock.groupCreate('Retry', [one.pnJid, two.pnJid]);
    await one.spoilSessions(pn);
    await one.sendText(group, 'sealed for nobody');
    const received = await client.waitText('sealed for nobody');
    expect(received.key.remoteJid).toBe(group);
    await two.waitForMessage(({ text }) => text === 'sealed for nobody');
    expect(two.inbox.all.filter(({ text }) => text === 'sealed for nobody')).toHaveLength(1);
  });

  it('changes members, subject, description, settings and invite link, and tells the members', async () => {
    const [{ client }, other] = await Promise.all([world.online(), world.online()]);
    const contact = newContact();
    const otherJid = `${other.pn}@s.whatsapp.net`;
    const { id } = await client.sock.groupCreate('Before', [contact.pnJid]);
    const [added] = await client.sock.groupParticipantsUpdate(id, [otherJid], 'add');
    expect(added?.status).toBe('200');
    expect((await client.sock.groupParticipantsUpdate(id, ['19990000000@s.whatsapp.net'], 'add'))[0]?.status).toBe(
      '404',
    );
    await client.sock.groupParticipantsUpdate(id, [otherJid], 'promote');
    await client.sock.groupUpdateSubject(id, 'After');
    await client.sock.groupUpdateDescription(id, 'What it is about');
    await client.sock.groupUpdateDescription(id, 'What it is really about');
    await client.sock.groupSettingUpdate(id, 'announcement');
    const metadata = await other.client.sock.groupMetadata(id);
    expect(metadata).toMatchObject({ subject: 'After', desc: 'What it is really about', announce: true });
    expect(metadata.participants.find(({ phoneNumber }) => phoneNumber === otherJid)?.admin).toBe('admin');
    await eventually(() => {
      const told = other.client.received
        .filter(({ key }) => key.remoteJid === id)
        .map(({ messageStubType }) => messageStubType);
      expect(told.length).toBeGreaterThanOrEqual(4);
    });
  });

  it('lets people in by invite code until it is revoked, and lets them leave', async () => {
    const [{ client }, guest] = await Promise.all([world.online(), world.online()]);
    const { id } = await client.sock.groupCreate('Open', []);
    const code = (await client.sock.groupInviteCode(id)) ?? '';
    expect((await guest.client.sock.groupGetInviteInfo(code)).subject).toBe('Open');
    expect(await guest.client.sock.groupAcceptInvite(code)).toBe(id);
    expect(Object.keys(await guest.client.sock.groupFetchAllParticipating())).toEqual([id]);
    await guest.client.sock.groupLeave(id);
    expect(Object.keys(await guest.client.sock.groupFetchAllParticipating())).toEqual([]);
    await client.sock.groupRevokeInvite(id);
    await expect(guest.client.sock.groupAcceptInvite(code)).rejects.toThrow('item-not-found');
  });

  it('refuses what only admins and members may do', async () => {
    const [{ client }, member, stranger] = await Promise.all([world.online(), world.online(), world.online()]);
    const { id } = await client.sock.groupCreate('Closed', [`${member.pn}@s.whatsapp.net`]);
    await client.sock.groupSettingUpdate(id, 'announcement');
    await expect(member.client.sock.groupSettingUpdate(id, 'not_announcement')).rejects.toThrow('forbidden');
    await expect(stranger.client.sock.groupMetadata(id)).rejects.toThrow('forbidden');
    const sent = await member.client.sock.sendMessage(id, { text: 'not allowed' });
    expect(await member.client.waitAck(sent?.key.id ?? '')).toMatchObject({ error: '403' });
  });
});
