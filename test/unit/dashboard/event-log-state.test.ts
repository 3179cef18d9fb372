import { describe, expect, it } from '@jest/globals';
import {
  addEntries,
  CAPACITY,
  clear,
  EMPTY_LOG,
  entriesOfPage,
  NO_FILTER,
  pause,
  queryOf,
  resume,
  showEntries,
  visible,
} from '../../../dashboard/pages/events/event-log-state.ts';
import { summaryOf } from '../../../dashboard/pages/events/event-summary.ts';
import { EVENT_TYPES, type EventType } from '../../../lib/contracts/entities.ts';
import { event, GRACE, message } from './samples.ts';

const entry = (type: EventType = 'webhook.test', fields = {}) => ({ event: event(type, {}, fields), after: null });

describe('the event log', () => {
  it('shows the newest first, each once, through the filter', () => {
    const a = entry('message.received');
    const b = entry('connection.status', { connectionId: 'con_2' });
    const state = addEntries(addEntries(EMPTY_LOG, [a, b]), [b]);
    expect(visible(state.shown, NO_FILTER)).toEqual([b, a]);
    expect(visible(state.shown, { types: ['message.received'], connectionId: null })).toEqual([a]);
    expect(visible(state.shown, { types: [], connectionId: 'con_2' })).toEqual([b]);
    expect(visible(state.shown, { types: ['message.received'], connectionId: 'con_2' })).toEqual([]);
  });

  it('holds what comes while it is paused and shows it afterwards', () => {
    const a = entry();
    const b = entry();
    const paused = addEntries(pause(addEntries(EMPTY_LOG, [a])), [b]);
    expect(paused.shown).toEqual([a]);
    expect(paused.held).toEqual([b]);
    expect(resume(paused)).toMatchObject({ shown: [a, b], held: [], paused: false });
    expect(clear(paused)).toMatchObject({ shown: [], held: [], paused: true });
  });

  it('keeps the newest and says how many had to go', () => {
    const many = Array.from({ length: CAPACITY + 3 }, () => entry());
    const state = addEntries(EMPTY_LOG, many);
    expect(state.shown).toEqual(many.slice(3));
    expect(state.dropped).toBe(3);
  });

  it('begins a replay at the event, from the page that has it', () => {
    const events = [event('webhook.test', 1), event('webhook.test', 2), event('webhook.test', 3)];
    const from = events[1]?.eventId;
    expect(entriesOfPage(events, 'c1', from).map((e) => [e.event.data, e.after])).toEqual([
      [2, 'c1'],
      [3, 'c1'],
    ]);
    expect(entriesOfPage(events, 'c1', 'evt_gone')).toHaveLength(3);
    expect(entriesOfPage(events, null)).toHaveLength(3);
  });

  it('shows what was asked for while it is paused, and holds what comes by itself', () => {
    const a = entry();
    const b = entry();
    const state = showEntries(addEntries(pause(EMPTY_LOG), [a]), [b]);
    expect(state).toMatchObject({ shown: [b], held: [a], paused: true });
    expect(resume(state).shown).toEqual([b, a]);
  });

  it('asks the API for what the filter lets through', () => {
    expect(queryOf(NO_FILTER)).toEqual({ types: null, connectionId: null });
    const filter = { types: ['auth.qr', 'auth.succeeded'], connectionId: 'con_1' };
    expect(queryOf(filter)).toEqual({ types: 'auth.qr,auth.succeeded', connectionId: 'con_1' });
  });
});

describe('a summary', () => {
  it('says in a line what happened', () => {
    expect(summaryOf(event('message.received', { message: message('msg_1') }))).toBe('Grace: text of msg_1');
    const down = { status: 'reconnecting', previousStatus: 'open', reason: 'Lost.' };
    expect(summaryOf(event('connection.status', down))).toBe('open → reconnecting: Lost.');
    const moved = { fromNode: 'a', toNode: 'b', cause: 'drain' };
    expect(summaryOf(event('connection.moved', moved))).toBe('a → b (drain)');
    expect(summaryOf(event('message.revoked', { by: GRACE }))).toBe('Grace deleted a message');
  });

  it('bears any data and any type', () => {
    for (const type of [...EVENT_TYPES, 'constructor', 'of.a.later.version']) {
      for (const data of [null, {}, 'x', { message: 1, by: null }]) {
        expect(typeof summaryOf(event(type as EventType, data))).toBe('string');
      }
    }
  });
});
