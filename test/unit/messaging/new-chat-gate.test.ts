import { createNewChatGate, type NewChatPause } from '../../../lib/messaging/new-chat-gate.ts';
import { createManualClock } from '../../helpers/manual-clock.ts';

const HOUR_MS = 3_600_000;

function open(pause: NewChatPause | null = null, clock = createManualClock()) {
  const changes: (NewChatPause | null)[] = [];
  const gate = createNewChatGate({ clock, pause, onChange: (next) => changes.push(next) });
  return { clock, gate, changes };
}

describe('new chats under a reach-out restriction', () => {
  it('holds nothing back before WhatsApp refuses, nor for other refusals', () => {
    const { gate, changes } = open();
    expect(gate.holdBack(['a', 'b'])).toEqual([]);
    expect(gate.answered('a', 479)).toBe(false);
    expect([gate.isPaused, changes]).toEqual([false, []]);
  });

  it('takes the refusals of chats that were under way together as one', () => {
    const { clock, gate, changes } = open();
    expect(gate.answered('a', 463)).toBe(true);
    expect(gate.answered('b', 463)).toBe(false);
    expect(changes).toEqual([{ until: clock.now() + 6 * HOUR_MS, delayMs: 6 * HOUR_MS }]);
    expect(gate.holdBack(['b', 'c'])).toEqual(['b', 'c']);
  });

  it('tries the oldest new chat alone when the time has come; another one where that ended without an answer', async () => {
    const { clock, gate } = open();
    gate.answered('a', 463);
    await clock.advance(6 * HOUR_MS - 1);
    expect(gate.holdBack(['b', 'c'])).toEqual(['b', 'c']);
    await clock.advance(1);
    expect(gate.holdBack(['b', 'c'])).toEqual(['c']);
    expect(gate.holdBack(['d', 'b', 'c'])).toEqual(['d', 'c']);
    gate.ended('b');
    expect(gate.holdBack(['c', 'd'])).toEqual(['d']);
  });

  it('is over when the try passes; what passes in known chats says nothing', async () => {
    const { clock, gate, changes } = open();
    gate.answered('a', 463);
    await clock.advance(6 * HOUR_MS);
    gate.holdBack(['b', 'c']);
    expect(gate.answered('friend', null)).toBe(false);
    expect(gate.isPaused).toBe(true);
    expect(gate.answered('b', null)).toBe(true);
    expect(changes.at(-1)).toBeNull();
    expect(gate.holdBack(['c'])).toEqual([]);
  });

  it('waits twice as long after every refused try, a day at most, also across sockets', async () => {
    let pause: NewChatPause | null = null;
    const waits: number[] = [];
    const clock = createManualClock();
    for (let round = 0; round < 4; round += 1) {
      const { gate, changes } = open(pause, clock);
      if (pause) await clock.advance(pause.delayMs);
      gate.holdBack(['a']);
      gate.answered('a', 463);
      pause = changes.at(-1) ?? null;
      waits.push((pause?.delayMs ?? 0) / HOUR_MS);
    }
    expect(waits).toEqual([6, 12, 24, 24]);
  });
});
