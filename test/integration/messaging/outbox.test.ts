import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { systemClock } from '../../../lib/clock.ts';
import { CastellanError } from '../../../lib/errors.ts';
import { silentLog } from '../../../lib/log.ts';
import { identitiesOf } from '../../../lib/messaging/identities.ts';
import type { NewChatPause } from '../../../lib/messaging/new-chat-gate.ts';
import type { Outbox, OutboxOptions } from '../../../lib/messaging/outbox.port.ts';
import { createOutbox } from '../../../lib/messaging/outbox.ts';
import type { JobDoc } from '../../../lib/storage/collections.ts';
import { eventually } from '../../helpers/eventually.ts';
import { ME, type MessagingHarness, OWNER, openMessagingHarness } from '../../helpers/messaging-harness.ts';
import { ACCEPTED, closed, type ScriptedSocket, scriptedSocket } from '../../helpers/scripted-socket.ts';

const A = '15551110001';
const B = '15551110002';

/* The socket is scripted (see scripted-socket.ts); the store is a real SQLite file. */
describe('outbox', () => {
  let harness: MessagingHarness;
  let running: Outbox[] = [];
  beforeEach(async () => {
    harness = await openMessagingHarness();
  });
  afterEach(async () => {
    await Promise.all(running.map((outbox) => outbox.stop()));
    running = [];
    await harness.close();
  });

  function drain(socket: ScriptedSocket, more: Partial<OutboxOptions> = {}): Outbox {
    const { store, events, vault, turns, connectionId } = harness;
    const outbox = createOutbox({
      store,
      turns,
      events,
      vault,
      clock: systemClock,
      log: silentLog,
      connection: { connectionId, userId: OWNER.userId },
      epoch: 1,
      socket,
      ...more,
    });
    running.push(outbox);
    outbox.start();
    return outbox;
  }

  const jobs = () => harness.store.collection<JobDoc>('jobs').find({}, { sort: [['outboxSeq', 1]] });
  const settled = (count: number) =>
    eventually(async () => {
      const ended = (await jobs()).filter((job) => job.status !== 'pending' && job.status !== 'processing');
      expect(ended).toHaveLength(count);
      return ended;
    });
  const claim = (jobId: string | null, messageId: string, epoch = 1) =>
    harness.applier.apply([{ kind: 'claim', jobId: jobId ?? '', messageId, at: 5 }], harness.context(epoch));

  it('sends in order, marks sent on the ack, and logs every step once', async () => {
    for (const text of ['1', '2', '3']) await harness.send(text, A);
    const socket = scriptedSocket();
    drain(socket);
    expect((await settled(3)).map((job) => job.status)).toEqual(['completed', 'completed', 'completed']);
    expect(socket.texts()).toEqual(['1', '2', '3']);
    const [first] = socket.begun;
    const events = (await harness.logged()).filter(({ data }) => data.messageId === first?.messageId);
    expect(events.map(({ data }) => [data.previousStatus, data.status])).toEqual([
      [null, 'queued'],
      ['queued', 'sending'],
      ['sending', 'sent'],
    ]);
    const sent = (await harness.logged()).filter(({ type }) => type === 'message.sent');
    expect(sent.map(({ data }) => data.message)).toMatchObject([
      { content: { text: '1' }, status: 'sent', source: 'api' },
      { content: { text: '2' } },
      { content: { text: '3' } },
    ]);
  });

  it('keeps the order of every chat while chats do not wait for each other, whatever the acks do', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ chat: fc.nat(5), ackMs: fc.nat(4) }), { minLength: 1, maxLength: 120, size: 'max' }),
        fc.nat(120),
        async (plan, waiting) => {
          const before = (await jobs()).length;
          const accept = async (from: number, to: number) => {
            for (const [index, { chat }] of plan.entries()) {
              if (index >= from && index < to) await harness.send(`${index}`, `1555111000${chat}`);
              running.at(-1)?.wake();
            }
          };
          await accept(0, waiting);
          const socket = scriptedSocket(async ({ content }) => {
            await delay(plan[Number(content.type === 'text' && content.text)]?.ackMs);
            return ACCEPTED;
          });
          const outbox = drain(socket);
          await accept(waiting, plan.length);
          await settled(before + plan.length);
          await outbox.stop();
          for (let chat = 0; chat <= 5; chat += 1) {
            const texts = socket.texts().filter((text) => plan[Number(text)]?.chat === chat);
            expect(texts).toEqual([...texts].sort((a, b) => Number(a) - Number(b)));
          }
          expect(socket.begun).toHaveLength(plan.length);
          expect(socket.most.inOneChat).toBe(1);
        },
      ),
      { numRuns: 15 },
    );
  });

  it('keeps one order for a person whose number and LID were met apart, and so have two chats', async () => {
    const scope = { connectionId: harness.connectionId, userId: OWNER.userId };
    const identities = identitiesOf(harness.store);
    const first = await harness.send('1', A);
    await identities.meet(scope, { lid: '77@lid', pn: null });
    await identities.meet(scope, { lid: '77@lid', pn: `${A}@s.whatsapp.net` });
    const second = await harness.send('2', A);
    expect([first.chatId, second.chatId]).toEqual([`${A}@s.whatsapp.net`, '77@lid']);
    const socket = scriptedSocket(async () => {
      await delay(5);
      return ACCEPTED;
    });
    drain(socket);
    await settled(2);
    expect(socket.texts()).toEqual(['1', '2']);
    expect(socket.most.overall).toBe(1);
  });

  it('goes on with other chats while one waits for its ack behind a long queue', async () => {
    for (let n = 0; n < 100; n += 1) await harness.send(`a${n}`, A);
    await harness.send('b', B);
    const socket = scriptedSocket(({ content }) =>
      content.type === 'text' && content.text === 'a0' ? new Promise(() => {}) : ACCEPTED,
    );
    drain(socket);
    await settled(1);
    expect(socket.texts()).toEqual(['a0', 'b']);
    running = [];
  });

  it('addresses a number by its LID, asks WhatsApp once, and finds the chat by both', async () => {
    const sent = await harness.send('1', A);
    const socket = scriptedSocket(undefined, (pn) => ({ lid: '77@lid', pn }));
    drain(socket);
    await settled(1);
    await harness.send('2', '77@lid');
    await harness.send('3', A);
    running[0]?.wake();
    await settled(3);
    expect(socket.begun.map(({ chatId }) => chatId)).toEqual(['77@lid', '77@lid', '77@lid']);
    expect(socket.lookups).toEqual([`${A}@s.whatsapp.net`]);
    for (const chatId of ['77@lid', A]) {
      const { items } = await harness.messaging.list(OWNER, { chatId });
      expect(items.map((item) => item.chatId)).toEqual([sent.chatId, sent.chatId, sent.chatId]);
    }
    expect((await harness.messaging.get(OWNER, sent.messageId)).to).toMatchObject({ lid: '77@lid', id: sent.chatId });
  });

  it('fails what is not on WhatsApp and what WhatsApp refuses, each with its reason', async () => {
    const absent = harness.messaging.send(OWNER, waiting('1', A));
    const refused = harness.messaging.send(OWNER, waiting('2', B));
    const outcomes = Promise.allSettled([absent, refused]);
    drain(
      scriptedSocket(
        () => ({ waCode: 479, serverTimestamp: null }),
        (pn) => (pn.startsWith(A) ? null : { lid: null, pn }),
      ),
    );
    expect(await outcomes).toMatchObject([
      { reason: { type: 'NOT_ON_WHATSAPP', code: 422 } },
      { reason: { type: 'REJECTED_BY_WHATSAPP', code: 422, data: { waCode: 479 } } },
    ]);
    expect((await jobs()).map((job) => job.status)).toEqual(['failed', 'failed']);
    const failure = (await harness.logged()).find(({ data }) => data.status === 'failed' && data.error);
    expect(failure?.data.error).toMatchObject({ type: 'NOT_ON_WHATSAPP' });
  });

  const waiting = (content: string, to: string) =>
    ({ connectionId: harness.connectionId, content, to, wait: 'sent', timeoutMs: 10_000 }) as const;

  it('answers a caller that waits as soon as WhatsApp has the message', async () => {
    const answer = harness.messaging.send(OWNER, waiting('now', A));
    drain(scriptedSocket());
    expect(await answer).toMatchObject({ sent: true, message: { status: 'sent' } });
  });

  it('pauses new chats alone after code 463', async () => {
    await harness.send('hello', A);
    drain(scriptedSocket());
    await settled(1);
    await running[0]?.stop();
    await harness.send('to a stranger', B);
    await harness.send('to another one', '15551110003');
    await harness.send('to a friend', A);
    const pauses: (NewChatPause | null)[] = [];
    const socket = scriptedSocket(({ chatId }) =>
      chatId.startsWith(A) ? ACCEPTED : { waCode: 463, serverTimestamp: null },
    );
    drain(socket, { maxInFlight: 1, onNewChatPause: (pause) => pauses.push(pause) });
    await settled(3);
    expect(socket.texts()).toEqual(['to a stranger', 'to a friend']);
    expect(pauses).toEqual([{ until: expect.any(Number), delayMs: 6 * 3_600_000 }]);
    expect((await jobs()).map((job) => job.status)).toEqual(['completed', 'failed', 'pending', 'completed']);
    expect((await jobs())[1]?.error).toMatchObject({ type: 'REJECTED_BY_WHATSAPP', waCode: 463 });
  });

  it('tries one new chat when the pause is over, and lets the others follow when it passes', async () => {
    for (const [text, to] of [
      ['1', A],
      ['2', B],
      ['3', A],
    ] as const)
      await harness.send(text, to);
    const pauses: (NewChatPause | null)[] = [];
    const refusing = scriptedSocket(() => ({ waCode: 463, serverTimestamp: null }));
    const past = { until: Date.now() - 1, delayMs: 6 * 3_600_000 };
    drain(refusing, { newChatPause: past, onNewChatPause: (pause) => pauses.push(pause) });
    await settled(1);
    await running[0]?.stop();
    expect(refusing.texts()).toEqual(['1']);
    expect(pauses).toEqual([{ until: expect.any(Number), delayMs: 12 * 3_600_000 }]);

    const willing = scriptedSocket();
    drain(willing, { newChatPause: past, onNewChatPause: (pause) => pauses.push(pause) });
    await settled(3);
    expect(willing.texts()).toEqual(['2', '3']);
    expect(pauses.at(-1)).toBeNull();
  });

  it('sends nothing from another account than the one that it was accepted for', async () => {
    await harness.send('from the old number', A);
    const socket = scriptedSocket();
    drain(socket, { account: { id: '901@lid', lid: '901@lid', pn: '15550000901@s.whatsapp.net', name: null } });
    expect(await settled(1)).toMatchObject([{ status: 'failed', error: { type: 'LOGGED_OUT' } }]);
    expect(socket.begun).toEqual([]);
  });

  it('sends for an account that has learnt its LID since', async () => {
    await harness.setConnection({ me: { ...ME, id: String(ME.pn), lid: null } });
    await harness.send('hello', A);
    drain(scriptedSocket(), { account: ME });
    expect(await settled(1)).toMatchObject([{ status: 'completed' }]);
  });

  it('sends again with the same id over the next socket when one closed before the ack', async () => {
    const message = await harness.send('once', A);
    const first = scriptedSocket(() => Promise.reject(closed(true)));
    drain(first);
    await eventually(() => expect(first.begun).toHaveLength(1));
    await running[0]?.stop();
    expect((await jobs())[0]).toMatchObject({ status: 'processing', attempts: 1 });
    const second = scriptedSocket();
    drain(second);
    await settled(1);
    expect([...first.begun, ...second.begun].map(({ waMessageId }) => waMessageId)).toEqual([
      message.waMessageId,
      message.waMessageId,
    ]);
  });

  it('parks instead, if the caller asked for that, and a receipt settles it', async () => {
    const message = await harness.send('at most once', A, { onUnknown: 'park' });
    drain(scriptedSocket(() => Promise.reject(closed(true))));
    expect(await settled(1)).toMatchObject([{ status: 'parked' }]);
    expect(await harness.messaging.get(OWNER, message.messageId)).toMatchObject({ status: 'parked' });
    const attrs = { id: message.waMessageId, from: `${A}@s.whatsapp.net` };
    await harness.applier.apply([{ kind: 'receipt', ids: [message.waMessageId], attrs, at: 9 }], harness.context());
    expect(await harness.messaging.get(OWNER, message.messageId)).toMatchObject({ status: 'delivered' });
    expect(await jobs()).toMatchObject([{ status: 'completed' }]);
  });

  it('does not park what certainly never left', async () => {
    await harness.send('later', A, { onUnknown: 'park' });
    const first = scriptedSocket(() => Promise.reject(closed(false)));
    drain(first);
    await eventually(() => expect(first.begun).toHaveLength(1));
    await running[0]?.stop();
    expect(await jobs()).toMatchObject([{ status: 'pending' }]);
    drain(scriptedSocket());
    expect(await settled(1)).toMatchObject([{ status: 'completed' }]);
  });

  /* A crash is an outbox that is never heard of again: its promises stay open, a later epoch takes over. */
  it('takes over what a crashed owner left: resent with the same id, or parked where the claim is durable', async () => {
    const resent = await harness.send('resend', A);
    const parked = await harness.send('park', B, { onUnknown: 'park' });
    const unclaimed = await harness.send('park, unclaimed', '15551110003', { onUnknown: 'park' });
    const crashed = scriptedSocket(() => new Promise(() => {}));
    drain(crashed);
    await eventually(() => expect(crashed.begun).toHaveLength(3));
    running = [];
    await claim(resent.jobId, resent.messageId, 2);
    await claim(parked.jobId, parked.messageId, 2);
    const next = scriptedSocket();
    drain(next, { epoch: 2 });
    expect((await settled(3)).map((job) => job.status)).toEqual(['completed', 'parked', 'completed']);
    expect(next.begun.map(({ waMessageId }) => waMessageId)).toEqual([resent.waMessageId, unclaimed.waMessageId]);
  });

  it('writes nothing for a job that a later epoch has taken', async () => {
    await harness.send('contested', A);
    let answerLate: (error: Error) => void = () => {};
    const stale = scriptedSocket(
      () =>
        new Promise((_resolve, reject) => {
          answerLate = reject;
        }),
    );
    drain(stale);
    await eventually(() => expect(stale.begun).toHaveLength(1));
    const owner = scriptedSocket(() => new Promise(() => {}));
    drain(owner, { epoch: 2 });
    await eventually(() => expect(owner.begun).toHaveLength(1));
    const before = await jobs();
    answerLate(closed(false));
    await running[0]?.stop();
    running = [];
    expect(await jobs()).toEqual(before);
    const none = scriptedSocket();
    const late = drain(none, { epoch: 1 });
    await late.stop();
    expect(none.begun).toEqual([]);
  });

  it('never both cancels and sends', async () => {
    const sent = await Promise.all(Array.from({ length: 60 }, (_, n) => harness.send(`${n}`, `1555111${1000 + n}`)));
    const socket = scriptedSocket(() => delay(1, ACCEPTED));
    drain(socket);
    const cancelled = await Promise.allSettled(
      [...sent].reverse().map(({ jobId }) => delay(1).then(() => harness.messaging.jobCancel(OWNER, jobId ?? ''))),
    );
    const count = cancelled.filter(({ status }) => status === 'fulfilled').length;
    const ended = await settled(60);
    expect(ended.filter((job) => job.status === 'cancelled')).toHaveLength(count);
    expect(socket.begun).toHaveLength(60 - count);
    expect(socket.begun.length * count).toBeGreaterThan(0);
  });

  it('finds work whose wake-up was lost, and scheduled work when it is due', async () => {
    const socket = scriptedSocket();
    drain(socket);
    await harness.send('in a moment', A, { sendAt: new Date(Date.now() + 300).toISOString() });
    await harness.send('nobody woke me', B);
    await eventually(() => expect(socket.texts().sort()).toEqual(['in a moment', 'nobody woke me']), {
      timeoutMs: 5_000,
    });
    const due = (await jobs()).find((job) => job.outboxSeq === 1);
    expect(due?.updatedAt).toBeGreaterThanOrEqual(due?.runAt ?? Number.POSITIVE_INFINITY);
  });

  it('sends a scheduled message before younger ones of its chat once it is due', async () => {
    await harness.send('first by right', A, { sendAt: new Date(Date.now() + 50).toISOString() });
    await delay(60);
    await harness.send('second', A);
    const socket = scriptedSocket();
    drain(socket);
    await settled(2);
    expect(socket.texts()).toEqual(['first by right', 'second']);
  });

  it('gives a message up that fails for reasons of its own, and goes on behind it', async () => {
    await harness.send('poison', A);
    await harness.send('behind it', A);
    const socket = scriptedSocket(({ content }) => {
      if (content.type === 'text' && content.text === 'poison') throw new Error('cannot be encrypted');
      return ACCEPTED;
    });
    const impatient = { ...systemClock, after: (_ms: number, fn: () => void) => systemClock.after(1, fn) };
    drain(socket, { clock: impatient });
    expect(await settled(2)).toMatchObject([
      { status: 'failed', error: { type: 'INTERNAL_ERROR' } },
      { status: 'completed' },
    ]);
    expect(socket.texts().at(-1)).toBe('behind it');
  });

  it('keeps an ack until the store takes it', async () => {
    await harness.send('precious', A);
    let failures = 3;
    const flaky = {
      ...harness.store,
      atomically: async (writes: Parameters<typeof harness.store.atomically>[0]) => {
        if (failures-- > 0) throw new CastellanError('STORE_UNAVAILABLE');
        return harness.store.atomically(writes);
      },
    };
    const socket = scriptedSocket();
    drain(socket, { store: flaky });
    expect(await settled(1)).toMatchObject([{ status: 'completed' }]);
    expect(socket.begun).toHaveLength(1);
  });
});
