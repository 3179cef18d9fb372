import fc from 'fast-check';
import { parseRecipient, personForms } from '../../../lib/messaging/recipients.ts';

describe('parseRecipient', () => {
  it.each([
    ['15551234567', '15551234567@s.whatsapp.net'],
    ['+15551234567', '15551234567@s.whatsapp.net'],
    ['15551234567@s.whatsapp.net', '15551234567@s.whatsapp.net'],
    ['15551234567@c.us', '15551234567@s.whatsapp.net'],
    ['123456789012345@lid', '123456789012345@lid'],
    ['120363012345678901@g.us', '120363012345678901@g.us'],
    ['15551234567-1412345678@g.us', '15551234567-1412345678@g.us'],
  ])('takes %s', (to, id) => {
    expect(parseRecipient(to).id).toBe(id);
  });

  it.each([
    [''],
    ['+'],
    ['123456'],
    ['1234567890123456'],
    ['0555123456'],
    ['+1 555 123 4567'],
    ['a@b@c'],
    ['15551234567@s.whatsapp.net\r\nX: y'],
    ['15551234567\n'],
    ['status@broadcast'],
    ['1@call'],
    ['15551234567:3@s.whatsapp.net'],
    ['15551234567@S.WHATSAPP.NET'],
    ['@s.whatsapp.net'],
    ['@lid'],
    ['1@newsletter'],
    ['１５５５１２３４５６７'],
    [`${'1'.repeat(5000)}@g.us`],
    [15551234567],
    [null],
    [undefined],
    [['15551234567']],
    [{ $ne: 1 }],
    [{ toString: () => '15551234567' }],
  ])('refuses %p', (to) => {
    expect(() => parseRecipient(to)).toThrow(expect.objectContaining({ type: 'INVALID_RECIPIENT', code: 400 }));
  });

  it('gives one id for every way to write a number, and takes its own ids back', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[1-9]\d{6,14}$/), (digits) => {
        const ids = [digits, `+${digits}`, `${digits}@c.us`, `${digits}@s.whatsapp.net`].map(
          (to) => parseRecipient(to).id,
        );
        expect(new Set([...ids, parseRecipient(ids[0]).id]).size).toBe(1);
      }),
    );
  });
});

describe('personForms', () => {
  it('finds both names of a person among the ids of a stanza, without devices', () => {
    expect(personForms('77:12@lid', undefined, '15551234567@s.whatsapp.net')).toEqual({
      lid: '77@lid',
      pn: '15551234567@s.whatsapp.net',
    });
  });

  it.each(['status@broadcast', '1@g.us', 's.whatsapp.net', '@s.whatsapp.net', ''])('finds nobody in %p', (id) => {
    expect(personForms(id, undefined, null)).toBeNull();
  });
});
