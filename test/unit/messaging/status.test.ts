import fc from 'fast-check';
import { MESSAGE_STATUSES, type MessageStatus } from '../../../lib/contracts/entities.ts';
import { canBecome, isAccepted, statusOfReceipt, statusRank } from '../../../lib/messaging/status.ts';

const anyStatus = fc.constantFrom(...MESSAGE_STATUSES);
function follow(wishes: readonly MessageStatus[]): MessageStatus[] {
  const path: MessageStatus[] = ['queued'];
  for (const to of wishes) if (canBecome(path.at(-1) as MessageStatus, to)) path.push(to);
  return path;
}

describe('order of message statuses', () => {
  it('never goes back, whatever arrives in whatever order', () => {
    fc.assert(
      fc.property(fc.array(anyStatus, { maxLength: 30 }), (wishes) => {
        const ranks = follow(wishes).map(statusRank);
        expect(ranks).toEqual([...new Set(ranks)].sort((a, b) => a - b));
      }),
    );
  });

  it('ends at the furthest receipt, in whatever order they arrive', () => {
    const receipts: MessageStatus[] = ['sent', 'delivered', 'read', 'played'];
    fc.assert(
      fc.property(fc.subarray(receipts, { minLength: 1 }), fc.infiniteStream(fc.nat()), (some, keys) => {
        const shuffled = some.map((status) => ({ status, key: keys.next().value as number }));
        const wishes = shuffled.sort((a, b) => a.key - b.key).map(({ status }) => status);
        expect(follow(['sending', ...wishes]).at(-1)).toBe(some.at(-1));
      }),
    );
  });

  it('never lets a message fail, park or be cancelled that WhatsApp accepted, nor anything happen after a failure', () => {
    for (const to of MESSAGE_STATUSES) {
      expect(canBecome('failed', to)).toBe(false);
      expect(canBecome('cancelled', to)).toBe(false);
    }
    for (const from of MESSAGE_STATUSES.filter(isAccepted)) {
      expect([canBecome(from, 'failed'), canBecome(from, 'cancelled'), canBecome(from, 'parked')]).toEqual([
        false,
        false,
        false,
      ]);
    }
  });

  it('cancels only what nobody has begun, and believes a receipt of a parked message', () => {
    expect(MESSAGE_STATUSES.filter((from) => canBecome(from, 'cancelled'))).toEqual(['queued']);
    expect(canBecome('parked', 'delivered')).toBe(true);
    expect(canBecome('parked', 'sending')).toBe(false);
  });

  it('reads statuses of the recipient only from receipts of the recipient', () => {
    expect([undefined, 'read', 'played', 'read-self', 'sender', 'retry', 'inactive'].map(statusOfReceipt)).toEqual([
      'delivered',
      'read',
      'played',
      null,
      null,
      null,
      null,
    ]);
  });
});
