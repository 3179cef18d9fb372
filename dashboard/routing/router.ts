import { computed, signal } from '@preact/signals';
import type { PathParams } from './match-path.ts';

export interface Location {
  path: string;
  query: URLSearchParams;
}

/** What every page gets. */
export interface PageArguments {
  /** the `:names` of its path */
  params: PathParams;
}

const read = (): Location => ({
  path: window.location.pathname.replace(/(.)\/+$/, '$1'),
  query: new URLSearchParams(window.location.search),
});

/** Where the page is; read `.value` in a component to follow it. */
export const location = signal<Location>(read());
export const path = computed(() => location.value.path);

addEventListener('popstate', () => {
  location.value = read();
});

/** Goes to a path of this page. @param replace the step back leads past where we are */
export function navigate(to: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  const before = location.value.path;
  location.value = read();
  if (location.value.path !== before) window.scrollTo(0, 0);
}

/** Puts a filter into the address, so that a reload and a link keep it. Empty values are left out. */
export function setQuery(values: Record<string, string | null>): void {
  const query = new URLSearchParams(location.value.query);
  for (const [name, value] of Object.entries(values)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  navigate(query.size > 0 ? `${path.value}?${query}` : path.value, { replace: true });
}
