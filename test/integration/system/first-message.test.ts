import { eventually } from '../../helpers/eventually.ts';
import { type Line, type PairedSystem, startPairedSystem } from '../../helpers/paired-system.ts';

/* Over REST, through the services, to a simulated WhatsApp: what a send to somebody new answers. */
let system: PairedSystem;
let line: Line;
let next = 0;

beforeAll(async () => {
  system = await startPairedSystem({}, { seed: 'first-message' });
  line = await system.openLine('15553330000');
});
afterAll(() => system.end());
afterEach(() => system.simulator.faults.clear());

function newContact() {
  next += 1;
  return system.simulator.devices.createContact({ pn: `1555333100${next}` });
}

const sendTo = (to: string, more: object = {}) =>
  system.api.post('/v1/wa/message/send', { connectionId: line.connectionId, to, content: 'hello', ...more });

test('the chat of a number that is new is its LID, from the first answer on', async () => {
  const bob = newContact();
  const { status, body } = await sendTo(bob.pn);
  expect([status, body.chatId]).toEqual([202, bob.jid]);
  expect(body.to).toMatchObject({ id: bob.jid, lid: bob.jid, pn: bob.pnJid });
  await bob.waitForMessage(({ text }) => text === 'hello');
  await bob.sendText(line.phone.pnJid, 'hello yourself');
  for (const to of [`+${bob.pn}`, bob.pnJid, `${bob.pn}@c.us`, bob.jid]) {
    expect((await sendTo(to)).body.chatId).toBe(bob.jid);
  }
});

test('many first messages at once are one chat', async () => {
  const bob = newContact();
  const answers = await Promise.all([1, 2, 3, 4, 5].map((n) => sendTo(bob.pn, { content: `text ${n}` })));
  expect(new Set(answers.map(({ body }) => body.chatId))).toEqual(new Set([bob.jid]));
  await bob.waitForMessage(({ text }) => text === 'text 5');
});

test('when WhatsApp cannot be asked the number is the id, and stays it', async () => {
  const bob = newContact();
  system.simulator.faults.set({ fault: { type: 'iq-timeout' }, match: { xmlns: 'usync' }, times: 1 });
  const startedAt = performance.now();
  const first = await sendTo(bob.pn);
  expect(performance.now() - startedAt).toBeLessThan(4_000);
  expect([first.status, first.body.chatId]).toEqual([202, bob.pnJid]);
  await bob.sendText(line.phone.pnJid, 'who are you?');
  await eventually(async () => {
    const path = `/v1/wa/message/list?connectionId=${line.connectionId}&chatId=${bob.jid}&direction=inbound`;
    expect((await system.api.get(path)).body.items).toMatchObject([{ chatId: bob.pnJid, from: { lid: bob.jid } }]);
  });
  expect((await sendTo(bob.jid)).body.chatId).toBe(bob.pnJid);
});

test('a number that is not on WhatsApp is taken, and fails; with wait it is 422', async () => {
  const { status, body } = await sendTo('15559990001');
  expect([status, body.chatId]).toEqual([202, '15559990001@s.whatsapp.net']);
  await eventually(async () => {
    const { body: later } = await system.api.get(`/v1/wa/message/${body.messageId}`);
    expect(later).toMatchObject({ status: 'failed', error: { type: 'NOT_ON_WHATSAPP' } });
    expect((await system.api.get(`/v1/wa/job/${body.jobId}`)).body).toMatchObject({ status: 'failed' });
  });
  const waited = await sendTo('15559990002', { wait: 'sent' });
  expect([waited.status, waited.body.error.type]).toEqual([422, 'NOT_ON_WHATSAPP']);
});

test('a number cannot be asked about over a connection of somebody else', async () => {
  const stranger = await system.castellan.newUser('mallory');
  const bob = newContact();
  const body = { connectionId: line.connectionId, to: bob.pn, content: 'hello' };
  expect((await stranger.api.post('/v1/wa/message/send', body)).status).toBe(404);
  const { store } = system.castellan.runtime;
  expect(await store.collection('identities').findOne({ pn: bob.pnJid })).toBeNull();
});
