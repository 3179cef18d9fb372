import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { AsCurl, type CurlCall } from './as-curl.tsx';

interface PageProps {
  /** the heading and the window's title */
  title: string;
  /** one sentence below it */
  lead?: ComponentChildren;
  /** beside the title: a status */
  mark?: ComponentChildren;
  /** buttons */
  actions?: ComponentChildren;
  /** above the title: where it belongs */
  back?: ComponentChildren;
  curl: readonly CurlCall[];
  children: ComponentChildren;
}

let isFirstPage = true;

/**
 * The frame of every page: heading, actions, content and "as curl". After a navigation the heading takes the focus, so
 * that a screen reader says where we are and Tab goes on from there.
 */
export function Page({ title, lead, mark, actions, back, curl, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Castellan`;
  }, [title]);
  useEffect(() => {
    if (!isFirstPage) heading.current?.focus({ preventScroll: true });
    isFirstPage = false;
  }, []);
  return (
    <>
      <header class="page-head">
        <div class="stack tight">
          {back && <div class="small">{back}</div>}
          <div class="row">
            <h1 ref={heading} tabIndex={-1}>
              {title}
            </h1>
            {mark}
          </div>
          {lead && <p class="lead">{lead}</p>}
        </div>
        {actions && <div class="row">{actions}</div>}
      </header>
      <div class="stack loose">
        {children}
        <AsCurl calls={curl} />
      </div>
    </>
  );
}
