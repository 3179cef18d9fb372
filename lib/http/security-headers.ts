import type { ServerResponse } from 'node:http';

/** For answers that are data: nothing may run, frame or keep them. */
const DATA_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cache-Control': 'no-store',
} as const;

/** For our own pages: scripts and styles of our own files only, nothing inline, no other host. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
  "font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const PAGE_HEADERS = {
  'Content-Security-Policy': PAGE_POLICY,
  /* with no-referrer some requests of a page come with `Origin: null` */
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
} as const;

export function setSecurityHeaders(res: ServerResponse): void {
  for (const [name, value] of Object.entries(DATA_HEADERS)) res.setHeader(name, value);
}

/** For the files of our own pages. */
export function setPageHeaders(res: ServerResponse): void {
  setSecurityHeaders(res);
  for (const [name, value] of Object.entries(PAGE_HEADERS)) res.setHeader(name, value);
}
