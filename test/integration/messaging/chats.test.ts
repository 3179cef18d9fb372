import { proto } from '@whiskeysockets/baileys';
import fc from 'fast-check';
import type { JournalRecord } from '../../../lib/session/ports.ts';
import type { ChatDoc } from '../../../lib/storage/collections.ts';
import type { Write } from '../../../lib/storage/port.ts';
import { type MessagingHarness, OWNER, openMessagingHarness, STRANGER } from '../../helpers/messaging-harness.ts';

const BOB = { lid: '77@lid', pn: '15551234567@s.whatsapp.net' };
const CAROL = { lid: '88@lid', pn: '15557654321@s.whatsapp.net' };
const GROUP = '120363012345678901@g.us';
const START = 1_700_000_000_000;

let count = 0;
/** Each comes a second after the one before. */
function inbound(text: string, attrs: Record<string, string>): JournalRecord {
  count += 1;
  const plaintext = proto.Message.encode({ conversation: text }).finish();
  const id = attrs.id ?? `W${count}`;
  return { kind: 'inbound', cipherHash: `${count}`, plaintext, attrs: { ...attrs, id }, at: START + count * 1_000 };
}
const from = (who: typeof BOB, text: string, more: Record<string, string> = {}) =>
  inbound(text, { from: who.lid, sender_pn: who.pn, notify: who === BOB ? 'Bob' : 'Carol', ...more });
const readOnPhone = (chat: string, ids: string[], type = 'read-self', at = START): JournalRecord => ({
  kind: 'receipt',
  ids,
  attrs: { id: ids[0] ?? '', from: '900@lid', recipient: chat, type },
  at,
});

describe('chats', () => {
  let harness: MessagingHarness;
  beforeEach(async () => {
    harness = await openMessagingHarness();
  });
  afterEach(() => harness.close());

  const apply = (...records: JournalRecord[]) => harness.applier.apply(records, harness.context());
  const list = async (query: object = {}, caller = OWNER) => (await harness.messaging.chats.list(caller, query)).items;
  const unread = async () => Object.fromEntries((await list()).map(({ chatId, unread }) => [chatId, unread]));

  it('lists the chat with the newest message first, with that message and what is unread', async () => {
    await apply(from(BOB, 'one'), from(CAROL, 'two'), from(BOB, 'three'));
    const connectionId = harness.connectionId;
    expect(await list({ connectionId })).toMatchObject([
      { chatId: BOB.lid, connectionId, name: 'Bob', ...BOB, unread: 2, lastMessage: { content: { text: 'three' } } },
      {
        chatId: CAROL.lid,
        connectionId,
        name: 'Carol',
        ...CAROL,
        unread: 1,
        lastMessage: { content: { text: 'two' } },
      },
    ]);
    await apply(from(CAROL, 'four'));
    expect((await list()).map(({ chatId }) => chatId)).toEqual([CAROL.lid, BOB.lid]);
  });

  it('shows the last message as the message list has it', async () => {
    await apply(from(BOB, 'hello'));
    const sent = await harness.send('hi', BOB.lid);
    const [chat] = await list();
    expect(chat?.lastMessage).toEqual(await harness.messaging.get(OWNER, sent.messageId));
    expect(chat?.lastMessage.status).toBe('queued');
    await harness.messaging.jobCancel(OWNER, String(sent.jobId));
    expect((await list())[0]?.lastMessage.status).toBe('cancelled');
  });

  it('names nobody anew whose name is not known at the moment', async () => {
    await apply(from(BOB, 'hello'));
    await harness.send('hi', BOB.lid);
    await apply(inbound('again', { from: BOB.lid }));
    expect(await list()).toMatchObject([{ chatId: BOB.lid, name: 'Bob', ...BOB }]);
  });

  it('keeps a chat that only ever was written to, and a group', async () => {
    const sent = await harness.send('hi', '15550002222');
    await apply(inbound('all', { from: GROUP, participant: BOB.lid, notify: 'Bob' }));
    const chats = await list();
    expect(chats.find(({ chatId }) => chatId === sent.chatId)).toMatchObject({
      unread: 0,
      pn: '15550002222@s.whatsapp.net',
    });
    expect(chats.find(({ chatId }) => chatId === GROUP)).toMatchObject({ unread: 1, name: null, lid: null, pn: null });
  });

  it('counts nothing as unread once the account wrote, by API or by phone', async () => {
    await apply(from(BOB, 'one'), from(BOB, 'two'), from(CAROL, 'three'));
    await harness.send('hi', BOB.pn);
    expect(await unread()).toEqual({ [BOB.lid]: 0, [CAROL.lid]: 1 });
    const copy = { deviceSentMessage: { destinationJid: CAROL.lid, message: { conversation: 'by phone' } } };
    const plaintext = proto.Message.encode(copy).finish();
    const byPhone = { ...inbound('', { from: '900@lid', recipient: CAROL.lid }), plaintext } as JournalRecord;
    await apply(from(CAROL, 'before'), byPhone, from(CAROL, 'after'));
    expect(await unread()).toEqual({ [BOB.lid]: 0, [CAROL.lid]: 1 });
  });

  it.each(['read-self', 'read'])('counts nothing as unread that the phone has read (%s)', async (type) => {
    await apply(from(BOB, 'one', { id: 'B1' }), from(BOB, 'two', { id: 'B2' }), from(CAROL, 'three', { id: 'C1' }));
    await apply(readOnPhone(BOB.pn, ['B1', 'B2'], type));
    expect(await unread()).toEqual({ [BOB.lid]: 0, [CAROL.lid]: 1 });
    await apply(readOnPhone(CAROL.lid, ['C1'], type), from(CAROL, 'later'));
    expect(await unread()).toEqual({ [BOB.lid]: 0, [CAROL.lid]: 1 });
  });

  it('takes a reading for that of its own chat only, and of what came before it', async () => {
    await apply(from(BOB, 'one', { id: 'B1' }), from(BOB, 'two', { id: 'B2' }), from(CAROL, 'three', { id: 'C1' }));
    await apply(readOnPhone(BOB.lid, ['C1']), readOnPhone(BOB.lid, ['B1']), readOnPhone(BOB.lid, ['no-such']));
    expect(await unread()).toEqual({ [BOB.lid]: 2, [CAROL.lid]: 1 });
    const readByBob: JournalRecord = {
      ...readOnPhone(BOB.lid, ['B2']),
      attrs: { id: 'B2', from: BOB.lid, type: 'read' },
    } as never;
    await apply(readByBob);
    expect((await unread())[BOB.lid]).toBe(2);
  });

  it('reads a message that comes in the same piece of the journal', async () => {
    await apply(from(BOB, 'one', { id: 'B1' }), readOnPhone(BOB.lid, ['B1']));
    expect(await unread()).toEqual({ [BOB.lid]: 0 });
  });

  it('counts each message once, in whatever pieces and however often the journal is replayed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(9), { maxLength: 12 }), fc.nat(8), async (picks, size) => {
        const records = Array.from({ length: 10 }, (_, n) => from(n % 3 === 0 ? CAROL : BOB, `text ${n}`));
        await harness.store.atomically([
          { op: 'delete', collection: 'chats', filter: {} },
          { op: 'delete', collection: 'messages', filter: {} },
        ] as Write[]);
        await apply(...records.slice(0, size));
        for (const pick of picks) await apply(...records.slice(0, pick + 1));
        await apply(...records, ...records);
        expect(await unread()).toEqual({ [BOB.lid]: 6, [CAROL.lid]: 4 });
      }),
      { numRuns: 8 },
    );
  });

  it('a message that comes late from the journal does not take the place of a newer one', async () => {
    const late = from(BOB, 'late');
    const sent = await harness.send('newer', BOB.lid);
    await apply(late);
    const [chat] = await list();
    expect(chat?.lastMessage.messageId).toBe(sent.messageId);
  });

  it('costs one write a chat, however many messages a piece of the journal has', async () => {
    const groups: number[] = [];
    const { store } = harness;
    const before = store.atomically;
    store.atomically = (writes) => {
      groups.push(writes.filter(({ collection }) => collection === 'chats').length);
      return before(writes);
    };
    await apply(...Array.from({ length: 40 }, (_, n) => from(n % 2 === 0 ? BOB : CAROL, `${n}`)));
    store.atomically = before;
    expect(groups).toEqual([2]);
    expect(await unread()).toEqual({ [BOB.lid]: 20, [CAROL.lid]: 20 });
  });

  it('turns its pages without gaps or repeats', async () => {
    const people = Array.from({ length: 7 }, (_, n) => ({ lid: `10${n}@lid`, pn: `1555000100${n}@s.whatsapp.net` }));
    await apply(...people.map((person) => from(person, 'hello')));
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await harness.messaging.chats.list(OWNER, { limit: 3, ...(after && { after }) });
      seen.push(...page.items.map(({ chatId }) => chatId));
      after = page.next ?? undefined;
    } while (after);
    expect(seen).toEqual(people.map(({ lid }) => lid).reverse());
  });

  it('shows nobody the chats of others', async () => {
    await apply(from(BOB, 'secret'));
    const { connectionId } = harness;
    expect(await list({}, STRANGER)).toEqual([]);
    await expect(list({ connectionId }, STRANGER)).rejects.toMatchObject({ type: 'NOT_FOUND' });
    const chat = { connectionId, chatId: BOB.lid };
    await expect(harness.messaging.chats.seen(STRANGER, chat)).rejects.toMatchObject({ type: 'NOT_FOUND' });
    expect(await unread()).toEqual({ [BOB.lid]: 1 });
    expect(await list({}, { userId: 'root', role: 'admin', keyId: 'key_r' })).toHaveLength(1);
  });

  it('counts from nothing again once a chat was seen, under any form of its id', async () => {
    await apply(from(BOB, 'one'), from(CAROL, 'two'));
    const { connectionId, messaging } = harness;
    const seen = await messaging.chats.seen(OWNER, { connectionId, chatId: '+15551234567' });
    expect(seen).toMatchObject({ chatId: BOB.lid, unread: 0 });
    await apply(from(BOB, 'three'));
    expect(await unread()).toEqual({ [BOB.lid]: 1, [CAROL.lid]: 1 });
    const stranger = messaging.chats.seen(OWNER, { connectionId, chatId: '15559990000' });
    await expect(stranger).rejects.toMatchObject({ type: 'NOT_FOUND' });
    const noId = messaging.chats.seen(OWNER, { connectionId, chatId: 'bob' });
    await expect(noId).rejects.toMatchObject({ type: 'INVALID_RECIPIENT' });
  });

  it('keeps apart what two connections talk about with one person', async () => {
    await apply(from(BOB, 'one'));
    const other = await harness.addConnection();
    await harness.applier.apply([from(BOB, 'two')], { ...harness.context(), connectionId: other });
    expect(await list({ connectionId: other })).toMatchObject([{ connectionId: other, unread: 1 }]);
    const rows = await harness.store.collection<ChatDoc>('chats').find({});
    expect(rows.map(({ userId, chatId }) => [userId, chatId])).toEqual([
      [OWNER.userId, BOB.lid],
      [OWNER.userId, BOB.lid],
    ]);
  });
});
