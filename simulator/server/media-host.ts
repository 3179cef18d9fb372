import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { MediaStore } from './media-store.ts';
import type { TlsIdentity } from './self-signed-certificate.ts';

/*
 * The media host, over HTTPS as clients demand:
 *   POST /mms/<type>/<token>?auth=&token=   the encrypted bytes -> {url, direct_path}
 *   GET  <direct path>                      with Range, if wanted
 */

const maxUploadBytes = 100 * 1024 * 1024;
const uploadPath = /^\/(?:mms|pps|product)\/([\w-]+)(?:\/|$)/;

export function createMediaHost(store: MediaStore, tls: TlsIdentity, host: () => string): Server {
  return createServer({ key: tls.key, cert: tls.certificate }, (request, response) => {
    respond(request, response, store, host).catch(() => response.destroy());
  });
}

async function respond(request: IncomingMessage, response: ServerResponse, store: MediaStore, host: () => string) {
  const path = request.url ?? '/';
  if (request.method === 'POST') return upload(request, response, path, store, host);
  if (request.method === 'GET' || request.method === 'HEAD') return download(request, response, path, store);
  response.writeHead(405).end();
}

async function upload(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  store: MediaStore,
  host: () => string,
): Promise<void> {
  const mediaType = uploadPath.exec(path)?.[1];
  if (!mediaType) return sendJson(response, 404, { error: 'not found' });
  if (!new URL(path, 'https://host').searchParams.get('auth')) return sendJson(response, 401, { error: 'no auth' });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxUploadBytes) return sendJson(response, 413, { error: 'too large' });
    chunks.push(chunk);
  }
  const { directPath } = store.put(Buffer.concat(chunks), mediaType);
  sendJson(response, 200, { url: `https://${host()}${directPath}`, direct_path: directPath });
}

function download(request: IncomingMessage, response: ServerResponse, path: string, store: MediaStore): void {
  const bytes = store.get(path);
  if (!bytes) {
    sendJson(response, 404, { error: 'not found' });
    return;
  }
  const range = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '');
  const headers = { 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes' };
  if (!range || (!range[1] && !range[2])) {
    response.writeHead(200, { ...headers, 'content-length': bytes.length });
    response.end(request.method === 'HEAD' ? undefined : bytes);
    return;
  }
  const start = range[1] ? Number(range[1]) : Math.max(0, bytes.length - Number(range[2]));
  const end = range[1] && range[2] ? Math.min(Number(range[2]), bytes.length - 1) : bytes.length - 1;
  if (start > end) {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
    return;
  }
  const part = bytes.subarray(start, end + 1);
  response.writeHead(206, {
    ...headers,
    'content-length': part.length,
    'content-range': `bytes ${start}-${end}/${bytes.length}`,
  });
  response.end(request.method === 'HEAD' ? undefined : part);
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
