import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

interface CardProps {
  title?: string;
  actions?: ComponentChildren;
  /** no padding: the content goes to the edge (tables) */
  flush?: boolean;
  children: ComponentChildren;
}

/** A box of the page; with a title it is a region of its own. */
export function Card({ title, actions, flush, children }: CardProps) {
  const id = useId();
  if (!title) return <div class={flush ? 'card flush' : 'card'}>{children}</div>;
  return (
    <section class={flush ? 'card flush' : 'card'} aria-labelledby={id}>
      <div class="card-head">
        <h2 id={id}>{title}</h2>
        {actions && <div class="row">{actions}</div>}
      </div>
      {children}
    </section>
  );
}
