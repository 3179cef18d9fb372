import { describe, expect, it } from '@jest/globals';
import {
  addMovement,
  applyToWorkers,
  type Movement,
  movementOf,
} from '../../../dashboard/pages/cluster/placement-state.ts';
import { event } from './samples.ts';

const worker = { workerId: 'wrk_1', connectionId: 'con_1', nodeId: 'node-a', epoch: 1, status: 'live', startedAt: '' };
const moved = (cause: string, toNode: string | null = 'node-b', epoch = 2) =>
  event('connection.moved', { fromNode: 'node-a', toNode, cause }, { epoch });
const status = (to: string, from: string | null, epoch = 1) =>
  event('connection.status', { status: to, previousStatus: from, reason: null }, { epoch });

describe('movements', () => {
  it('tell moves from takeovers and say why', () => {
    expect(movementOf(moved('drain'))).toMatchObject({ kind: 'move', text: 'node-a → node-b: the node is drained' });
    expect(movementOf(moved('crash'))).toMatchObject({ kind: 'takeover' });
    expect(movementOf(moved('moonphase'))).toMatchObject({ text: 'node-a → node-b: moonphase' });
  });

  it('show when a connection goes and comes back, and not the steps in between', () => {
    expect(movementOf(status('reconnecting', 'open'))).toMatchObject({ kind: 'down' });
    expect(movementOf(status('open', 'reconnecting'))).toMatchObject({ kind: 'up' });
    expect(movementOf(status('connecting', 'reconnecting'))).toBeNull();
    expect(movementOf(event('webhook.test', {}, { connectionId: null }))).toBeNull();
  });

  it('are listed newest first, once each, a limited number of them', () => {
    const all = Array.from({ length: 250 }, () => movementOf(moved('drain')) as Movement);
    const list = all.reduce(addMovement, [] as readonly Movement[]);
    expect(list).toHaveLength(200);
    expect(list[0]).toBe(all.at(-1));
    expect(addMovement(list, all.at(-1) as Movement)).toBe(list);
  });
});

describe('where connections live', () => {
  it('follows a move at once and reads the list again for the rest', () => {
    const after = applyToWorkers([worker], moved('drain'));
    expect(after.workers).toMatchObject([{ nodeId: 'node-b', epoch: 2 }]);
    expect(after.stale).toBe(true);
    expect(applyToWorkers([worker], moved('drain', null)).workers).toEqual([]);
  });

  it('is read again when a later activation shows up or one ends, and not for what changes nothing', () => {
    expect(applyToWorkers([worker], status('open', 'connecting'))).toEqual({ workers: [worker], stale: false });
    expect(applyToWorkers([worker], status('open', 'connecting', 2)).stale).toBe(true);
    expect(applyToWorkers([worker], status('stopped', 'open')).stale).toBe(true);
    expect(applyToWorkers([], status('open', null)).stale).toBe(true);
    expect(applyToWorkers([worker], event('webhook.test', {})).stale).toBe(false);
  });
});
