import type { ComponentChildren } from 'preact';
import type { Tone } from './tone.ts';

export type { Tone };

/** A state in a word. The word carries the meaning, the colour only helps. `busy` = it is going to change by itself. */
export function Badge({
  tone = 'idle',
  busy = false,
  children,
}: {
  tone?: Tone;
  busy?: boolean;
  children: ComponentChildren;
}) {
  return (
    <span class={`badge tone-${tone}${busy ? ' busy' : ''}`}>
      <span class="dot" aria-hidden="true" />
      {children}
    </span>
  );
}
