import { describe, expect, it } from '@jest/globals';
import { systemClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import { createHandOver } from '../../../lib/session/hand-over.ts';
import { eventually } from '../../helpers/eventually.ts';

/* The other node is a fake: what counts here is how many are between two nodes at once, which real logins would blur. */
function between() {
  const arriving = new Map<string, () => void>();
  const released: string[] = [];
  let isMeant = true;
  const handOver = createHandOver({
    ownership: { placeOf: () => 'b', successorsOf: () => ['b'] },
    peers: {
      reserve: async () => 0,
      offer: async () => true,
      arrival: (_nodeId, connectionId) => new Promise((resolve) => arriving.set(connectionId, resolve)),
    },
    clock: systemClock,
    log: silentLog,
    async release(connectionId) {
      released.push(connectionId);
      return true;
    },
  });
  const arrive = (connectionId: string) => {
    arriving.get(connectionId)?.();
    arriving.delete(connectionId);
  };
  /** Also those that leave because others have arrived. */
  async function letAllArrive(end: Promise<unknown>): Promise<void> {
    let isOver = false;
    void end.then(() => {
      isOver = true;
    });
    await eventually(() => {
      for (const connectionId of arriving.keys()) arrive(connectionId);
      expect(isOver).toBe(true);
    });
  }

  return {
    handOver,
    released,
    arriving,
    arrive,
    letAllArrive,
    callOff: () => {
      isMeant = false;
    },
    isMeant: () => isMeant,
  };
}

const NEVER = new Promise<void>(() => {});
const names = (count: number) => Array.from({ length: count }, (_, n) => `con${n}`);

describe('handing over', () => {
  it('goes on with the next one when one of four has arrived', async () => {
    const { handOver, released, arriving, arrive, letAllArrive } = between();
    const leaving = names(6).map((name) => handOver.leave(name, NEVER));
    await eventually(() => expect([...arriving.keys()]).toEqual(['con0', 'con1', 'con2', 'con3']));
    expect(released).toHaveLength(4);
    arrive('con2');
    await eventually(() => expect(released).toHaveLength(5));
    expect(released.at(-1)).toBe('con4');
    await letAllArrive(Promise.all(leaving));
    expect(new Set(released)).toEqual(new Set(names(6)));
  });

  it('waits for nobody any more when a shutdown is in a hurry', async () => {
    const { handOver, released } = between();
    const hurry = Promise.withResolvers<void>();
    const leaving = names(50).map((name) => handOver.leave(name, hurry.promise));
    await eventually(() => expect(released).toHaveLength(4));
    hurry.resolve();
    await Promise.all(leaving);
    expect(new Set(released).size).toBe(50);
  });

  it('leaves what a move that was called off has left here', async () => {
    const { handOver, released, arriving, arrive, letAllArrive, callOff, isMeant } = between();
    for (const name of names(4)) void handOver.move(name, () => true);
    await eventually(() => expect(arriving.size).toBe(4));
    const move = handOver.move('late', isMeant);
    const leave = handOver.leave('late', NEVER);
    callOff();
    arrive('con0');
    await move;
    await eventually(() => expect(released).toContain('late'));
    await letAllArrive(leave);
  });
});
