import { describe, expect, it } from '@jest/globals';
import { createMessageTurns, turnOfMessage, turnOfWaMessage } from '../../../lib/messaging/message-turns.ts';

describe('the turns of a message', () => {
  it('go in the order of the calls for every name that two have in common, and others do not wait', async () => {
    const turns = createMessageTurns();
    const told: string[] = [];
    const gate = Promise.withResolvers<void>();
    const both = [turnOfMessage('msg_1'), turnOfWaMessage('con', 'A')];
    const first = turns.inTurn(both, async (waited) => {
      await gate.promise;
      told.push(`ack ${waited}`);
    });
    const second = turns.inTurn([turnOfWaMessage('con', 'A')], async (waited) => void told.push(`receipt ${waited}`));
    const third = turns.inTurn([turnOfMessage('msg_1')], async (waited) => void told.push(`claim ${waited}`));
    await turns.inTurn([turnOfWaMessage('other', 'A')], async (waited) => void told.push(`elsewhere ${waited}`));
    expect(told).toEqual(['elsewhere false']);
    gate.resolve();
    await Promise.all([first, second, third]);
    expect(told).toEqual(['elsewhere false', 'ack false', 'receipt true', 'claim true']);
  });

  it('go on after one that failed, and nothing is remembered of those that are over', async () => {
    const turns = createMessageTurns();
    const failing = turns.inTurn(['msg_1'], () => Promise.reject(new Error('no')));
    const next = turns.inTurn(['msg_1'], async (waited) => waited);
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe(true);
    expect(await turns.inTurn(['msg_1'], async (waited) => waited)).toBe(false);
  });
});
