import { request } from 'node:http';

/*
 * node scripts/e2e/ask.ts METHOD PATH [JSON]: asks the driver in this container and prints its answer. Not `fetch`, which
 * gives up on an answer that takes longer than five minutes.
 */
const [method = 'GET', path = '/state', body] = process.argv.slice(2);

const answer = await new Promise<{ status: number; text: string }>((resolve, reject) => {
  const asked = request({ host: '127.0.0.1', port: 8810, method, path }, async (response) => {
    const text = Buffer.concat(await response.toArray()).toString('utf8');
    resolve({ status: response.statusCode ?? 0, text });
  });
  asked.once('error', reject);
  /* a GET has none: Node would send it without a length, as the beginning of another request */
  asked.end(method === 'GET' ? undefined : body);
});
const isWell = answer.status === 200;
process[isWell ? 'stdout' : 'stderr'].write(`${answer.text}\n`);
process.exitCode = isWell ? 0 : 1;
