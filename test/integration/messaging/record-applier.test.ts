import { proto } from '@whiskeysockets/baileys';
import fc from 'fast-check';
import type { JournalRecord } from '../../../lib/session/ports.ts';
import type { MessageDoc } from '../../../lib/storage/collections.ts';
import { ME, type MessagingHarness, OWNER, openMessagingHarness } from '../../helpers/messaging-harness.ts';

const BOB = { lid: '77@lid', pn: '15551234567@s.whatsapp.net' };
const GROUP = '120363012345678901@g.us';
const { Type } = proto.Message.ProtocolMessage;

let hash = 0;
function inbound(message: proto.IMessage, attrs: Record<string, string>): JournalRecord {
  hash += 1;
  const plaintext = proto.Message.encode(message).finish();
  return {
    kind: 'inbound',
    cipherHash: `${hash}`,
    plaintext,
    attrs: { t: '1700000000', ...attrs },
    at: 1_700_000_001_000,
  };
}
const fromBob = (id: string, text: string) =>
  inbound({ conversation: text }, { id, from: '77:2@lid', sender_pn: BOB.pn, notify: 'Bob' });
const receipt = (ids: string[], type: string | undefined, from = '77:2@lid', more = {}): JournalRecord => ({
  kind: 'receipt',
  ids,
  attrs: { id: ids[0] ?? '', from, ...(type && { type }), ...more },
  at: 1_700_000_002_000,
});

describe('record applier', () => {
  let harness: MessagingHarness;
  beforeEach(async () => {
    harness = await openMessagingHarness();
  });
  afterEach(() => harness.close());

  const apply = (...records: JournalRecord[]) => harness.applier.apply(records, harness.context());
  const listed = async () => (await harness.messaging.list(OWNER, { limit: 200 })).items;
  const facts = async () => (await harness.logged()).map(({ type }) => type);

  it('makes a message of what a contact wrote, with both of its names', async () => {
    await apply(fromBob('A1', 'hello'));
    const [message] = await listed();
    expect(message).toMatchObject({
      direction: 'inbound',
      source: null,
      chatId: BOB.lid,
      from: { id: BOB.lid, ...BOB, name: 'Bob' },
      to: ME,
      content: { type: 'text', text: 'hello' },
      status: 'delivered',
      waMessageId: 'A1',
      timestamp: '2023-11-14T22:13:20.000Z',
    });
    expect(await harness.logged()).toMatchObject([{ type: 'message.received', seq: 1, epoch: 1, data: { message } }]);
  });

  it('makes each message once, in whatever pieces and however often the journal is replayed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(9), { minLength: 1, maxLength: 25 }), fc.nat(6), async (picks, size) => {
        const records = Array.from({ length: 10 }, (_, n) => fromBob(`R${n}`, `text ${n}`));
        await apply(...records.slice(0, size));
        for (const pick of picks) await apply(...records.slice(0, pick + 1));
        await apply(...records, ...records);
        expect((await listed()).map(({ waMessageId }) => waMessageId).sort()).toEqual(records.map((_, n) => `R${n}`));
        expect(await facts()).toHaveLength(10);
      }),
      { numRuns: 8 },
    );
  });

  it('keeps the order in which messages came', async () => {
    await apply(...Array.from({ length: 50 }, (_, n) => fromBob(`O${n}`, `${n}`)));
    const texts = (await harness.logged()).map(({ data }) => (data.message as { waMessageId: string }).waMessageId);
    expect(texts).toEqual(Array.from({ length: 50 }, (_, n) => `O${n}`));
  });

  it('gives a chat one id for ever, whichever name of the person comes first', async () => {
    const sent = await harness.send('hi', BOB.pn);
    await apply(fromBob('A1', 'hello'), inbound({ conversation: 'again' }, { id: 'A2', from: BOB.pn }));
    expect((await listed()).map(({ chatId }) => chatId)).toEqual([sent.chatId, sent.chatId, sent.chatId]);
    for (const chatId of [BOB.lid, BOB.pn, '15551234567']) {
      expect((await harness.messaging.list(OWNER, { chatId })).items).toHaveLength(3);
    }
  });

  it('tells senders in a group apart, even if they choose the same id', async () => {
    const at = (participant: string) => ({ id: 'SAME', from: GROUP, participant });
    await apply(inbound({ conversation: 'x' }, at('77:1@lid')), inbound({ conversation: 'y' }, at('88@lid')));
    expect(await listed()).toMatchObject([
      { chatId: GROUP, to: { id: GROUP } },
      { chatId: GROUP, to: { id: GROUP } },
    ]);
  });

  it('shows what the own phone sent, and believes nobody else who says so', async () => {
    const copy = { deviceSentMessage: { destinationJid: BOB.lid, message: { conversation: 'from my phone' } } };
    await apply(
      inbound(copy, { id: 'P1', from: '900@lid', recipient: BOB.lid, peer_recipient_pn: BOB.pn }),
      inbound(copy, { id: 'F1', from: '66@lid' }),
    );
    const messages = await listed();
    expect(messages.find(({ waMessageId }) => waMessageId === 'P1')).toMatchObject({
      direction: 'outbound',
      source: 'phone',
      status: 'sent',
      chatId: BOB.lid,
      from: ME,
      to: BOB,
    });
    expect(messages.find(({ waMessageId }) => waMessageId === 'F1')).toMatchObject({
      direction: 'inbound',
      chatId: '66@lid',
      content: { type: 'unsupported', kind: 'deviceSentMessage' },
    });
    expect(await facts()).toEqual(['message.sent', 'message.received']);
  });

  it('makes no message of keys, settings, or the status feed, and says what it does not understand', async () => {
    await apply(
      inbound({ senderKeyDistributionMessage: { groupId: GROUP } }, { id: 'K1', from: '77@lid' }),
      inbound({ protocolMessage: { type: Type.APP_STATE_SYNC_KEY_SHARE } }, { id: 'K2', from: '900@lid' }),
      inbound({ conversation: 'story' }, { id: 'K3', from: 'status@broadcast', participant: '77@lid' }),
    );
    expect(await listed()).toEqual([]);
    await apply(inbound({ contactMessage: { displayName: 'x' } }, { id: 'C1', from: '77@lid' }));
    expect(await listed()).toMatchObject([{ content: { type: 'unsupported', kind: 'contactMessage' } }]);
  });

  it('moves statuses forward by receipts of the chat, one event a step', async () => {
    const first = await harness.send('1', BOB.lid);
    const second = await harness.send('2', BOB.lid);
    const ids = [first.waMessageId, second.waMessageId];
    await apply(receipt(ids, undefined), receipt([ids[0] ?? ''], 'read'), receipt(ids, undefined));
    expect((await listed()).map(({ status }) => status)).toEqual(['delivered', 'read']);
    const steps = (await harness.logged()).filter(({ data }) => data.messageId === first.messageId);
    expect(steps.map(({ data }) => [data.previousStatus, data.status])).toEqual([
      [null, 'queued'],
      ['queued', 'delivered'],
      ['delivered', 'read'],
    ]);
    const before = await harness.logged();
    await apply(receipt(ids, undefined), receipt([ids[0] ?? ''], 'read'));
    expect(await harness.logged()).toEqual(before);
  });

  it('ignores receipts of strangers, of own devices, and of kinds that prove nothing', async () => {
    const { waMessageId, messageId } = await harness.send('1', BOB.lid);
    await apply(
      receipt([waMessageId], undefined, '66@lid'),
      receipt([waMessageId], undefined, '900:3@lid', { recipient: BOB.lid }),
      receipt([waMessageId], 'retry'),
      receipt(['UNKNOWN'], 'read'),
    );
    expect(await harness.messaging.get(OWNER, messageId)).toMatchObject({ status: 'queued' });
  });

  it('counts the first receipt of a group', async () => {
    const { waMessageId, messageId } = await harness.send('all', GROUP);
    await apply(receipt([waMessageId], 'read', GROUP, { participant: '77@lid' }));
    expect(await harness.messaging.get(OWNER, messageId)).toMatchObject({ status: 'read' });
  });

  it('marks a durable claim as sending, and never back', async () => {
    const { jobId, messageId, waMessageId } = await harness.send('1', BOB.lid);
    const claim = { kind: 'claim', jobId: jobId ?? '', messageId, at: 9 } as const;
    await apply(claim);
    expect(await harness.messaging.get(OWNER, messageId)).toMatchObject({ status: 'sending' });
    await apply(receipt([waMessageId], undefined), claim);
    expect(await harness.messaging.get(OWNER, messageId)).toMatchObject({ status: 'delivered' });
  });

  it('tells of reactions, edits and revocations once, and edits the message', async () => {
    const key = (id: string) => ({ key: { remoteJid: BOB.lid, id, fromMe: true } });
    const attrs = (id: string) => ({ id, from: '77:2@lid', sender_pn: BOB.pn });
    const editedMessage = { conversation: 'hello!' };
    const records = [
      fromBob('A1', 'helo'),
      inbound({ protocolMessage: { ...key('A1'), type: Type.MESSAGE_EDIT, editedMessage } }, attrs('E1')),
      inbound({ reactionMessage: { ...key('A1'), text: '👍' } }, attrs('X1')),
      inbound({ protocolMessage: { ...key('A1'), type: Type.REVOKE } }, attrs('V1')),
    ];
    await apply(...records);
    for (const record of records) await apply(record);
    await apply(...records);
    const [message] = await listed();
    expect(message).toMatchObject({ content: { text: 'hello!' } });
    const messageId = message?.messageId;
    const common = { messageId, chatId: BOB.lid, by: { id: BOB.lid } };
    expect(await harness.logged()).toMatchObject([
      { type: 'message.received' },
      { type: 'message.edited', data: { ...common, content: { type: 'text', text: 'hello!' } } },
      { type: 'message.reaction', data: { ...common, content: { type: 'reaction', emoji: '👍', messageId } } },
      { type: 'message.revoked', data: { ...common, content: null } },
    ]);
  });

  it('lets nobody edit or revoke what another one wrote', async () => {
    const { waMessageId, messageId } = await harness.send('mine', BOB.lid);
    const key = { remoteJid: BOB.lid, id: waMessageId, fromMe: true };
    const attrs = (id: string) => ({ id, from: '77@lid' });
    const editedMessage = { conversation: 'forged' };
    await apply(
      inbound({ protocolMessage: { key, type: Type.MESSAGE_EDIT, editedMessage } }, attrs('E1')),
      inbound({ protocolMessage: { key, type: Type.REVOKE } }, attrs('V1')),
    );
    expect(await harness.messaging.get(OWNER, messageId)).toMatchObject({ content: { text: 'mine' } });
    expect(await facts()).toEqual(['message.status']);
  });

  it('fences an owner whose successor has written', async () => {
    const { waMessageId, messageId, jobId } = await harness.send('1', BOB.lid);
    await harness.applier.apply([{ kind: 'claim', jobId: jobId ?? '', messageId, at: 9 }], harness.context(5));
    const stale = harness.applier.apply([receipt([waMessageId], undefined)], harness.context(4));
    await expect(stale).rejects.toMatchObject({ type: 'SESSION_FENCED' });
    const doc = await harness.store.collection<MessageDoc>('messages').findOne({ _id: messageId });
    expect(doc).toMatchObject({ status: 'sending', epoch: 5 });
  });

  it('applies receipts beside an outbox that writes the same messages', async () => {
    const sent = await Promise.all(Array.from({ length: 20 }, (_, n) => harness.send(`${n}`, BOB.lid)));
    const claims = sent.map(
      ({ jobId, messageId }) => ({ kind: 'claim', jobId: jobId ?? '', messageId, at: 9 }) as const,
    );
    await Promise.all([
      ...claims.map((claim) => apply(claim)),
      ...sent.map(({ waMessageId }) => apply(receipt([waMessageId], undefined))),
      apply(...sent.map(({ waMessageId }) => receipt([waMessageId], 'read'))),
    ]);
    expect(new Set((await listed()).map(({ status }) => status))).toEqual(new Set(['read']));
  });

  it('bears stanzas that make no sense', async () => {
    await apply(
      inbound({ conversation: 'no id' }, { from: '77@lid' }),
      inbound({ conversation: 'no sender' }, { id: 'Z1' }),
      inbound({ conversation: 'odd time' }, { id: 'Z2', from: '77@lid', t: '99999999999999' }),
      receipt([], undefined, 'nonsense'),
    );
    expect((await listed()).map(({ waMessageId }) => waMessageId)).toEqual(['Z2']);
  });
});
