import type { AnchorHTMLAttributes } from 'preact';
import { navigate } from './router.ts';

interface LinkProps extends AnchorHTMLAttributes {
  href: string;
}

/** A link inside the page: a real one, so that a new tab, copying it and the keyboard work as everywhere. */
export function Link({ href, onClick, ...rest }: LinkProps) {
  return (
    <a
      {...rest}
      href={href}
      onClick={(event) => {
        onClick?.(event);
        const modified = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0;
        if (modified || event.defaultPrevented) return;
        event.preventDefault();
        navigate(href);
      }}
    />
  );
}
