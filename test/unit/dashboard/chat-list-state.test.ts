import { describe, expect, it } from '@jest/globals';
import {
  applyToChats,
  markSeen,
  mergeChats,
  titleOf,
  withMessage,
} from '../../../dashboard/pages/conversations/chat-list-state.ts';
import type { Chat } from '../../../lib/contracts/entities.ts';
import { event, GRACE, message } from './samples.ts';

const elsewhere = { id: '3@lid', lid: '3@lid', pn: null, name: 'Hedy' };
const group = '120363000000000001@g.us';
const received = (id: string, fields = {}) => event('message.received', { message: message(id, fields) });

describe('the list of chats', () => {
  it('brings the chat of a new message to its top and counts it as unread', () => {
    let chats = applyToChats([], received('msg_1'), null);
    chats = applyToChats(chats, received('msg_2', { chatId: elsewhere.id, from: elsewhere }), null);
    chats = applyToChats(chats, received('msg_3'), null);
    expect(chats.map(({ chatId, unread }) => [chatId, unread])).toEqual([
      [GRACE.id, 2],
      [elsewhere.id, 1],
    ]);
  });

  it('counts nothing in the open chat, nothing twice, and nothing that came before the account wrote', () => {
    let chats = applyToChats([], received('msg_1'), GRACE.id);
    expect(chats[0]?.unread).toBe(0);
    const again = received('msg_2');
    chats = applyToChats(applyToChats(chats, again, null), again, null);
    expect(chats[0]?.unread).toBe(1);
    const sent = event('message.sent', { message: message('msg_3', { direction: 'outbound', status: 'sent' }) });
    expect(applyToChats(chats, sent, null)[0]?.unread).toBe(0);
    expect(markSeen(chats, GRACE.id)[0]?.unread).toBe(0);
  });

  it('shows the ticks of the last message as they change', () => {
    const chats = withMessage([], message('msg_1', { direction: 'outbound' }), null);
    const read = event('message.status', { messageId: 'msg_1', status: 'read' });
    expect(applyToChats(chats, read, null)[0]?.lastMessage.status).toBe('read');
    const unknown = event('message.status', { messageId: 'msg_9', status: 'read' });
    expect(applyToChats(chats, unknown, null)).toBe(chats);
  });

  it('keeps the newer message when an older page comes in', () => {
    const chats = withMessage([], message('msg_5'), null);
    const page = [{ ...(chats[0] as Chat), lastMessage: message('msg_4') }];
    expect(mergeChats(chats, page).map(({ lastMessage }) => lastMessage.messageId)).toEqual(['msg_5']);
  });

  it('calls a chat by name, by number or by id, and never a group by who wrote last', () => {
    expect(titleOf(withMessage([], message('msg_1'), null)[0] as never)).toBe('Grace');
    const nameless = { ...GRACE, name: null };
    expect(titleOf(withMessage([], message('msg_1', { from: nameless }), null)[0] as never)).toBe('+15552223333');
    const inGroup = message('msg_1', { chatId: group, to: { id: group, lid: null, pn: null, name: null } });
    expect(titleOf(withMessage([], inGroup, null)[0] as never)).toBe(group);
  });
});
