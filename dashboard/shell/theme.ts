import { effect, signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';

const STORAGE_KEY = 'castellan.theme';
const THEMES: readonly Theme[] = ['auto', 'light', 'dark'];

/** As the system says, unless somebody chose. The only thing that the page keeps in the browser. */
export const theme = signal<Theme>(stored());

export function nextTheme(): Theme {
  return THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? 'auto';
}

effect(() => {
  const { dataset } = document.documentElement;
  if (theme.value === 'auto') delete dataset.theme;
  else dataset.theme = theme.value;
  try {
    if (theme.value === 'auto') localStorage.removeItem(STORAGE_KEY);
    else localStorage.setItem(STORAGE_KEY, theme.value);
  } catch {
    /* storage is turned off: the choice lasts until the page is closed */
  }
});

function stored(): Theme {
  try {
    const value = localStorage.getItem(STORAGE_KEY);
    return value === 'light' || value === 'dark' ? value : 'auto';
  } catch {
    return 'auto';
  }
}
