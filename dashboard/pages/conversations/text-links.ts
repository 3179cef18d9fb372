/** A part of a text: as written, or a link that may be followed. */
export interface TextPart {
  text: string;
  /** only ever http or https */
  href: string | null;
}

const CANDIDATE = /https?:\/\/[^\s<>"'`]+/giu;
/** What ends a sentence rather than an address. */
const TRAILING = /[.,;:!?)\]}]+$/u;
/** Characters that make a text read in another order than it is written: an address with one is not made a link. */
const REORDERING = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/**
 * Cuts a text at its links. Joined again, the parts are the text.
 * @returns parts in order; only http and https addresses become links, everything else stays text
 */
export function partsOf(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const { 0: match, index } of text.matchAll(CANDIDATE)) {
    const candidate = match.replace(TRAILING, '');
    const href = safeHref(candidate);
    if (href === null) continue;
    if (index > end) parts.push({ text: text.slice(end, index), href: null });
    parts.push({ text: candidate, href });
    end = index + candidate.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), href: null });
  return parts;
}

/** @returns the address as the browser will take it, or null where it is no web address or hides who it belongs to */
export function safeHref(value: string): string | null {
  if (REORDERING.test(value) || !URL.canParse(value)) return null;
  const url = new URL(value);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return null;
  return url.username === '' && url.password === '' ? url.href : null;
}
