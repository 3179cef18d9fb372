import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  applyEvent,
  emptyThread,
  isNews,
  mergeMessage,
  mergeMessages,
  mergeNewestPage,
} from '../../../dashboard/pages/conversations/thread-state.ts';
import { isLater, tickOf } from '../../../dashboard/pages/conversations/tick-state.ts';
import { MESSAGE_STATUSES, type MessageStatus } from '../../../lib/contracts/entities.ts';
import { canBecome } from '../../../lib/messaging/status.ts';
import { event, GRACE, message } from './samples.ts';

const empty = emptyThread('con_1', GRACE.id);
const outbound = (id: string, status: MessageStatus = 'queued') => message(id, { direction: 'outbound', status });

describe('a thread', () => {
  it('holds each message once, oldest first, whatever order pages and events come in', () => {
    const ids = ['msg_1', 'msg_2', 'msg_3', 'msg_4', 'msg_5'];
    fc.assert(
      fc.property(fc.array(fc.array(fc.constantFrom(...ids), { maxLength: 5 }), { maxLength: 8 }), (pages) => {
        const thread = pages.reduce(
          (t, page) =>
            mergeMessages(
              t,
              page.map((id) => message(id)),
            ),
          empty,
        );
        expect(thread.messages.map(({ messageId }) => messageId)).toEqual([...new Set(pages.flat())].sort());
      }),
    );
  });

  it('begins anew where a break was longer than a page, and leaves no gap unseen', () => {
    const ids = (thread: typeof empty) => thread.messages.map(({ messageId }) => messageId);
    const known = mergeMessages(empty, [message('msg_1'), message('msg_2')]);
    const page = [message('msg_9'), message('msg_8')];
    expect(ids(mergeNewestPage(known, page, true))).toEqual(['msg_8', 'msg_9']);
    expect(ids(mergeNewestPage(known, page, false))).toEqual(['msg_1', 'msg_2', 'msg_8', 'msg_9']);
    expect(ids(mergeNewestPage(known, [message('msg_3'), message('msg_2')], true))).toEqual([
      'msg_1',
      'msg_2',
      'msg_3',
    ]);
  });

  it('leaves out messages of other chats and connections', () => {
    const others = [message('msg_1', { chatId: '3@lid' }), message('msg_2', { connectionId: 'con_2' })];
    expect(mergeMessages(empty, others)).toBe(empty);
    const foreign = event('message.received', { message: message('msg_3') }, { connectionId: 'con_2' });
    expect(applyEvent(empty, foreign)).toBe(empty);
  });

  it('shows what arrives and what another client sends', () => {
    let thread = applyEvent(empty, event('message.received', { message: message('msg_1') }));
    thread = applyEvent(thread, event('message.sent', { message: outbound('msg_2', 'sent') }));
    expect(thread.messages.map(({ status }) => status)).toEqual(['delivered', 'sent']);
  });

  it('moves ticks forward only, in whatever order the events come', () => {
    const steps: MessageStatus[] = ['sending', 'sent', 'delivered', 'read'];
    fc.assert(
      fc.property(fc.shuffledSubarray(steps, { minLength: 4 }), (order) => {
        const start = mergeMessages(empty, [outbound('msg_1')]);
        const end = order.reduce(
          (t, status) => applyEvent(t, event('message.status', { messageId: 'msg_1', status })),
          start,
        );
        expect(end.messages[0]?.status).toBe('read');
      }),
    );
  });

  it('keeps a later status when an older answer comes after its event', () => {
    const start = mergeMessages(empty, [outbound('msg_1', 'delivered')]);
    expect(mergeMessages(start, [outbound('msg_1', 'queued')]).messages[0]?.status).toBe('delivered');
  });

  it('shows why a message failed', () => {
    const error = { type: 'NOT_ON_WHATSAPP', message: 'The number is not on WhatsApp.' };
    const start = mergeMessages(empty, [outbound('msg_1', 'sending')]);
    const end = applyEvent(start, event('message.status', { messageId: 'msg_1', status: 'failed', error }));
    expect(end.messages[0]).toMatchObject({ status: 'failed', error });
  });

  it('shows the new text of an edited message, and keeps it against an older answer', () => {
    const content = { type: 'text' as const, text: 'corrected' };
    const data = { messageId: 'msg_1', waMessageId: 'wa-msg_1', chatId: GRACE.id, by: GRACE, content };
    const end = applyEvent(mergeMessages(empty, [message('msg_1')]), event('message.edited', data));
    expect(end.messages[0]?.content).toEqual(content);
    const known = message('msg_1', { content, updatedAt: '2026-08-20T10:05:00.000Z' });
    expect(mergeMessage(known, message('msg_1')).content).toEqual(content);
  });

  it('asks for the list when something is queued elsewhere, and not for what it knows', () => {
    const queued = event('message.status', { messageId: 'msg_1', status: 'queued' });
    expect(isNews(empty, queued)).toBe(true);
    expect(isNews(mergeMessages(empty, [outbound('msg_1')]), queued)).toBe(false);
    expect(isNews(empty, event('message.status', { messageId: 'msg_1', status: 'read' }))).toBe(false);
  });
});

describe('ticks', () => {
  it('never contradict the order of statuses that the server keeps', () => {
    for (const from of MESSAGE_STATUSES) {
      for (const to of MESSAGE_STATUSES)
        if (canBecome(from, to)) expect([from, to, isLater(from, to)]).toEqual([from, to, true]);
    }
  });

  it('name a status that this page does not know', () => {
    expect(tickOf('teleported')).toEqual({ mark: 'unknown', label: 'teleported' });
    expect(tickOf('constructor').label).toBe('constructor');
    expect(isLater('sent', 'teleported')).toBe(true);
  });
});
