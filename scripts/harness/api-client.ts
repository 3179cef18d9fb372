import { setTimeout as delay } from 'node:timers/promises';
import type { Connection, Message, Page, RemoteAuth } from '../../lib/contracts/entities.ts';

export interface Answer<T = unknown> {
  status: number;
  body: T;
  headers: Headers;
}

/** The REST API as a caller sees it; nothing here knows what is behind it. */
export interface ApiClient {
  readonly base: string;
  readonly key: string;
  call<T = unknown>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
    signal?: AbortSignal,
  ): Promise<Answer<T>>;
  /** The body of a successful answer. @throws Error with status and body otherwise */
  ask<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T>;
  connection(connectionId: string): Promise<Connection>;
  /** Polls the connection until it has the status. @throws after `timeoutMs` */
  untilStatus(connectionId: string, status: string, timeoutMs?: number): Promise<Connection>;
  untilQr(connectionId: string, timeoutMs?: number): Promise<string>;
  /** every page of a list */
  all<T>(path: string): Promise<T[]>;
  messages(connectionId: string, direction: 'inbound' | 'outbound'): Promise<Message[]>;
}

const POLL_MS = 25;

export function createApiClient(url: string, key: string): ApiClient {
  const base = `${url}/v1/wa`;

  async function call<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    signal?: AbortSignal,
  ) {
    const answer = await fetch(`${base}${path}`, {
      method,
      ...(signal && { signal }),
      headers: {
        'x-api-key': key,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const json = answer.headers.get('content-type')?.includes('json');
    return { status: answer.status, body: (json ? JSON.parse(text) : text) as T, headers: answer.headers };
  }

  async function ask<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T> {
    const answer = await call<T>(method, path, body, headers);
    if (answer.status >= 200 && answer.status < 300) return answer.body;
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  async function poll<T>(what: string, timeoutMs: number, look: () => Promise<T | undefined>): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    while (performance.now() < deadline) {
      const found = await look();
      if (found !== undefined) return found;
      await delay(POLL_MS);
    }
    throw new Error(`no ${what} within ${timeoutMs} ms`);
  }

  const connection = (id: string) => ask<Connection>('GET', `/connection/${id}`);

  async function all<T>(path: string): Promise<T[]> {
    const items: T[] = [];
    for (let after: string | null = ''; after !== null; ) {
      const cursor: string = after === '' ? '' : `&after=${encodeURIComponent(after)}`;
      const page: Page<T> = await ask('GET', `${path}${path.includes('?') ? '&' : '?'}limit=200${cursor}`);
      items.push(...page.items);
      after = page.next;
    }
    return items;
  }

  return {
    base,
    key,
    call,
    ask,
    connection,
    all,
    messages: (id, direction) => all(`/message/list?connectionId=${id}&direction=${direction}`),
    untilStatus: (id, status, timeoutMs = 30_000) =>
      poll(`status ${status} of ${id}`, timeoutMs, async () => {
        const found = await connection(id);
        return found.status === status ? found : undefined;
      }),
    untilQr: (id, timeoutMs = 15_000) =>
      poll(`QR code of ${id}`, timeoutMs, async () => {
        const answer = await call<RemoteAuth>('GET', `/connection/${id}/auth`);
        return answer.status === 200 && answer.body.authState === 'ready' ? answer.body.qr : undefined;
      }),
  };
}
