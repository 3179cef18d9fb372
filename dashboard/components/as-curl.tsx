import { type Method, type Query, urlOf } from '../api/client.ts';
import { CodeLine } from './code-line.tsx';

/** A call of the API, as a page makes it. */
export interface CurlCall {
  /** what it does, when a page shows several */
  title?: string;
  method?: Method;
  /** as for the API client */
  path: string;
  query?: Query;
  body?: unknown;
}

/** The same thing as a curl line; the key stays a variable of the shell, it is not known here. */
export function curlLine({ method = 'GET', path, query, body }: CurlCall): string {
  const parts = ['curl -s'];
  if (method !== 'GET' && !(method === 'POST' && body !== undefined)) parts.push(`-X ${method}`);
  parts.push(quoted(window.location.origin + urlOf(path, query)), '-H "X-Api-Key: $CASTELLAN_KEY"');
  if (path === '/event/stream') parts.splice(1, 0, '-N');
  if (body !== undefined) parts.push("-H 'content-type: application/json'", `-d ${quoted(JSON.stringify(body))}`);
  return parts.join(' ');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** "as curl": how to do from a shell what this page does. */
export function AsCurl({ calls, open = false }: { calls: readonly CurlCall[]; open?: boolean }) {
  return (
    <details class="as-curl" open={open}>
      <summary>as curl</summary>
      <div class="stack tight">
        {calls.map((call) => {
          const line = curlLine(call);
          return (
            <div class="stack tight" key={line}>
              {call.title && <p class="small muted">{call.title}</p>}
              <CodeLine code={line} label="Copy the command" />
            </div>
          );
        })}
      </div>
    </details>
  );
}
