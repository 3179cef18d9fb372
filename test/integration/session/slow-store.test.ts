import { type AuthenticationCreds, BufferJSON, type SignalDataSet } from '@whiskeysockets/baileys';
import { systemClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import { createBaileysState } from '../../../lib/session/baileys/auth-state.ts';
import { ownParty } from '../../../lib/session/baileys/identity.ts';
import { createSessionCaches } from '../../../lib/session/baileys/session-caches.ts';
import { createOpenSocket } from '../../../lib/session/baileys/socket.ts';
import { encodeBinary } from '../../../lib/session/journal/binary-codec.ts';
import type { SocketEnd, WhatsAppSocket } from '../../../lib/session/ports.ts';
import type { Contact } from '../../../simulator/devices/contact.ts';
import type { PreparedAccount } from '../../../simulator/devices/prepare.ts';
import { type Simulator, startSimulator } from '../../../simulator/index.ts';
import { eventually } from '../../helpers/eventually.ts';
import { openSessionHarness, type SessionHarness } from '../../helpers/session-harness.ts';
import type { UnsteadyStore } from '../../helpers/unsteady-store.ts';

const CONNECTION = 'con';
let simulator: Simulator;
let harness: SessionHarness;
let account: PreparedAccount;
let bob: Contact;
let opened: WhatsAppSocket[];

beforeEach(async () => {
  simulator = await startSimulator({ seed: 'slow store' });
  harness = await openSessionHarness();
  account = simulator.devices.prepare(1)[0] as PreparedAccount;
  bob = simulator.devices.createContact({ pn: '15558880001', name: 'Bob', devices: 2 });
  opened = [];
  await importAccount();
});
afterEach(async () => {
  for (const socket of opened) socket.terminate();
  await harness.close();
  await simulator.close();
});

async function importAccount(): Promise<void> {
  const revive = <T>(value: unknown) => JSON.parse(JSON.stringify(value), BufferJSON.reviver) as T;
  const activation = await harness.takeOver(CONNECTION);
  const creds = revive<AuthenticationCreds>(account.creds);
  const me = creds.me ? ownParty(creds.me) : null;
  activation.stage({ credentials: { bytes: encodeBinary(creds), registered: true, me } });
  await createBaileysState(activation).auth.keys.set(revive<SignalDataSet>(account.keys));
  await activation.close({ release: true });
}

/** Takes the session over through this connection to the store and opens its socket. */
async function open(store: UnsteadyStore) {
  const activation = await harness.takeOver(CONNECTION, { store, patienceMs: 300 });
  const ended = Promise.withResolvers<SocketEnd>();
  const ready = Promise.withResolvers<void>();
  const socket = createOpenSocket({
    clock: systemClock,
    log: silentLog,
    websocketUrl: simulator.url,
    rootPublicKey: Buffer.from(simulator.rootPublicKey, 'hex'),
    binding: { clock: systemClock, caches: createSessionCaches(systemClock), isStoredCiphertext: async () => false },
    loadOutgoing: async () => null,
  })({
    activation,
    browser: ['Castellan', 'Chrome', '1.0'],
    handlers: { qr() {}, paired() {}, open: () => ready.resolve(), closed: (end) => ended.resolve(end) },
  });
  opened.push(socket);
  await ready.promise;
  return { socket, activation, ended: ended.promise };
}

const received = () =>
  harness.applied.flatMap((record) => (record.kind === 'inbound' ? [{ ...record, id: record.attrs.id ?? '' }] : []));
/** what the companion itself sent: virtual devices have no socket */
const ownReceipts = () =>
  simulator.witness.stanzas({ tag: 'receipt', direction: 'in' }).filter(({ socket }) => socket !== undefined);
const receiptsOf = (id: string) => ownReceipts().filter((receipt) => receipt.id === id).length;
const retries = () => ownReceipts().filter(({ type }) => type === 'retry');

describe('a real socket over a store that takes 5 ms', () => {
  it('decrypts and is decrypted, both ways at once', async () => {
    const store = harness.connect();
    const { socket } = await open(store);
    store.latencyMs = 5;
    const count = 60;
    const texts = Array.from({ length: count }, (_, n) => `out ${n}`);

    const sending = (async () => {
      for (const [n, text] of texts.entries()) {
        const request = { jobId: `job_${n}`, messageId: `msg_${n}`, waMessageId: `3EB0OUT${n}`, chatId: bob.jid };
        expect(await socket.send({ ...request, content: { type: 'text', text } })).toMatchObject({ waCode: null });
      }
    })();
    const ids: string[] = [];
    for (let n = 0; n < count; n++) ids.push((await bob.sendText(account.pn, `in ${n}`)).id);
    await sending;

    await eventually(() => expect(received().filter(({ id }) => ids.includes(id))).toHaveLength(count));
    expect(received().flatMap(({ id }) => (ids.includes(id) ? [id] : []))).toEqual(ids);
    const read = bob.inbox.all.filter(({ device, text }) => device === 0 && text?.startsWith('out'));
    expect(read.map(({ text }) => text)).toEqual(texts);
    expect(simulator.witness.messages.decryptFailures()).toEqual([]);
    await eventually(() => expect(harness.applied.filter(({ kind }) => kind === 'claim')).toHaveLength(count));
  });
});

describe('a message that is delivered twice', () => {
  it('at once is recorded once and asked for never', async () => {
    await open(harness.connect());
    simulator.faults.set({ fault: { type: 'duplicate', copies: 2 }, match: { pn: account.pn, tag: 'message' } });
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.push((await bob.sendText(account.pn, `in ${n}`)).id);
    await eventually(() => expect(received().map(({ id }) => id)).toEqual(ids));
    await eventually(() => {
      for (const id of ids) expect(receiptsOf(id)).toBeGreaterThanOrEqual(2);
    });
    expect(received()).toHaveLength(ids.length);
    expect(retries()).toEqual([]);
  });

  it('because the process died between journal and receipt, is receipted and recorded once', async () => {
    const store = harness.connect();
    const { ended } = await open(store);
    const applier = harness.applier;
    harness.applier = { apply: () => Promise.reject(new Error('the process dies before')) };
    /* from now on the journal takes every entry and its answer gets lost: durable, and nobody knows */
    store.fault = (_, method) => (method === 'insertMany' ? 'lose-answer' : 'none');
    const { id } = await bob.sendText(account.pn, 'in the gap');
    await ended;
    expect(receiptsOf(id)).toBe(0);

    harness.applier = applier;
    await open(harness.connect());
    await eventually(() => expect(receiptsOf(id)).toBe(1));
    expect(received().filter((record) => record.id === id)).toHaveLength(1);
    expect(simulator.witness.messages.decryptFailures()).toEqual([]);
    expect(retries()).toEqual([]);
  });
});
