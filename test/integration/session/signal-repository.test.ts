import { createHash } from 'node:crypto';
import type { SignalKeyStore, SignalRepositoryWithLIDStore } from '@whiskeysockets/baileys';
import { systemClock } from '../../../lib/clock.ts';
import { errorType } from '../../../lib/errors.ts';
import { createBaileysState } from '../../../lib/session/baileys/auth-state.ts';
import { createSignalRepositoryFactory } from '../../../lib/session/baileys/signal-repository.ts';
import { silenceLibsignal } from '../../../lib/session/baileys/silence-libsignal.ts';
import type { JournalActivation } from '../../../lib/session/journal/activation.ts';
import type { JournalRecord } from '../../../lib/session/ports.ts';
import type { JournalDoc } from '../../../lib/storage/collections.ts';
import { eventually } from '../../helpers/eventually.ts';
import { openSessionHarness, type SessionHarness } from '../../helpers/session-harness.ts';
import { type Encrypted, padded, quietLog, SignalContact, unpadded } from '../../helpers/signal-contact.ts';
import type { UnsteadyStore } from '../../helpers/unsteady-store.ts';

silenceLibsignal();

const US = '100@lid';
const GROUP = '555-1@g.us';
let harness: SessionHarness;
beforeEach(async () => {
  harness = await openSessionHarness();
});
afterEach(() => harness.close());

interface Side {
  activation: JournalActivation;
  repository: SignalRepositoryWithLIDStore;
  claims: JournalRecord[];
  receive(from: string, id: string, message: Encrypted): Promise<string>;
  receiveInGroup(from: string, id: string, msg: Uint8Array): Promise<string>;
}

/** @param readMs what every read takes, as if nothing were ever cached */
function open(activation: JournalActivation, readMs = 0): Side {
  const state = createBaileysState(activation);
  const stanzas = new WeakMap<Uint8Array, Record<string, string>>();
  const claims: JournalRecord[] = [];
  const messages = harness.store.collection('messages');
  const repository = createSignalRepositoryFactory({
    activation,
    stagingKeys: slowed(state.stagingKeys, readMs),
    clock: systemClock,
    stanzaOf: (ciphertext) => stanzas.get(ciphertext),
    isStored: async (cipherHash) => (await messages.count({ connectionId: 'con', cipherHash })) > 0,
    takeClaim: () => claims.shift() ?? null,
  })(state.auth, quietLog);
  return {
    activation,
    repository,
    claims,
    async receive(from, id, { type, ciphertext }) {
      stanzas.set(ciphertext, { id, from });
      return unpadded(await repository.decryptMessage({ jid: from, type, ciphertext }));
    },
    async receiveInGroup(from, id, msg) {
      stanzas.set(msg, { id, from: GROUP, participant: from });
      return unpadded(await repository.decryptGroupMessage({ group: GROUP, authorJid: from, msg }));
    },
  };
}

function slowed(keys: SignalKeyStore, readMs: number): SignalKeyStore {
  if (readMs === 0) return keys;
  return {
    ...keys,
    async get(type, ids) {
      await new Promise((resolve) => setTimeout(resolve, readMs));
      return keys.get(type, ids);
    },
  };
}

async function openWithSession(contact: SignalContact, readMs = 0): Promise<Side> {
  const side = open(await harness.takeOver('con'), readMs);
  await side.repository.injectE2ESession({ jid: contact.jid, session: contact.bundle(1) });
  return side;
}

const copyOf = (message: Encrypted): Encrypted => ({ ...message, ciphertext: Buffer.from(message.ciphertext) });

/** As another process would; while the dead one's last write may still arrive, the takeover starts over. */
async function reopen(store: UnsteadyStore): Promise<Side> {
  for (;;) {
    try {
      return open(await harness.takeOver('con', { store, patienceMs: 100 }));
    } catch (error) {
      if (errorType(error) !== 'SESSION_FENCED') throw error;
    }
  }
}

const send = (side: Side, contact: SignalContact, text: string) =>
  side.repository.encryptMessage({ jid: contact.jid, data: padded(text) });
const entryCount = async () =>
  (
    await harness.store
      .collection<JournalDoc>('sessionJournal')
      .findOne({ connectionId: 'con' }, { sort: [['seq', -1]] })
  )?.seq ?? 0;

describe('the Signal repository', () => {
  it.each([
    ['under one address', '200@lid'],
    ['under two addresses, phone number and LID', '15550200@s.whatsapp.net'],
  ])('breaks no ratchet when a chat sends and receives at once over a slow store, %s', async (_, sendTo) => {
    const contact = new SignalContact('200@lid');
    const side = await openWithSession(contact, 1);
    await side.repository.lidMapping.storeLIDPNMappings([{ lid: '200@lid', pn: '15550200@s.whatsapp.net' }]);
    await contact.decrypt(US, await send(side, contact, 'hello'));
    harness.store.latencyMs = 5;
    let failures = 0;
    const sent: string[] = [];
    const received: string[] = [];
    const noteFailure = () => {
      failures += 1;
    };

    /* written before any of ours is read, so in one chain: a lost step is not healed by the next ratchet turn */
    const incoming: Encrypted[] = [];
    for (let n = 0; n < 60; n++) incoming.push(await contact.encrypt(US, `in ${n}`));
    const outgoing: Promise<Encrypted>[] = [];
    for (let first = 0; first < 60; first += 3) {
      /* all six in one turn: each would load the ratchet before the others stored it */
      const turn = [first, first + 1, first + 2].flatMap((n) => {
        outgoing.push(side.repository.encryptMessage({ jid: sendTo, data: padded(`out ${n}`) }));
        const decrypting = side.receive(contact.jid, `m${n}`, incoming[n] as Encrypted);
        return [outgoing[n], decrypting.then((text) => received.push(text), noteFailure)];
      });
      await Promise.all(turn);
    }
    for (const message of outgoing) {
      await contact.decrypt(US, await message).then((text) => sent.push(text), noteFailure);
    }

    expect(failures).toBe(0);
    expect(sent).toEqual(Array.from({ length: 60 }, (_, n) => `out ${n}`));
    expect(received).toEqual(Array.from({ length: 60 }, (_, n) => `in ${n}`));
  });

  it('breaks no ratchet when it dies at any moment between journal and wire', async () => {
    const contact = new SignalContact('200@lid');
    let side = await openWithSession(contact);
    await contact.decrypt(US, await send(side, contact, 'hello'));
    let crashes = 0;
    for (let round = 0; round < 32; round++) {
      const crashing = round % 2 === 0;
      const process = harness.connect();
      side = await reopen(process);
      const outgoing = send(side, contact, `out ${round}`).catch(() => null);
      const message = await contact.encrypt(US, `in ${round}`);
      const incoming = side.receive(contact.jid, `m${round}`, copyOf(message)).catch(() => null);
      if (crashing) {
        for (let turns = (round / 2) % 8; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
        process.fault = () => 'refuse';
        crashes += 1;
        /* no receipt left, so the server delivers it again: decrypted now, or recognised */
        side = await reopen(harness.connect());
        expect([`in ${round}`, '']).toContain(await side.receive(contact.jid, `m${round}`, copyOf(message)));
      } else {
        expect(await incoming).toBe(`in ${round}`);
      }
      /* whatever was durable may have been on the wire */
      const bytes = await outgoing;
      if (bytes) expect(await contact.decrypt(US, bytes)).toBe(`out ${round}`);
      await contact.decrypt(US, await send(side, contact, 'still here'));
      await side.activation.close({ release: false });
    }
    /* a record may be replayed; a message that was recorded twice would have two hashes */
    const hashes = new Map(
      harness.applied.flatMap((record) => (record.kind === 'inbound' ? [[record.cipherHash, record.attrs.id]] : [])),
    );
    expect(crashes).toBe(16);
    expect([...hashes.values()]).toEqual(Array.from({ length: 32 }, (_, round) => `m${round}`));
  });

  it('puts plaintext, hash and stanza into the entry of the ratchet step', async () => {
    const contact = new SignalContact('200@lid');
    const side = await openWithSession(contact);
    await contact.decrypt(US, await send(side, contact, 'hello'));
    const before = await entryCount();
    const message = await contact.encrypt(US, 'secret');
    expect(await side.receive(contact.jid, 'm1', message)).toBe('secret');
    expect((await entryCount()) - before).toBe(1);
    const cipherHash = createHash('sha256').update(message.ciphertext).digest('hex');
    await side.activation.close({ release: false });
    expect(harness.applied).toEqual([
      {
        kind: 'inbound',
        cipherHash,
        plaintext: Buffer.from('secret'),
        attrs: { id: 'm1', from: contact.jid },
        at: expect.any(Number),
      },
    ]);
  });

  it('puts the claim of a send into the entry of its encryption', async () => {
    const contact = new SignalContact('200@lid');
    const side = await openWithSession(contact);
    const before = await entryCount();
    const claim: JournalRecord = { kind: 'claim', jobId: 'job_1', messageId: 'msg_1', at: 1 };
    side.claims.push(claim);
    await send(side, contact, 'hello');
    expect((await entryCount()) - before).toBe(1);
    await side.activation.close({ release: false });
    expect(harness.applied).toEqual([claim]);
  });

  it('lets the encryptions for many devices share journal entries', async () => {
    const devices = Array.from({ length: 8 }, (_, n) => new SignalContact(`20${n}@lid`));
    const side = open(await harness.takeOver('con'));
    for (const device of devices) {
      await side.repository.injectE2ESession({ jid: device.jid, session: device.bundle(1) });
    }
    harness.store.latencyMs = 5;
    const before = await entryCount();
    const messages = await Promise.all(devices.map((device) => send(side, device, 'hello')));
    expect((await entryCount()) - before).toBeLessThanOrEqual(2);
    for (const [n, device] of devices.entries()) {
      expect(await device.decrypt(US, messages[n] as Encrypted)).toBe('hello');
    }
  });
});

describe('a redelivered ciphertext', () => {
  it('is answered with the known plaintext and recorded once, while its record waits', async () => {
    const contact = new SignalContact('200@lid');
    const side = await openWithSession(contact);
    const dead = Promise.withResolvers<void>();
    const apply = harness.applier;
    harness.applier = { apply: () => dead.promise };
    await contact.decrypt(US, await send(side, contact, 'hello'));
    const message = await contact.encrypt(US, 'once');
    await side.receive(contact.jid, 'm1', message);
    expect(await side.receive(contact.jid, 'm1', copyOf(message))).toBe('once');
    harness.applier = apply;
    const next = open(await harness.takeOver('con'));
    const again = copyOf(message);
    expect(await next.receive(contact.jid, 'm1', again)).toBe('');
    expect(harness.applied).toHaveLength(1);
    dead.resolve();
  });

  it('is answered with an empty message when a stored Message tells its hash, and not otherwise', async () => {
    const contact = new SignalContact('200@lid');
    const first = await openWithSession(contact);
    await contact.decrypt(US, await send(first, contact, 'hello'));
    const message = await contact.encrypt(US, 'once');
    await first.receive(contact.jid, 'm1', message);
    await first.activation.close({ release: true });
    const next = open(await harness.takeOver('con'));
    const again = () => next.receive(contact.jid, 'm1', copyOf(message));
    await expect(again()).rejects.toThrow();

    const cipherHash = createHash('sha256').update(message.ciphertext).digest('hex');
    const stored = { _id: 'msg_1', connectionId: 'con', cipherHash, chatId: 'c', waMessageId: 'm1', senderId: 's' };
    await harness.store.collection('messages').insertOne(stored);
    expect(await again()).toBe('');
    expect(harness.applied).toHaveLength(1);
  });
});

describe('group messages', () => {
  it('are decrypted, recorded and recognised when they come again', async () => {
    const contact = new SignalContact('200@lid');
    const side = open(await harness.takeOver('con'));
    const { ciphertext, senderKeyDistributionMessage } = await contact.repository.encryptGroupMessage({
      group: GROUP,
      meId: contact.jid,
      data: padded('to all'),
    });
    await side.repository.processSenderKeyDistributionMessage({
      authorJid: contact.jid,
      item: { groupId: GROUP, axolotlSenderKeyDistributionMessage: senderKeyDistributionMessage },
    });
    const decrypt = (msg: Uint8Array) =>
      side.repository.decryptGroupMessage({ group: GROUP, authorJid: contact.jid, msg });
    /* a ciphertext that came in no stanza could not be recorded: its ratchet step is not taken either */
    await expect(decrypt(Buffer.from(ciphertext))).rejects.toMatchObject({ type: 'INTERNAL_ERROR' });
    expect(await side.receiveInGroup(contact.jid, 'g1', Buffer.from(ciphertext))).toBe('to all');
    await eventually(() => expect(harness.applied).toHaveLength(1));
    expect(await side.receiveInGroup(contact.jid, 'g1', Buffer.from(ciphertext))).toBe('');
    expect(harness.applied).toHaveLength(1);
  });
});

describe('a failed write', () => {
  it('rejects the encryption, and the ciphertext never gets to the caller', async () => {
    const contact = new SignalContact('200@lid');
    const side = await openWithSession(contact);
    await harness.takeOver('con');
    await expect(send(side, contact, 'stale')).rejects.toMatchObject({ type: 'SESSION_FENCED' });
  });
});
