import { CONNECTION_STATUSES } from '../../../lib/contracts/entities.ts';
import { MAX_TEXT_LENGTH } from '../../../lib/messaging/acceptance.ts';
import type { JobDoc, MessageDoc } from '../../../lib/storage/collections.ts';
import { ME, type MessagingHarness, OWNER, openMessagingHarness, STRANGER } from '../../helpers/messaging-harness.ts';

const NUMBER = '15551234567';

describe('accepting a send', () => {
  let harness: MessagingHarness;
  beforeEach(async () => {
    harness = await openMessagingHarness();
  });
  afterEach(() => harness.close());

  const stored = async () => ({
    messages: await harness.store.collection<MessageDoc>('messages').find({}),
    jobs: await harness.store.collection<JobDoc>('jobs').find({}),
    events: await harness.logged(),
  });

  it('stores message, job and event together before it answers, the content encrypted', async () => {
    const message = await harness.send('secret canary', NUMBER);
    expect(message).toMatchObject({
      direction: 'outbound',
      source: 'api',
      status: 'queued',
      content: { type: 'text', text: 'secret canary' },
      chatId: `${NUMBER}@s.whatsapp.net`,
      from: ME,
      waMessageId: expect.stringMatching(/^3EB0[0-9A-F]{18}$/),
    });
    const { messages, jobs, events } = await stored();
    expect(jobs).toMatchObject([{ _id: message.jobId, subjectId: message.messageId, outboxSeq: 1, status: 'pending' }]);
    expect(events).toMatchObject([
      { type: 'message.status', data: { messageId: message.messageId, status: 'queued', previousStatus: null } },
    ]);
    expect(Buffer.from(messages[0]?.content ?? []).includes('canary')).toBe(false);
  });

  it('goes to the own chat when nobody is named', async () => {
    expect(await harness.send('note to self')).toMatchObject({ chatId: ME.id, to: ME });
    expect(await harness.send('the same', '+15550000900')).toMatchObject({ chatId: ME.id });
  });

  it('asks once who goes by a new number, and never about a known one, a LID or the own number', async () => {
    const asked: string[] = [];
    const options = {
      askForLid: async (pn: string) => {
        asked.push(pn);
        return '77@lid';
      },
    };
    const sendTo = async (to: string) => {
      const params = { connectionId: harness.connectionId, content: 'hello', to };
      return (await harness.messaging.send(OWNER, params, options)).message.chatId;
    };
    const chats = await Promise.all([sendTo(NUMBER), sendTo(`+${NUMBER}`), sendTo(`${NUMBER}@c.us`)]);
    expect(chats).toEqual(['77@lid', '77@lid', '77@lid']);
    expect(await sendTo(NUMBER)).toBe('77@lid');
    expect(await sendTo('78@lid')).toBe('78@lid');
    expect(await sendTo(String(ME.pn))).toBe(ME.id);
    expect(asked).toEqual([`${NUMBER}@s.whatsapp.net`]);
  });

  it('asks nobody while the connection is not open', async () => {
    await harness.setConnection({ status: 'reconnecting' });
    const params = { connectionId: harness.connectionId, content: 'hello', to: NUMBER };
    const askForLid = () => Promise.reject(new Error('nobody may be asked'));
    const { message } = await harness.messaging.send(OWNER, params, { askForLid });
    expect(message.chatId).toBe(`${NUMBER}@s.whatsapp.net`);
  });

  it('numbers sends in the order in which they were accepted', async () => {
    for (const text of ['a', 'b', 'c']) await harness.send(text, NUMBER);
    const jobs = await harness.store.collection<JobDoc>('jobs').find({}, { sort: [['outboxSeq', 1]] });
    expect(jobs.map((job) => job.outboxSeq)).toEqual([1, 2, 3]);
  });

  it.each(CONNECTION_STATUSES)('knows what to do in status %s', async (status) => {
    await harness.setConnection({ status });
    const attempt = await harness.send('x', NUMBER).then(
      () => 'accepted',
      (error) => error.type,
    );
    const queues = ['open', 'connecting', 'reconnecting', 'restricted'].includes(status);
    const gone = ['logged_out', 'banned', 'locked'].includes(status);
    expect(attempt).toBe(queues ? 'accepted' : gone ? 'LOGGED_OUT' : 'WRONG_STATE');
    expect((await stored()).messages).toHaveLength(queues ? 1 : 0);
  });

  it('refuses a connection that is being stopped, or was never paired', async () => {
    await harness.setConnection({ desiredState: 'stopped' });
    await expect(harness.send('x', NUMBER)).rejects.toMatchObject({ type: 'WRONG_STATE' });
    await harness.setConnection({ desiredState: 'running', status: 'connecting', me: null });
    await expect(harness.send('x', NUMBER)).rejects.toMatchObject({ type: 'WRONG_STATE' });
  });

  it('does not show another tenant that a connection is there', async () => {
    const { connectionId } = harness;
    const foreign = harness.messaging.send(STRANGER, { connectionId, content: 'x', to: NUMBER });
    await expect(foreign).rejects.toMatchObject({ type: 'NOT_FOUND' });
    const message = await harness.send('mine', NUMBER);
    await expect(harness.messaging.get(STRANGER, message.messageId)).rejects.toMatchObject({ type: 'NOT_FOUND' });
    await expect(harness.messaging.jobCancel(STRANGER, message.jobId ?? '')).rejects.toMatchObject({
      type: 'NOT_FOUND',
    });
    await expect(harness.messaging.list(STRANGER, { connectionId })).rejects.toMatchObject({ type: 'NOT_FOUND' });
    expect((await harness.messaging.list(STRANGER, { chatId: NUMBER })).items).toEqual([]);
    expect((await harness.messaging.jobList(STRANGER, {})).items).toEqual([]);
  });

  it.each([
    ['an empty text', '', 'VALIDATION_ERROR'],
    ['a text that is too long', 'x'.repeat(MAX_TEXT_LENGTH + 1), 'VALIDATION_ERROR'],
    ['half of a surrogate pair', 'a\ud83d', 'VALIDATION_ERROR'],
    ['text without text', { type: 'text' }, 'VALIDATION_ERROR'],
    ['a kind that cannot be sent', { type: 'image' }, 'UNSUPPORTED_CONTENT'],
  ])('refuses %s and stores nothing', async (_name, content, type) => {
    const { connectionId } = harness;
    await expect(harness.messaging.send(OWNER, { connectionId, content, to: NUMBER })).rejects.toMatchObject({
      type,
      code: 400,
    });
    await expect(harness.send('x', 'status@broadcast')).rejects.toMatchObject({ type: 'INVALID_RECIPIENT' });
    expect(await stored()).toEqual({ messages: [], jobs: [], events: [] });
  });

  it('takes the longest text', async () => {
    expect((await harness.send('x'.repeat(MAX_TEXT_LENGTH), NUMBER)).status).toBe('queued');
  });

  it('answers a repeat with what exists, also when the connection has gone meanwhile', async () => {
    const params = { connectionId: harness.connectionId, content: 'once', to: NUMBER };
    const options = { reservedUlid: '01K0000000000000000000000A' };
    const first = await harness.messaging.send(OWNER, params, options);
    expect(first.message.messageId).toBe(`msg_${options.reservedUlid}`);
    expect(await harness.messaging.send(OWNER, params, options)).toEqual(first);
    await harness.setConnection({ status: 'logged_out' });
    expect(await harness.messaging.send(OWNER, params, options)).toEqual(first);
    expect((await stored()).jobs).toHaveLength(1);
  });

  it('cancels what nobody has begun, once', async () => {
    const { jobId, messageId } = await harness.send('never mind', NUMBER, { sendAt: '2999-01-01T00:00:00Z' });
    expect(await harness.messaging.jobCancel(OWNER, jobId ?? '')).toMatchObject({ jobId, status: 'cancelled' });
    expect(await harness.messaging.get(OWNER, messageId)).toMatchObject({ status: 'cancelled' });
    await expect(harness.messaging.jobCancel(OWNER, jobId ?? '')).rejects.toMatchObject({
      type: 'WRONG_STATE',
      code: 409,
    });
    expect((await harness.logged()).at(-1)).toMatchObject({ data: { status: 'cancelled', previousStatus: 'queued' } });
  });

  it('lists a chat by every form of its id, page by page', async () => {
    for (const text of ['1', '2', '3']) await harness.send(text, NUMBER);
    await harness.send('elsewhere', '15557654321');
    for (const chatId of [NUMBER, `+${NUMBER}`, `${NUMBER}@c.us`]) {
      const first = await harness.messaging.list(OWNER, { chatId, limit: 2 });
      const second = await harness.messaging.list(OWNER, { chatId, limit: 2, after: first.next ?? '' });
      const texts = [...first.items, ...second.items].map(({ content }) =>
        content.type === 'text' ? content.text : '',
      );
      expect(texts).toEqual(['3', '2', '1']);
      expect(second.next).toBeNull();
    }
    await expect(harness.messaging.list(OWNER, { chatId: 'nonsense' })).rejects.toMatchObject({
      type: 'INVALID_RECIPIENT',
    });
  });

  it('stops waiting when time is up, and leaves the message queued', async () => {
    const params = {
      connectionId: harness.connectionId,
      content: 'x',
      to: NUMBER,
      wait: 'sent',
      timeoutMs: 100,
    } as const;
    expect(await harness.messaging.send(OWNER, params)).toMatchObject({ sent: false, message: { status: 'queued' } });
  });
});
