import { randomBytes } from 'node:crypto';
import { errorType } from '../../../lib/errors.ts';
import type { JournalActivation } from '../../../lib/session/journal/activation.ts';
import { journalActivation } from '../../../lib/session/journal/session-store.ts';
import type { JournalDoc, SessionDoc, SessionKeyDoc } from '../../../lib/storage/collections.ts';
import type { Collection, Doc } from '../../../lib/storage/port.ts';
import { createVault } from '../../../lib/storage/vault.ts';
import { eventually } from '../../helpers/eventually.ts';
import {
  bytes,
  inbound,
  NODE_A,
  NODE_B,
  openSessionHarness,
  readText,
  type SessionHarness,
  USER,
} from '../../helpers/session-harness.ts';

let harness: SessionHarness;
beforeEach(async () => {
  harness = await openSessionHarness();
});
afterEach(() => harness.close());

const typeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'resolved',
    (error) => errorType(error),
  );
const journal = () => harness.store.collection<JournalDoc>('sessionJournal');
const entries = (connectionId = 'con') => journal().find({ connectionId }, { sort: [['seq', 1]] });
const row = async (connectionId = 'con') =>
  (await harness.store.collection<SessionDoc>('sessions').findOne({ _id: connectionId })) as SessionDoc;
const credentials = (text: string) => ({ bytes: bytes(text), registered: true, me: null });
const key = (value: string | null) => ({ keys: { session: { alice: value === null ? null : bytes(value) } } });

async function commit(activation: { stage(c: object): void; flush(): Promise<void> }, change: object) {
  activation.stage(change);
  await activation.flush();
}

describe('an activation', () => {
  it('starts a new session at epoch 1 and gives back what it stored to the next owner', async () => {
    const first = await harness.takeOver('con');
    expect(first).toMatchObject({ epoch: 1, registered: false, credentials: null });
    await commit(first, { ...key('one'), credentials: credentials('login') });

    const second = await harness.takeOver('con');
    expect(second).toMatchObject({ epoch: 2, registered: true });
    expect(Buffer.from(second.credentials?.bytes ?? []).toString()).toBe('login');
    expect(await readText(second, 'session', 'alice')).toBe('one');
  });

  it('shows a staged change to every read at once, and deletions too', async () => {
    const activation = await harness.takeOver('con');
    activation.stage(key('one'));
    expect(await readText(activation, 'session', 'alice')).toBe('one');
    await activation.flush();
    activation.stage(key(null));
    expect(await readText(activation, 'session', 'alice')).toBeNull();
    await activation.flush();
    await activation.close({ release: false });
    expect(await readText(await harness.takeOver('con'), 'session', 'alice')).toBeNull();
  });

  it('has at most one entry in flight; what comes meanwhile joins the next one', async () => {
    const activation = await harness.takeOver('con');
    harness.store.latencyMs = 30;
    activation.stage(key('0'));
    await eventually(() => expect(harness.store.calls.at(-1)).toBe('sessionJournal.insertMany'));
    for (let n = 1; n <= 50; n++) activation.stage(key(String(n)));
    await activation.flush();
    expect((await entries()).map(({ seq, kind }) => [seq, kind])).toEqual([
      [1, 'takeover'],
      [2, 'commit'],
      [3, 'commit'],
    ]);
    expect(await readText(activation, 'session', 'alice')).toBe('50');
  });

  it('puts entries of many connections into one insert', async () => {
    const sessions = harness.process();
    const activations = await Promise.all(
      Array.from({ length: 40 }, (_, n) => sessions.takeOver(`con${n}`, USER, NODE_A)),
    );
    harness.store.calls.length = 0;
    for (const activation of activations) journalActivation(activation).stage(key('x'));
    await Promise.all(activations.map((activation) => activation.flush()));
    expect(harness.store.calls.filter((call) => call === 'sessionJournal.insertMany')).toHaveLength(1);
    await Promise.all(activations.map((activation) => activation.close({ release: false })));
  });

  it('writes a registration of 812 pre-keys in a few round trips and reads each of them again', async () => {
    const activation = await harness.takeOver('con');
    const preKeys = Object.fromEntries(Array.from({ length: 812 }, (_, n) => [String(n), bytes(`pre-key ${n}`)]));
    harness.store.calls.length = 0;
    await commit(activation, { keys: { 'pre-key': preKeys } });
    expect(harness.store.calls).toEqual(['sessionJournal.insertMany']);
    await activation.close({ release: false });
    expect(harness.store.calls.filter((call) => call.startsWith('sessionKeys.'))).toEqual(
      Array(9).fill('sessionKeys.insertMany'),
    );

    const next = await harness.takeOver('con');
    const read = await next.readKeys('pre-key', Object.keys(preKeys));
    expect(read.size).toBe(812);
    expect(Buffer.from(read.get('811') ?? []).toString()).toBe('pre-key 811');
  });

  it('goes on where a write of so many was interrupted, and puts no older value over a newer one', async () => {
    const preKeys = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [String(n), bytes(`pre-key ${n}`)]));
    const activation = await harness.takeOver('con');
    const newer = { _id: 'con:pre-key:7', connectionId: 'con', value: null, seq: 1_000 };
    await harness.store.collection<SessionKeyDoc>('sessionKeys').insertOne(newer);
    const writes = () => harness.store.calls.filter((call) => call === 'sessionKeys.insertMany').length;
    harness.store.fault = (collection) => (collection === 'sessionKeys' && writes() === 2 ? 'lose-answer' : 'none');
    await commit(activation, { keys: { 'pre-key': preKeys } });
    await eventually(() => expect(writes()).toBeGreaterThan(2));
    harness.store.fault = () => 'none';
    await eventually(async () => expect((await row()).watermark).toBe(2));
    await activation.close({ release: false });

    const next = await harness.takeOver('con');
    const read = await next.readKeys('pre-key', Object.keys(preKeys));
    expect(read.size).toBe(299);
    expect(read.has('7')).toBe(false);
  });

  it('writes the snapshots of two connections at a time, and applies records meanwhile', async () => {
    harness.store.latencyMs = 10;
    const written = () => harness.store.calls.filter((call) => call === 'sessionKeys.insertMany').length;
    let writtenWhenApplied = Number.POSITIVE_INFINITY;
    harness.applier = {
      async apply(records) {
        if (records.length > 0) writtenWhenApplied = written();
      },
    };
    const names = Array.from({ length: 8 }, (_, n) => `con_${n}`);
    const node = harness.process();
    const taken = await Promise.all(names.map((name) => node.takeOver(name, USER, NODE_A)));
    const activations = taken.map(journalActivation);
    const preKeys = Object.fromEntries(Array.from({ length: 260 }, (_, n) => [String(n), bytes(`pre-key ${n}`)]));
    await Promise.all(activations.map((activation) => commit(activation, { keys: { 'pre-key': preKeys } })));
    await commit(activations[7] as JournalActivation, { records: [inbound('1')] });
    await eventually(async () => {
      for (const name of names) expect((await row(name)).watermark).toBe(name === 'con_7' ? 3 : 2);
    });
    expect(written()).toBe(24);
    expect(writtenWhenApplied).toBeLessThan(20);
    expect(harness.store.mostAtOnce['sessionKeys.insertMany']).toBe(2);
    await Promise.all(activations.map((activation) => activation.close({ release: false })));
  });

  it('starts credentials and keys over on demand, also against writes of an earlier owner that come late', async () => {
    const activation = await harness.takeOver('con');
    await commit(activation, { ...key('old'), credentials: credentials('old') });
    await activation.close({ release: false });
    const keys = harness.store.collection<SessionKeyDoc>('sessionKeys');
    const late = await keys.find({ connectionId: 'con' });

    const second = await harness.takeOver('con');
    await second.resetCredentials();
    expect(second.registered).toBe(false);
    expect(await readText(second, 'session', 'alice')).toBeNull();
    await commit(second, { keys: { session: { bob: bytes('new') } } });
    await second.close({ release: false });
    await keys.replaceIfNewer(late, 'seq');

    const third = await harness.takeOver('con');
    expect(third.credentials).toBeNull();
    expect(await readText(third, 'session', 'alice')).toBeNull();
    expect(await readText(third, 'session', 'bob')).toBe('new');
  });
});

describe('fencing', () => {
  it('refuses a journal entry from a stale epoch and tells the gate before the caller', async () => {
    const stale = await harness.takeOver('con');
    await commit(stale, key('one'));
    const order: string[] = [];
    stale.onFailure((error) => order.push(`failure ${errorType(error)}`));
    const owner = await harness.takeOver('con');

    stale.stage(key('stolen'));
    await stale.flush().catch((error) => order.push(`rejected ${errorType(error)}`));
    expect(order).toEqual(['failure SESSION_FENCED', 'rejected SESSION_FENCED']);
    expect(() => stale.stage(key('again'))).toThrow(expect.objectContaining({ type: 'SESSION_FENCED' }));
    await expect(stale.readKeys('session', ['alice'])).rejects.toMatchObject({ type: 'SESSION_FENCED' });
    expect(await readText(owner, 'session', 'alice')).toBe('one');
  });

  it('lets exactly one of two simultaneous takeovers win', async () => {
    for (let round = 0; round < 20; round++) {
      const outcomes = await Promise.allSettled([
        harness.process().takeOver('con', USER, NODE_A),
        harness.process().takeOver('con', USER, NODE_B),
      ]);
      const won = outcomes.filter(({ status }) => status === 'fulfilled');
      const lost = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
      expect([won.length, lost.map(({ reason }) => errorType(reason))]).toEqual([1, ['SESSION_FENCED']]);
    }
    expect((await row()).epoch).toBe(20);
  });

  it('a collision fails only its own connection', async () => {
    const sessions = harness.process();
    const [a, b] = await Promise.all(['a', 'b'].map((id) => sessions.takeOver(id, USER, NODE_A)));
    await harness.takeOver('a');
    for (const activation of [a, b]) journalActivation(activation as never).stage(key('x'));
    expect(await typeOf(a?.flush() as Promise<void>)).toBe('SESSION_FENCED');
    expect(await typeOf(b?.flush() as Promise<void>)).toBe('resolved');
    await b?.close({ release: false });
  });

  it('a stale owner in the background moves no watermark and prunes nothing that proves the takeover', async () => {
    const stale = await harness.takeOver('con');
    await commit(stale, key('one'));
    const owner = await harness.takeOver('con');
    const before = await row();
    await stale.close({ release: true });
    expect(await row()).toEqual(before);
    expect((await entries()).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(await typeOf(commit(owner, key('two')))).toBe('resolved');
  });

  it('a copy of an update that the network kept for long does not move the watermark back', async () => {
    const copies: (() => Promise<unknown>)[] = [];
    const keepingCopies = <T extends Doc>(name: string): Collection<T> => {
      const collection = harness.store.collection<T>(name);
      if (name !== 'sessions') return collection;
      const updateOne: Collection<T>['updateOne'] = (...args) => {
        copies.push(() => collection.updateOne(...args));
        return collection.updateOne(...args);
      };
      return { ...collection, updateOne };
    };
    const activation = await harness.takeOver('con', { store: { ...harness.store, collection: keepingCopies } });
    for (const [n, value] of ['one', 'two'].entries()) {
      await commit(activation, key(value));
      await eventually(async () => expect((await row()).watermark).toBe(n + 2));
    }
    for (const send of copies.toReversed()) await send();
    expect((await row()).watermark).toBe(3);
    expect(await readText(await harness.takeOver('con'), 'session', 'alice')).toBe('two');
  });

  it('never prunes a takeover entry, the entry right before it, or the newest entry', async () => {
    for (let epoch = 1; epoch <= 3; epoch++) {
      const activation = await harness.takeOver('con');
      for (let n = 0; n < 5; n++) await commit(activation, key(`${epoch}.${n}`));
      await activation.close({ release: epoch === 2 });
    }
    const kept = (await entries()).map(({ seq, kind }) => `${seq} ${kind}`);
    expect(kept).toEqual(['1 takeover', '6 commit', '7 takeover', '13 release', '14 takeover', '19 commit']);
  });
});

describe('an unknown outcome', () => {
  it('is repeated with the same bytes and known as its own', async () => {
    const activation = await harness.takeOver('con');
    let lost = 0;
    harness.store.fault = (collection, method) =>
      collection === 'sessionJournal' && method === 'insertMany' && lost++ < 2 ? 'lose-answer' : 'none';
    await commit(activation, key('one'));
    expect(lost).toBeGreaterThanOrEqual(3);
    expect((await entries()).map(({ kind }) => kind)).toEqual(['takeover', 'commit']);
    await commit(activation, key('two'));
    expect((await entries()).at(-1)?.seq).toBe(3);
  });

  it('ends the activation when the store stays away, and what was acknowledged is there afterwards', async () => {
    const activation = await harness.takeOver('con', { patienceMs: 300 });
    await commit(activation, key('one'));
    harness.store.fault = () => 'refuse';
    activation.stage(key('never'));
    expect(await typeOf(activation.flush())).toBe('STORE_UNAVAILABLE');
    harness.store.fault = () => 'none';
    expect(await readText(await harness.takeOver('con'), 'session', 'alice')).toBe('one');
  });

  it('of a read is repeated: a missing answer is never taken for a missing key', async () => {
    const activation = await harness.takeOver('con');
    await commit(activation, key('one'));
    await activation.close({ release: false });
    const next = await harness.takeOver('con');
    let refused = 0;
    harness.store.fault = (collection) => (collection === 'sessionKeys' && refused++ < 3 ? 'refuse' : 'none');
    expect(await readText(next, 'session', 'alice')).toBe('one');
    expect(refused).toBeGreaterThan(3);
  });
});

describe('records', () => {
  it('are applied in order, live, and the watermark waits for them', async () => {
    const activation = await harness.takeOver('con');
    harness.applier = { apply: () => Promise.reject(new Error('not now')) };
    await commit(activation, { ...key('one'), records: [inbound('1')] });
    await commit(activation, { records: [inbound('2')] });
    expect((await row()).watermark).toBeLessThan(2);
    harness.applier = { apply: async (records) => void harness.applied.push(...records) };
    await eventually(async () => expect((await row()).watermark).toBe(3));
    expect(harness.applied).toEqual([inbound('1'), inbound('2')]);
  });

  it('that a crash left in the tail are replayed by the next owner before it goes on', async () => {
    const activation = await harness.takeOver('con');
    const apply = harness.applier;
    const dead = Promise.withResolvers<void>();
    harness.applier = { apply: () => dead.promise };
    await commit(activation, { ...key('one'), records: [inbound('1')] });
    expect(activation.knownCiphertext('hash-1')).toEqual({ plaintext: bytes('text-1') });

    harness.applier = apply;
    const next = await harness.takeOver('con');
    expect(harness.applied).toEqual([inbound('1')]);
    expect(next.knownCiphertext('hash-1')).toEqual({ plaintext: null });
    await eventually(async () => expect((await row()).watermark).toBe(3));
    dead.resolve();
  });
});

describe('quarantine', () => {
  const stored = async () => {
    const activation = await harness.takeOver('con');
    await commit(activation, { ...key('one'), credentials: credentials('login') });
    return activation;
  };

  it('refuses a wrong key and changes nothing', async () => {
    await (await stored()).close({ release: false });
    const before = [await entries(), await row()];
    const wrong = createVault(randomBytes(32));
    expect(await typeOf(harness.takeOver('con', { vault: wrong }))).toBe('SESSION_QUARANTINED');
    expect([await entries(), await row()]).toEqual(before);
    expect((await harness.takeOver('con')).registered).toBe(true);
  });

  it.each(['sessionJournal', 'sessionKeys'] as const)('refuses a flipped bit in %s', async (collection) => {
    const activation = await stored();
    if (collection === 'sessionKeys') await activation.close({ release: false });
    const docs = harness.store.collection<SessionKeyDoc & JournalDoc>(collection);
    const field = collection === 'sessionKeys' ? 'value' : 'payload';
    const [doc] = (await docs.find({ connectionId: 'con' })).filter(
      (candidate) => candidate[field] && !candidate._id.includes('session:'),
    );
    const flipped = Buffer.from(doc?.[field] as Uint8Array);
    flipped[20] = (flipped[20] as number) ^ 1;
    await docs.updateOne({ _id: doc?._id as string }, { $set: { [field]: flipped } });
    const count = (await entries()).length;
    expect(await typeOf(harness.takeOver('con'))).toBe('SESSION_QUARANTINED');
    expect(await entries()).toHaveLength(count);
  });

  it('refuses a value that was copied from another row', async () => {
    await commit(await harness.takeOver('other'), key('foreign'));
    const activation = await stored();
    await activation.close({ release: false });
    const keys = harness.store.collection<SessionKeyDoc>('sessionKeys');
    const own = await keys.findOne({ _id: 'con:credentials:current' });
    await keys.updateOne({ _id: 'con:session:alice' }, { $set: { value: own?.value } });
    const next = await harness.takeOver('con');
    const failures: unknown[] = [];
    next.onFailure((error) => failures.push(errorType(error)));
    await expect(next.readKeys('session', ['alice'])).rejects.toMatchObject({ type: 'SESSION_QUARANTINED' });
    expect(failures).toEqual(['SESSION_QUARANTINED']);
  });

  it('refuses to start fresh when stored credentials are gone', async () => {
    await (await stored()).close({ release: false });
    await harness.store.collection('sessionKeys').deleteMany({ connectionId: 'con' });
    expect(await typeOf(harness.takeOver('con'))).toBe('SESSION_QUARANTINED');
  });
});
