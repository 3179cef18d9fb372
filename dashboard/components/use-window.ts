import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

/** Rows above and below the screen that are drawn too, so that the keyboard always finds the next one. */
const OVERSCAN = 12;
const FIRST_GUESS_PX = 56;
const FIRST_SCREEN_ROWS = 40;

export interface RowWindow {
  body: RefObject<HTMLDivElement>;
  /** first row that is drawn */
  from: number;
  /** the row after the last one */
  to: number;
  /** pixels that stand for the rows before and after */
  before: number;
  after: number;
}

/** Which of many rows of one height are on the screen, while the page scrolls. Costs the same for 50 and 50,000 rows. */
export function useWindow(count: number, active: boolean): RowWindow {
  const body = useRef<HTMLDivElement>(null);
  const [range, setRange] = useState({ from: 0, to: FIRST_SCREEN_ROWS, rowPx: FIRST_GUESS_PX });

  useLayoutEffect(() => {
    if (!active) return;
    let frame = 0;
    const look = () => {
      frame = 0;
      if (body.current) setRange((former) => next(former, body.current as HTMLElement, count));
    };
    const later = () => {
      frame ||= requestAnimationFrame(look);
    };
    look();
    addEventListener('scroll', later, { passive: true });
    addEventListener('resize', later);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener('scroll', later);
      removeEventListener('resize', later);
    };
  }, [active, count]);

  if (!active) return { body, from: 0, to: count, before: 0, after: 0 };
  const from = Math.min(range.from, Math.max(0, count - 1));
  const to = Math.min(range.to, count);
  return { body, from, to, before: from * range.rowPx, after: (count - to) * range.rowPx };
}

type Range = { from: number; to: number; rowPx: number };

/** @returns the same object when nothing changes, so that nothing is drawn */
function next(former: Range, body: HTMLElement, count: number): Range {
  const row = body.querySelector<HTMLElement>('[role=row]');
  const rowPx = row?.offsetHeight || former.rowPx;
  const first = Math.floor(-body.getBoundingClientRect().top / rowPx);
  const from = Math.max(0, Math.min(first, count) - OVERSCAN);
  const to = Math.min(count, Math.max(first, 0) + Math.ceil(innerHeight / rowPx) + OVERSCAN);
  return from === former.from && to === former.to && rowPx === former.rowPx ? former : { from, to, rowPx };
}
