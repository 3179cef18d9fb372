import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { setPageHeaders } from './security-headers.ts';

const FILES = [
  ['/docs', 'index.html', 'text/html; charset=utf-8'],
  ['/docs/page.js', 'page.js', 'text/javascript; charset=utf-8'],
  ['/docs/page.css', 'page.css', 'text/css; charset=utf-8'],
  ['/docs/icon.svg', 'icon.svg', 'image/svg+xml; charset=utf-8'],
] as const;

/** The documentation page: a few files of ours, which read `/openapi.json`. Works offline and under a strict policy. */
export function docsPages(): { path: string; send(res: ServerResponse): void }[] {
  return FILES.map(([path, file, type]) => {
    const bytes = readFileSync(new URL(`docs/${file}`, import.meta.url));
    return {
      path,
      send(res) {
        setPageHeaders(res);
        res.writeHead(200, { 'Content-Type': type, 'Content-Length': bytes.length });
        res.end(bytes);
      },
    };
  });
}
