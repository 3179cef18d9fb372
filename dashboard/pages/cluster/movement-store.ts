import { effect, signal } from '@preact/signals';
import type { CastellanEvent } from '../../../lib/contracts/entities.ts';
import { onEvents } from '../../api/event-stream.ts';
import { session } from '../../api/session.ts';
import { addMovement, type Movement, movementOf } from './placement-state.ts';

/** Moves, takeovers and drops since the page was loaded, newest first, also while another page was shown. */
export const movements = signal<readonly Movement[]>([]);

onEvents(['connection.moved', 'connection.status'], ({ event }) => {
  const movement = movementOf(event as CastellanEvent);
  if (movement) movements.value = addMovement(movements.value, movement);
});

let reader: string | null = null;
effect(() => {
  const userId = session.value?.userId ?? null;
  if (userId === reader) return;
  reader = userId;
  movements.value = [];
});
