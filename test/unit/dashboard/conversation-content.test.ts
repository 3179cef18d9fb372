import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { previewOf, viewOf } from '../../../dashboard/pages/conversations/content-view.ts';
import {
  addDraft,
  draftsOf,
  refuseDraft,
  removeDraft,
  retryDraft,
} from '../../../dashboard/pages/conversations/draft-state.ts';
import { adviceFor } from '../../../dashboard/pages/conversations/failure-reason.ts';
import { applyFollowUp, NO_FOLLOW_UPS, reactionsTo } from '../../../dashboard/pages/conversations/follow-up-state.ts';
import { adviceForRefusal } from '../../../dashboard/pages/conversations/send-refusal.ts';
import { partsOf, safeHref } from '../../../dashboard/pages/conversations/text-links.ts';
import { ERROR_CATALOGUE } from '../../../lib/errors.ts';
import { ADA, event, GRACE } from './samples.ts';

describe('content', () => {
  it('shows media as what they are, with caption and file', () => {
    expect(viewOf({ type: 'document', fileName: 'a.pdf', mimetype: 'application/pdf', caption: 'the bill' })).toEqual({
      kind: 'placeholder',
      media: 'document',
      label: 'Document (a.pdf, application/pdf)',
      caption: 'the bill',
    });
    expect(viewOf({ type: 'sticker' })).toMatchObject({ label: 'Sticker', caption: null });
  });

  it('names kinds that are not understood, also ones of a later version', () => {
    expect(viewOf({ type: 'unsupported', kind: 'pollCreationMessage' })).toMatchObject({
      label: 'Message of a kind not shown here: pollCreationMessage',
    });
    expect(viewOf({ type: 'hologram' } as never)).toMatchObject({ label: 'Message of type hologram' });
    expect(viewOf({ type: 'constructor' } as never)).toMatchObject({ label: 'Message of type constructor' });
  });

  it('previews in one short line and cuts no character in two', () => {
    expect(previewOf({ type: 'text', text: 'two\nlines' })).toBe('two lines');
    expect(previewOf({ type: 'image', caption: 'the sea' })).toBe('Picture: the sea');
    expect(previewOf({ type: 'text', text: '😀'.repeat(200) })).toBe(`${'😀'.repeat(120)}…`);
  });
});

describe('links in a text', () => {
  it('are the text again when they are joined, whatever it is', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('https://a.example/x?y=1', 'javascript:alert(1)', ' (http://b.example).'),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join('');
        const parts = partsOf(text);
        expect(parts.map((part) => part.text).join('')).toBe(text);
        for (const { href } of parts) if (href !== null) expect(href).toMatch(/^https?:\/\//);
      }),
    );
  });

  it('end before the end of the sentence', () => {
    expect(partsOf('See https://a.example/x).')).toEqual([
      { text: 'See ', href: null },
      { text: 'https://a.example/x', href: 'https://a.example/x' },
      { text: ').', href: null },
    ]);
  });

  it.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:x',
    '//evil.example',
    'https://bank.example@evil.example/',
    'https://a.example/\u202egpj.exe',
  ])('are never made of %j', (value) => {
    expect(safeHref(value)).toBeNull();
    expect(partsOf(value).every(({ href }) => href === null)).toBe(true);
  });
});

describe('what went wrong', () => {
  it('is told with what to do, for every status that ends badly', () => {
    expect(adviceFor({ status: 'failed', error: { type: 'NOT_ON_WHATSAPP', message: '' } })).toMatchObject({
      retry: false,
    });
    const limited = adviceFor({ status: 'failed', error: { type: 'REJECTED_BY_WHATSAPP', message: '', waCode: 463 } });
    expect(limited?.why).toContain('new chats');
    const refused = adviceFor({ status: 'failed', error: { type: 'REJECTED_BY_WHATSAPP', message: '', waCode: 479 } });
    expect(refused?.why).toContain('479');
    expect(
      adviceFor({ status: 'failed', error: { type: 'BRAND_NEW', message: 'Said by a later version.' } })?.why,
    ).toBe('Said by a later version.');
    expect(adviceFor({ status: 'parked', error: null })?.whatToDo).toContain('twice');
    expect(adviceFor({ status: 'read', error: null })).toBeNull();
  });

  it('is told for every refusal that the API knows', () => {
    for (const type of [...Object.keys(ERROR_CATALOGUE), 'OFFLINE']) {
      const { why, whatToDo } = adviceForRefusal({ type, message: 'as the API says' });
      expect(why).not.toBe('');
      expect(whatToDo).not.toBe('');
    }
    expect(adviceForRefusal({ type: 'WRONG_STATE', message: '', status: 'stopped' })).toMatchObject({
      why: 'The connection cannot send: Stopped.',
      whatToDo: expect.stringContaining('Start'),
    });
  });
});

describe('drafts', () => {
  it('stay with their key until they are stored or given up', () => {
    const chat = { connectionId: 'con_1', chatId: GRACE.id };
    const written = addDraft([], { draftId: 'k1', ...chat, text: 'hello' });
    const refused = refuseDraft(written, 'k1', { why: 'a', whatToDo: 'b', retry: true });
    expect(draftsOf(refused, chat)).toMatchObject([{ draftId: 'k1', state: 'refused', text: 'hello' }]);
    expect(retryDraft(refused, 'k1')).toMatchObject([{ draftId: 'k1', state: 'submitting', advice: null }]);
    expect(draftsOf(refused, { ...chat, connectionId: 'con_2' })).toEqual([]);
    expect(removeDraft(refused, 'k1')).toEqual([]);
  });
});

describe('follow-ups', () => {
  const about = { messageId: 'msg_1', waMessageId: 'wa-1', chatId: GRACE.id };
  const react = (by: typeof ADA, emoji: string) =>
    event('message.reaction', { ...about, by, content: { type: 'reaction' as const, emoji, messageId: 'msg_1' } });

  it('count the same reactions together, one for each person, until they are taken back', () => {
    const both = [react(ADA, '👍'), react(GRACE, '👍')].reduce(applyFollowUp, NO_FOLLOW_UPS);
    expect(reactionsTo(both, about)).toEqual([{ emoji: '👍', names: ['Ada', 'Grace'] }]);
    const changed = applyFollowUp(both, react(ADA, '❤️'));
    expect(reactionsTo(changed, about)).toHaveLength(2);
    expect(reactionsTo(applyFollowUp(changed, react(ADA, '')), about)).toEqual([{ emoji: '👍', names: ['Grace'] }]);
    expect(reactionsTo(both, { chatId: 'other', waMessageId: 'wa-1' })).toEqual([]);
  });

  it('mark what was edited and deleted', () => {
    const content = { type: 'text' as const, text: 'new' };
    const edited = applyFollowUp(NO_FOLLOW_UPS, event('message.edited', { ...about, by: GRACE, content }));
    expect(edited.edited.has(`${GRACE.id} wa-1`)).toBe(true);
    const revoked = applyFollowUp(edited, event('message.revoked', { ...about, by: GRACE, content: null }));
    expect(revoked.revoked.get(`${GRACE.id} wa-1`)?.by).toBe('Grace');
  });
});
