import { CodeLine } from './code-line.tsx';
import { type CurlCall, curlLine } from './curl-line.ts';

export type { CurlCall } from './curl-line.ts';

/** "as curl": how to do from a shell what this page does. */
export function AsCurl({ calls, open = false }: { calls: readonly CurlCall[]; open?: boolean }) {
  return (
    <details class="as-curl" open={open}>
      <summary>as curl</summary>
      <div class="stack tight">
        {calls.map((call) => {
          const line = curlLine(call, window.location.origin);
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
