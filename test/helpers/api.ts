import { request } from 'node:http';

export interface ApiAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what it is, is what the tests ask
  body: any;
}

export interface ApiRequest {
  method?: string;
  headers?: Record<string, string | string[]>;
  /** sent as it is */
  raw?: string | Buffer;
  /** sent as JSON */
  json?: unknown;
}

export interface Api {
  send(path: string, request?: ApiRequest): Promise<ApiAnswer>;
  get(path: string): Promise<ApiAnswer>;
  post(path: string, json: unknown, headers?: Record<string, string>): Promise<ApiAnswer>;
  patch(path: string, json: unknown): Promise<ApiAnswer>;
  delete(path: string): Promise<ApiAnswer>;
}

/** A client that sends exactly what it is told: `fetch` would tidy paths and headers up. */
export function createApi(url: string, key?: string): Api {
  const { hostname, port } = new URL(url);

  function send(path: string, { method = 'GET', headers = {}, raw, json }: ApiRequest = {}): Promise<ApiAnswer> {
    const body = raw ?? (json === undefined ? undefined : JSON.stringify(json));
    const all = {
      ...(key !== undefined && { 'x-api-key': key }),
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
      ...headers,
    };
    return new Promise((resolve, reject) => {
      const req = request({ hostname, port, path, method, headers: all }, (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const isJson = String(res.headers['content-type']).startsWith('application/json');
          const parsed = isJson ? JSON.parse(text) : undefined;
          resolve({ status: res.statusCode ?? 0, headers: res.headers, text, body: parsed });
        });
      });
      req.on('error', reject);
      req.end(body);
    });
  }

  return {
    send,
    get: (path) => send(path),
    post: (path, json, headers = {}) => send(path, { method: 'POST', json, headers }),
    patch: (path, json) => send(path, { method: 'PATCH', json }),
    delete: (path) => send(path, { method: 'DELETE' }),
  };
}
