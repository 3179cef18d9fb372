import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { CastellanEvent, Message } from '../../lib/contracts/entities.ts';

export interface ReceivedWebhook {
  id: string;
  type: string;
  /** of a text message */
  text: string | null;
}

export interface WebhookReceiver {
  readonly url: string;
  useSecret(secret: string): void;
  /** The next delivery whose signature is right. @throws after 10 s */
  next(): Promise<ReceivedWebhook>;
  /** how many deliveries had a wrong signature */
  readonly refused: number;
  close(): Promise<void>;
}

const NEXT_TIMEOUT_MS = 10_000;

export interface WebhookReceiverOptions {
  /** where it listens; loopback when left out */
  host?: string;
  /** how whoever delivers calls it; its address when left out */
  publicHost?: string;
}

/** An application's webhook endpoint; the Standard Webhooks library, not ours, judges the signatures. */
export async function startWebhookReceiver({
  host = '127.0.0.1',
  publicHost = host,
}: WebhookReceiverOptions = {}): Promise<WebhookReceiver> {
  let verifier: Webhook | null = null;
  let refused = 0;
  const arrived: ReceivedWebhook[] = [];
  let waiting: ((webhook: ReceivedWebhook) => void) | null = null;

  const server = createServer(async (request, response) => {
    try {
      const body = Buffer.concat(await request.toArray()).toString('utf8');
      const event = verifier?.verify(body, request.headers as Record<string, string>) as CastellanEvent<{
        message?: Message;
      }>;
      const content = event.data.message?.content;
      const webhook = { id: event.eventId, type: event.type, text: content?.type === 'text' ? content.text : null };
      if (waiting) waiting(webhook);
      else arrived.push(webhook);
      waiting = null;
      response.writeHead(204).end();
    } catch {
      refused++;
      response.writeHead(401).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));

  return {
    url: `http://${publicHost}:${(server.address() as AddressInfo).port}/hook`,
    useSecret(secret) {
      verifier = new Webhook(secret);
    },
    next() {
      const first = arrived.shift();
      if (first) return Promise.resolve(first);
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('no webhook came')), NEXT_TIMEOUT_MS);
        waiting = (webhook) => {
          clearTimeout(timer);
          resolve(webhook);
        };
      });
    },
    get refused() {
      return refused;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
