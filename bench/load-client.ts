import { Agent, request } from 'node:http';
import type { SendParams } from '../lib/contracts/messages.contract.ts';

/** An HTTP client that costs little itself: kept-alive connections of Node's own agent, answers read and dropped. */
export interface LoadClient {
  /** @throws when the answer is not 202 */
  send(params: SendParams): Promise<void>;
  close(): void;
}

export function createLoadClient(url: string, key: string, maxSockets: number): LoadClient {
  const agent = new Agent({ keepAlive: true, maxSockets });
  const target = new URL('/v1/wa/message/send', url);
  return {
    send: (params) =>
      new Promise((resolve, reject) => {
        const body = JSON.stringify(params);
        const headers = {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'x-api-key': key,
        };
        const sent = request(target, { agent, method: 'POST', headers }, (answer) => {
          answer.resume();
          if (answer.statusCode === 202) answer.once('end', resolve);
          else reject(new Error(`the answer to a send was ${answer.statusCode}`));
        });
        sent.once('error', reject);
        sent.end(body);
      }),
    close: () => agent.destroy(),
  };
}
