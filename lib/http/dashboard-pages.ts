import type { IncomingMessage, ServerResponse } from 'node:http';
import { type BuiltFile, readBuild } from './dashboard-build.ts';
import { setPageHeaders } from './security-headers.ts';

export interface DashboardPages {
  /** Answers what is a file or a page of the dashboard. @returns false for everything else */
  answer(req: IncomingMessage, res: ServerResponse): boolean;
}

/** The build gives these names that change with their contents. */
const HASHED_FOLDER = '/assets/';
const INDEX = '/index.html';
/** Below these the API answers, never a page: a wrong path there is a 404. */
const NOT_PAGES = ['/v1', '/dashboard', '/docs', '/health', '/metrics', '/assets'];
/** A path that a page of ours may have. Nothing of it is ever used as a file's name. */
const PAGE_PATH = /^(?:\/(?!\.{1,2}(?:\/|$))(?:[A-Za-z0-9_~!$&'()*+,;=:@.-]|%(?!00|2e|2f|5c)[0-9a-f]{2})+)*\/?$/i;
/** Who asks for such a name wants that file, not a page. (Chats have dots in their ids: `...@g.us`.) */
const FILE_NAME = /\.(?:m?js|css|map|json|html?|xml|txt|svg|png|jpe?g|gif|ico|webp|woff2?|webmanifest|php)$/i;
const NOT_BUILT =
  'The dashboard is not built: run "npm run build", then load this page again. The API is described at /docs.\n';

/**
 * The dashboard, as `npm run build` left it in `directory`. Files are found by their whole path in what was read from
 * the build, so that no path leads out of it. Paths that a browser goes to and that nothing else answers are the page's
 * own: they get `index.html`, which shows what they mean.
 */
export function createDashboardPages(directory: string): DashboardPages {
  const build = readBuild(directory);

  function answer(req: IncomingMessage, res: ServerResponse): boolean {
    if (req.method !== 'GET' && req.method !== 'HEAD') return false;
    const path = (req.url ?? '').split('?')[0] as string;
    if (path === '/' || isPage(path, req)) sendIndex(req, res);
    else {
      const file = build.file(path);
      if (!file) return false;
      send(req, res, file, path.startsWith(HASHED_FOLDER));
    }
    return true;
  }

  function sendIndex(req: IncomingMessage, res: ServerResponse): void {
    build.refresh();
    const index = build.file(INDEX);
    if (index) send(req, res, index, false);
    else sendNotBuilt(res);
  }

  return { answer };
}

function isPage(path: string, { headers }: IncomingMessage): boolean {
  if (!headers.accept?.includes('text/html')) return false;
  if (NOT_PAGES.some((other) => path === other || path.startsWith(`${other}/`))) return false;
  return PAGE_PATH.test(path) && !FILE_NAME.test(path);
}

function sendNotBuilt(res: ServerResponse): void {
  setPageHeaders(res);
  res.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' });
  res.end(NOT_BUILT);
}

function send(req: IncomingMessage, res: ServerResponse, { bytes, type, etag }: BuiltFile, immutable: boolean): void {
  setPageHeaders(res);
  res.setHeader('Cache-Control', immutable ? 'public, max-age=31536000, immutable' : 'no-cache');
  res.setHeader('ETag', etag);
  if (req.headers['if-none-match'] === etag) {
    res.writeHead(304).end();
    return;
  }
  res.writeHead(200, { 'Content-Type': type, 'Content-Length': bytes.length });
  res.end(req.method === 'HEAD' ? undefined : bytes);
}
