import type { Api, ApiAnswer } from './api.ts';

export interface Tried {
  route: string;
  answer: ApiAnswer;
  durationMs: number;
}

type Ids = { connectionId: string; userId: string };

/** One request to each kind of thing that the API has, reading and writing. */
function requests({ connectionId, userId }: Ids): [method: string, path: string, json?: object][] {
  return [
    ['GET', '/connection/list'],
    ['GET', `/connection/${connectionId}`],
    ['GET', `/connection/${connectionId}/history`],
    ['GET', `/connection/${connectionId}/auth`],
    ['POST', '/connection/create', { userId, autoStart: false }],
    ['POST', `/connection/${connectionId}/start`, {}],
    ['POST', '/message/send', { connectionId, content: 'hello' }],
    ['GET', `/message/list?connectionId=${connectionId}`],
    ['GET', `/chat/list?connectionId=${connectionId}`],
    ['GET', '/job/list'],
    ['GET', '/event/list'],
    ['GET', `/event/stream?connectionId=${connectionId}`],
    ['GET', '/webhook/list'],
    ['POST', '/webhook/create', { url: 'http://127.0.0.1:9/', eventTypes: ['*'] }],
    ['GET', `/user/${userId}`],
    ['POST', `/user/${userId}/key/create`, {}],
  ];
}

/** All at once, each with and without an Idempotency-Key where it creates something. */
export async function tryEveryRoute(api: Api, ids: Ids): Promise<Tried[]> {
  const keyed = (): Record<string, string> => ({ 'idempotency-key': `k-${Math.random()}` });
  const all = requests(ids).flatMap(([method, path, json]) =>
    (method === 'GET' ? [{}] : [{}, keyed()]).map((headers) => ({ method, path, json, headers })),
  );
  return Promise.all(
    all.map(async ({ method, path, ...rest }) => {
      const startedAt = performance.now();
      const answer = await api.send(`/v1/wa${path}`, { method, ...rest });
      return { route: `${method} ${path}`, answer, durationMs: performance.now() - startedAt };
    }),
  );
}

/** What is wrong with answers of a system that misses a part: each must be 503 with Retry-After, and soon. */
export function unfitting(tried: readonly Tried[], withinMs: number, allowed: readonly number[] = [503]): string[] {
  return tried.flatMap(({ route, answer: { status, headers, body }, durationMs }) => {
    const fits = allowed.includes(status) && (status !== 503 || headers['retry-after'] !== undefined);
    return fits && durationMs < withinMs
      ? []
      : [`${route}: ${status} ${body?.error?.type} in ${Math.round(durationMs)} ms`];
  });
}
