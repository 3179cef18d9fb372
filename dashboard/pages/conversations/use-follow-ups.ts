import { type Signal, useSignal } from '@preact/signals';
import type { CastellanEvent, Page } from '../../../lib/contracts/entities.ts';
import { get, type Query } from '../../api/client.ts';
import { useEvents } from '../../api/use-events.ts';
import { useResource } from '../../api/use-resource.ts';
import { applyFollowUp, FOLLOW_UP_TYPES, type FollowUps, isFollowUp, NO_FOLLOW_UPS } from './follow-up-state.ts';

const PAGE_SIZE = 200;
/** The log runs oldest first; a connection with more reactions than this shows the oldest ones and what comes live. */
const MAX_PAGES = 25;

/**
 * Reactions, edits and deletions of a connection's messages. Messages do not carry them, the event log does: it is read
 * once, and followed from there.
 */
export function useFollowUps(connectionId: string): Signal<FollowUps> {
  const followUps = useSignal<FollowUps>(NO_FOLLOW_UPS);
  useResource(
    async (signal) => {
      const events = await readLog(connectionId, signal);
      followUps.value = events.filter(isFollowUp).reduce(applyFollowUp, followUps.value);
      return true;
    },
    [connectionId],
  );
  useEvents(FOLLOW_UP_TYPES, ({ event }) => {
    const untyped: CastellanEvent = event;
    if (event.connectionId === connectionId && isFollowUp(untyped)) {
      followUps.value = applyFollowUp(followUps.value, untyped);
    }
  });
  return followUps;
}

async function readLog(connectionId: string, signal: AbortSignal): Promise<CastellanEvent[]> {
  const events: CastellanEvent[] = [];
  let after: string | null = null;
  for (let page = 0; page < MAX_PAGES; page++) {
    const query: Query = { connectionId, types: FOLLOW_UP_TYPES.join(), limit: PAGE_SIZE, after };
    const { items, next }: Page<CastellanEvent> = await get('/event/list', query, signal);
    events.push(...items);
    if (next === null) break;
    after = next;
  }
  return events;
}
