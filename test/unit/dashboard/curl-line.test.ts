import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { curlLine } from '../../../dashboard/components/curl-line.ts';

const ORIGIN = 'http://127.0.0.1:3000';

/** What a shell makes of the line: the arguments that curl would get. */
function argumentsOf(line: string): string[] {
  const script = `curl() { printf '%s\\0' "$@"; }\n${line}`;
  const out = execFileSync('/bin/sh', ['-c', script], { env: { CASTELLAN_KEY: 'the-key' }, encoding: 'utf8' });
  return out.split('\0').slice(0, -1);
}

describe('the curl line of a page', () => {
  it('names the method only where curl would not choose it by itself', () => {
    expect(curlLine({ path: '/connection/list', query: { limit: 5, after: null } }, ORIGIN)).toBe(
      `curl -s '${ORIGIN}/v1/wa/connection/list?limit=5' -H "X-Api-Key: $CASTELLAN_KEY"`,
    );
    expect(argumentsOf(curlLine({ method: 'DELETE', path: '/connection/con_1' }, ORIGIN))).toContain('DELETE');
    expect(argumentsOf(curlLine({ method: 'PATCH', path: '/user/a', body: {} }, ORIGIN))).toContain('PATCH');
    expect(argumentsOf(curlLine({ method: 'POST', path: '/user/create', body: {} }, ORIGIN))).not.toContain('POST');
    expect(argumentsOf(curlLine({ method: 'POST', path: '/connection/con_1/stop' }, ORIGIN))).toContain('POST');
  });

  it('leaves paths outside of the API where they are, and does not buffer the stream', () => {
    expect(argumentsOf(curlLine({ path: '//health/ready' }, ORIGIN))).toContain(`${ORIGIN}/health/ready`);
    expect(argumentsOf(curlLine({ path: '/event/stream' }, ORIGIN))).toContain('-N');
  });

  it('takes the key from the shell', () => {
    expect(argumentsOf(curlLine({ path: '/user/list' }, ORIGIN))).toContain('X-Api-Key: the-key');
  });

  it('gives every body to curl as it is, whatever a shell would read in it', () => {
    const hostile = fc.oneof(
      fc.string(),
      fc.constantFrom("'; touch /tmp/x; '", '$(id)', '`id`', '\\', "''", '"$HOME"'),
    );
    fc.assert(
      fc.property(hostile, (name) => {
        const parts = argumentsOf(curlLine({ method: 'POST', path: '/connection/create', body: { name } }, ORIGIN));
        expect(parts.at(-2)).toBe('-d');
        expect(JSON.parse(String(parts.at(-1)))).toEqual({ name });
      }),
      { numRuns: 40, verbose: 1 },
    );
  });
});
