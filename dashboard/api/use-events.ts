import { useEffect, useRef } from 'preact/hooks';
import type { EventType } from '../../lib/contracts/entities.ts';
import { onEvents, onResync, type StreamedEvent } from './event-stream.ts';

/** Follows the live events while the component is shown. `listener` may be a new function every time. */
export function useEvents(types: readonly (EventType | '*')[], listener: (item: StreamedEvent) => void): void {
  const latest = useRef(listener);
  latest.current = listener;
  const key = types.join();
  useEffect(() => onEvents(types, (item) => latest.current(item)), [key]);
}

/** Runs when the stream is there again after a break. */
export function useResync(run: () => void): void {
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => onResync(() => latest.current()), []);
}
