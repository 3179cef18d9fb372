import { type Api, type ApiAnswer, createApi } from './api.ts';

export interface SignedIn {
  answer: ApiAnswer;
  /** `castellan_session=...` as a browser sends it back */
  cookie: string;
  /** a page of ours: the cookie and, as browsers do, the Origin */
  page: Api;
  /** a client with the cookie and no more than it is told */
  bare: Api;
}

/** Exchanges a key for a session, as the sign-in page does. */
export async function signIn(url: string, key: string): Promise<SignedIn> {
  const answer = await createApi(url).post('/dashboard/sign-in', { key });
  if (answer.status !== 200) throw new Error(`sign-in was answered ${answer.status}: ${answer.text}`);
  const cookie = String(answer.headers['set-cookie']).split(';')[0] as string;
  return { answer, cookie, page: withHeaders(url, { cookie, origin: url }), bare: withHeaders(url, { cookie }) };
}

function withHeaders(url: string, own: Record<string, string>): Api {
  const api = createApi(url);
  const send: Api['send'] = (path, request = {}) =>
    api.send(path, { ...request, headers: { ...own, ...request.headers } });
  return {
    send,
    get: (path) => send(path),
    post: (path, json, headers = {}) => send(path, { method: 'POST', json, headers }),
    patch: (path, json) => send(path, { method: 'PATCH', json }),
    delete: (path) => send(path, { method: 'DELETE' }),
  };
}
