import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { lockKeyOf } from '../../../lib/cluster/lease-keeper.ts';
import type { Locks } from '../../../lib/cluster/locks.port.ts';
import type { NodeStatus, Owner } from '../../../lib/cluster/membership.port.ts';
import { createMemoryLocks } from '../../../lib/cluster/memory-locks.ts';
import { type Claim, createOwnership, type Refusal, type SessionHead } from '../../../lib/cluster/ownership.ts';
import { createStoredMembership } from '../../../lib/cluster/stored-membership.ts';
import { silentLog } from '../../../lib/log.ts';
import { DEFAULT_OWNERSHIP_TIMINGS as TIMINGS } from '../../../lib/timings.ts';
import { createManualClock, type ManualClock } from '../../helpers/manual-clock.ts';
import { type TemporaryStore, temporaryStore } from '../../helpers/temporary-store.ts';

/*
 * The guards of several nodes over one store and one lock table, on a clock that stands still. The locks are those of one
 * process: what Redis does with the same calls is held by the locks' conformance suite.
 */
const CONNECTION = 'con_one';
const STATUS: NodeStatus = {
  draining: false,
  connections: 0,
  open: 0,
  memoryBytes: 0,
  messagesPerMinute: 0,
  startedAt: 0,
  drainingSince: null,
};

let clock: ManualClock;
let opened: TemporaryStore;
let table: Locks;
/** what the journal says of the one connection */
let head: SessionHead | null;
let running: { stop(): Promise<void> }[];

beforeEach(async () => {
  clock = createManualClock();
  opened = await temporaryStore();
  table = createMemoryLocks({ clock });
  head = null;
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((node) => node.stop()));
  await opened.remove();
});

/** FLUSHALL: everything is forgotten, the generation too. */
function flush(): void {
  table = createMemoryLocks({ clock });
}

const forgetful: Locks = {
  claim: (...args) => table.claim(...args),
  claimInGeneration: (...args) => table.claimInGeneration(...args),
  renew: (...args) => table.renew(...args),
  release: (...args) => table.release(...args),
  holderOf: (...args) => table.holderOf(...args),
  generation: () => table.generation(),
  close: async () => {},
};

async function startNode(nodeId: string, { seat = null, onLook }: { seat?: string | null; onLook?(): void } = {}) {
  const owner: Owner = { nodeId, incarnation: randomUUID(), seat };
  const lost: string[] = [];
  let seatTaken = false;
  let looks = 0;
  const membership = createStoredMembership({
    store: opened.store,
    clock,
    log: silentLog,
    owner,
    capacity: 1_000,
    timings: TIMINGS,
  });
  const ownership = createOwnership({
    owner,
    locks: forgetful,
    membership,
    async headOf() {
      looks += 1;
      if (looks % 2 === 0) onLook?.();
      return head;
    },
    clock,
    log: silentLog,
    timings: TIMINGS,
    onOver: (connectionId) => lost.push(connectionId),
    onChange: () => {},
    onSeatTaken: () => {
      seatTaken = true;
    },
  });
  const node = {
    owner,
    ownership,
    lost,
    seatTaken: () => seatTaken,
    claim: () => ownership.claim(CONNECTION),
    /** Claims, and writes the takeover. */
    async own() {
      const claim = await ownership.claim(CONNECTION);
      if ('refused' in claim) throw new Error(claim.refused);
      claim.lease.recorded();
      head = { seq: (head?.seq ?? 0) + 1, epoch: (head?.epoch ?? 0) + 1, owner, released: false };
      return claim.lease;
    },
    /** What `kill -9` does: no timer runs any more, nothing is said. */
    stop: () => ownership.stop({ farewell: false }),
  };
  await ownership.start(() => STATUS);
  running.push(node);
  return node;
}

/** In steps, so that reads and renewals get their turns. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 250) await clock.advance(250);
}

const outcomeOf = (claim: Claim | Refusal) => ('refused' in claim ? claim.refused : 'claimed');
const release = () => {
  if (head) head = { ...head, seq: head.seq + 1, released: true };
};

describe('a claim', () => {
  test('of what nobody ever ran needs the lock only', async () => {
    const a = await startNode('a');
    expect(outcomeOf(await a.claim())).toBe('claimed');
  });

  test('is refused while the recorded owner lives, whatever became of its lock', async () => {
    const [a, b] = [await startNode('a'), await startNode('b')];
    await a.own();
    await pass(15_000);
    await table.release(lockKeyOf(CONNECTION), `a:${a.owner.incarnation}`, 1);
    expect(await table.holderOf(lockKeyOf(CONNECTION))).toBeNull();
    expect(outcomeOf(await b.claim())).toBe('the owner lives');
    expect(await table.holderOf(lockKeyOf(CONNECTION))).toBeNull();
  });

  test('of what its owner released needs the lock only', async () => {
    const [a, b] = [await startNode('a'), await startNode('b')];
    const lease = await a.own();
    expect(outcomeOf(await b.claim())).toBe('the owner lives');
    release();
    expect(outcomeOf(await b.claim())).toBe('another holds the lock');
    await a.ownership.release(lease);
    expect(outcomeOf(await b.claim())).toBe('claimed');
  });

  test('goes over an owner that has been silent for 10 s, and not a moment sooner', async () => {
    const [a, b] = [await startNode('a'), await startNode('b')];
    await a.own();
    await pass(15_000);
    await a.stop();
    /* its last heartbeat was up to 2 s before it died */
    await pass(7_500);
    expect(outcomeOf(await b.claim())).toBe('the owner lives');
    await pass(3_500);
    expect(outcomeOf(await b.claim())).toBe('claimed');
  });

  test('by a node that has just come waits until it has listened for 10 s itself', async () => {
    const a = await startNode('a');
    await a.own();
    await a.stop();
    await pass(60_000);
    const b = await startNode('b');
    await pass(9_000);
    expect(outcomeOf(await b.claim())).toBe('the owner lives');
    await pass(2_000);
    expect(outcomeOf(await b.claim())).toBe('claimed');
  });

  test('waits for a whole new watch when the locks forgot during the silence', async () => {
    const [a, b] = [await startNode('a'), await startNode('b')];
    await a.own();
    await pass(15_000);
    await a.stop();
    await pass(8_000);
    flush();
    await pass(3_000);
    expect(outcomeOf(await b.claim())).toBe('its silence is not proven yet');
    await pass(8_000);
    expect(outcomeOf(await b.claim())).toBe('claimed');
  });

  test('finds in the same step that the locks have just forgotten', async () => {
    const [a, b] = [await startNode('a'), await startNode('b')];
    await a.own();
    await pass(15_000);
    await a.stop();
    await pass(12_000);
    flush();
    expect(outcomeOf(await b.claim())).toBe('the locks forgot');
    expect(await table.holderOf(lockKeyOf(CONNECTION))).toBeNull();
  });

  test('gives the lock back when somebody wrote between its two looks', async () => {
    const a = await startNode('a');
    const b = await startNode('b', {
      onLook: () => {
        head = { seq: 1, epoch: 1, owner: a.owner, released: false };
      },
    });
    expect(outcomeOf(await b.claim())).toBe('somebody was faster');
    expect(await table.holderOf(lockKeyOf(CONNECTION))).toBeNull();
  });

  test('gives the lock back when the store fails at the second look', async () => {
    const a = await startNode('a', {
      onLook: () => {
        throw new Error('the store is away');
      },
    });
    await expect(a.claim()).rejects.toThrow('the store is away');
    expect(await table.holderOf(lockKeyOf(CONNECTION))).toBeNull();
  });

  test('by the owner itself waits for nothing', async () => {
    const a = await startNode('a');
    await a.ownership.release(await a.own());
    expect(outcomeOf(await a.claim())).toBe('claimed');
  });
});

describe('a restart', () => {
  test('under the same exclusive seat takes everything back at once, the lock of its former life too', async () => {
    const former = await startNode('a', { seat: 'pod:1' });
    await former.own();
    await pass(5_000);
    await former.stop();
    const next = await startNode('a', { seat: 'pod:1' });
    expect(outcomeOf(await next.claim())).toBe('claimed');
    expect(await table.holderOf(lockKeyOf(CONNECTION))).toBe(`a:${next.owner.incarnation}`);
  });

  test.each([
    ['another seat', 'pod:1', 'pod:2'],
    ['no seat', null, null],
  ])('under the same name and %s waits like everybody else', async (_, before, after) => {
    const former = await startNode('a', { seat: before });
    await former.own();
    await pass(5_000);
    await former.stop();
    const next = await startNode('a', { seat: after });
    await pass(9_000);
    expect(outcomeOf(await next.claim())).toBe('the owner lives');
    await pass(2_500);
    expect(outcomeOf(await next.claim())).toBe('claimed');
  });

  test('ends whoever still runs under that name', async () => {
    const former = await startNode('a');
    const lease = await former.own();
    await startNode('a');
    await pass(2_500);
    expect(former.seatTaken()).toBe(true);
    expect(lease.standing()).toBe('over');
    expect(former.lost).toEqual([CONNECTION]);
  });
});

describe('a node that was replaced by another of its name', () => {
  /** @returns the nodes after `a` ran the connection and was killed, and `silentMs` of its silence before its successor came */
  async function replaced(silentMs: number, seats: [string | null, string | null] = [null, null]) {
    const [former, other] = [await startNode('a', { seat: seats[0] }), await startNode('b')];
    await former.own();
    await pass(15_000);
    await former.stop();
    await pass(silentMs);
    const successor = await startNode('a', { seat: seats[1] });
    return { former, other, successor };
  }

  test('leaves its connections to who has listened for 10 s already, not to its successor', async () => {
    const { other, successor } = await replaced(6_000);
    await pass(1_000);
    expect(outcomeOf(await other.claim())).toBe('the owner lives');
    expect(other.ownership.standInOf(CONNECTION, 'a')).toBeNull();
    /* of the 10 s, 6 were before its successor came */
    await pass(4_000);
    expect(outcomeOf(await successor.claim())).toBe('the owner lives');
    expect(other.ownership.standInOf(CONNECTION, 'a')).toBe('b');
    expect(outcomeOf(await other.claim())).toBe('claimed');
    /* from then on its successor can tell, too */
    await pass(8_000);
    expect(other.ownership.standInOf(CONNECTION, 'a')).toBeNull();
  });

  test('was heard of up to its end: a heartbeat that nobody has seen begins its silence anew', async () => {
    const { former, other } = { former: await startNode('a'), other: await startNode('b') };
    await former.own();
    await pass(15_000);
    await former.stop();
    await pass(6_000);
    /* stored, and replaced before anybody looks */
    await opened.store.collection('nodes').updateOne({ _id: 'a' }, { $inc: { counter: 1 } });
    await startNode('a');
    await pass(5_000);
    expect(outcomeOf(await other.claim())).toBe('the owner lives');
    await pass(6_000);
    expect(outcomeOf(await other.claim())).toBe('claimed');
  });

  test('leaves them to its successor where the seat proves its end', async () => {
    const { other, successor } = await replaced(6_000, ['pod:1', 'pod:1']);
    await pass(5_000);
    expect(other.ownership.standInOf(CONNECTION, 'a')).toBeNull();
    expect(outcomeOf(await successor.claim())).toBe('claimed');
  });
});

describe('the members', () => {
  test('are those that were heard lately; a dead one stays dead until it beats', async () => {
    const [a, b] = [await startNode('a'), await startNode('b')];
    const seenByA = () => a.ownership.members().map(({ nodeId }) => nodeId);
    await pass(1_000);
    expect(seenByA().sort()).toEqual(['a', 'b']);
    await b.stop();
    await pass(11_000);
    expect(seenByA()).toEqual(['a']);
    await startNode('b');
    await pass(1_000);
    expect(seenByA().sort()).toEqual(['a', 'b']);
  });

  test('that say farewell are gone at once', async () => {
    const [a, b] = [await startNode('a'), await startNode('b')];
    await pass(1_000);
    await b.ownership.stop({ farewell: true });
    await pass(1_000);
    expect(a.ownership.members().map(({ nodeId }) => nodeId)).toEqual(['a']);
  });

  test('that drain live, and are no place for anything', async () => {
    const [a, b] = [await startNode('a'), await startNode('b')];
    await b.stop();
    const drainer = createStoredMembership({
      store: opened.store,
      clock,
      log: silentLog,
      owner: { nodeId: 'c', incarnation: randomUUID() },
      capacity: 1_000_000,
      timings: TIMINGS,
    });
    const hooks = { onConfirmed() {}, onSeatTaken() {}, onChange() {} };
    await drainer.start({ ...hooks, status: () => ({ ...STATUS, draining: true }) });
    await pass(12_000);
    expect(
      a.ownership
        .members()
        .map(({ nodeId }) => nodeId)
        .sort(),
    ).toEqual(['a', 'c']);
    expect(a.ownership.placeOf(CONNECTION)).toBe('a');
    expect(a.ownership.successorsOf(CONNECTION)).toEqual([]);
    await drainer.stop({ farewell: false });
  });
});
