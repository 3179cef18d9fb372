import { type Signal, useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

/** So close to the end counts as reading the end. */
const NEAR_PX = 80;

export interface StickToEnd {
  box: RefObject<HTMLElement>;
  /** what the box scrolls */
  content: RefObject<HTMLDivElement>;
  /** whether the end is in sight */
  atEnd: Signal<boolean>;
  toEnd(): void;
}

/**
 * Keeps the end of a list in sight while somebody reads there, and what is being read in its place while older rows are
 * put in above it.
 * @param first the key of the first row
 * @param last the key of the last row
 */
export function useStickToEnd(first: string | undefined, last: string | undefined): StickToEnd {
  const box = useRef<HTMLElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const atEnd = useSignal(true);
  const before = useRef({ first, height: 0 });

  function toEnd(): void {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
    atEnd.value = true;
  }

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const look = () => {
      atEnd.value = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX;
    };
    element.addEventListener('scroll', look, { passive: true });
    // A keyboard that opens, reactions and reasons for failures change the heights after the fact.
    const observer = new ResizeObserver(() => atEnd.peek() && toEnd());
    observer.observe(element);
    if (content.current) observer.observe(content.current);
    return () => {
      element.removeEventListener('scroll', look);
      observer.disconnect();
    };
  }, []);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    if (atEnd.peek()) toEnd();
    else if (first !== before.current.first) element.scrollTop += element.scrollHeight - before.current.height;
    before.current = { first, height: element.scrollHeight };
  }, [first, last]);

  return { box, content, atEnd, toEnd };
}
