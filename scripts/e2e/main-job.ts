import type { Message, User, Webhook } from '../../lib/contracts/entities.ts';
import type { Simulator } from '../../simulator/index.ts';
import type { Line } from '../chaos/traffic.ts';
import { type ApiClient, createApiClient } from '../harness/api-client.ts';
import { startWebhookReceiver } from '../harness/webhook-receiver.ts';
import { openLines } from './lines.ts';
import type { NodeRow } from './measurement.ts';

export interface MainJobOptions {
  gatewayUrl: string;
  admin: ApiClient;
  simulator: Simulator;
  connections: number;
  /** the name under which the services reach this process */
  publicHost: string;
}

/** What came of it; `broken` names what did not work. */
export interface MainJobReport {
  connections: number;
  paired: number;
  sent: number;
  read: number;
  received: number;
  webhooks: number;
  webhooksRefused: number;
  /** sessions by node: each runs on one */
  nodes: Record<string, number>;
  overlaps: number;
  decryptFailures: number;
  sendMs: { p50: number; max: number };
  broken: string[];
}

const ARRIVAL_TIMEOUT_MS = 30_000;

/** Create a user, connect and pair, send, receive, get webhooks: over REST, on whatever runs behind it. */
export async function runMainJob(options: MainJobOptions): Promise<MainJobReport> {
  const { admin, simulator, connections, publicHost } = options;
  const { userId } = await admin.ask<User>('POST', '/user/create', { username: 'e2e', email: 'e2e@example.org' });
  const { key } = await admin.ask<{ key: string }>('POST', `/user/${userId}/key/create`, {});
  const api = createApiClient(options.gatewayUrl, key);
  const receiver = await startWebhookReceiver({ host: '0.0.0.0', publicHost });
  try {
    const body = { url: receiver.url, eventTypes: ['message.received'] };
    receiver.useSecret((await api.ask<Webhook>('POST', '/webhook/create', body)).secret ?? '');
    const lines = await openLines(api, simulator, userId, connections);
    const talks = await Promise.all(lines.map((line) => talk(api, line)));
    const hooked = new Set<string | null>();
    for (const _ of lines) hooked.add((await receiver.next().catch(() => null))?.text ?? null);
    hooked.delete(null);
    const { items } = await admin.ask<{ items: NodeRow[] }>('GET', '/cluster/nodes');
    return report({
      connections,
      paired: lines.length,
      sent: talks.length,
      read: talks.filter(({ read }) => read).length,
      received: talks.filter(({ received }) => received).length,
      webhooks: hooked.size,
      webhooksRefused: receiver.refused,
      nodes: Object.fromEntries(items.map(({ nodeId, connections: running }) => [nodeId, running])),
      overlaps: simulator.witness.sockets.overlaps().length,
      decryptFailures: simulator.witness.messages.decryptFailures().length,
      sendMs: middleAndWorst(talks.map(({ sendMs }) => sendMs)),
    });
  } finally {
    await receiver.close();
  }
}

async function talk(api: ApiClient, { connectionId, phone, contact }: Line) {
  const began = performance.now();
  const content = `hello ${contact.pn}`;
  const body = { connectionId, to: contact.pn, content, wait: 'sent' };
  const { waMessageId } = await api.ask<Message>('POST', '/message/send', body, { 'idempotency-key': content });
  const sendMs = performance.now() - began;
  const arrived = await contact.waitForMessage(({ id }) => id === waMessageId, ARRIVAL_TIMEOUT_MS).catch(() => null);
  const answer = `hello yourself ${contact.pn}`;
  await contact.sendText(phone.pnJid, answer);
  const received = await until(async () => {
    const inbound = await api.messages(connectionId, 'inbound');
    return inbound.some((message) => message.content.type === 'text' && message.content.text === answer);
  });
  return { sendMs, read: arrived?.text === content, received };
}

async function until(check: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + ARRIVAL_TIMEOUT_MS;
  while (performance.now() < deadline) {
    if (await check()) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

function middleAndWorst(values: readonly number[]) {
  const sorted = [...values].sort((a, b) => a - b).map(Math.round);
  return { p50: sorted[Math.floor(sorted.length / 2)] ?? 0, max: sorted.at(-1) ?? 0 };
}

function report(figures: Omit<MainJobReport, 'broken'>): MainJobReport {
  const whole = ['paired', 'sent', 'read', 'received', 'webhooks'] as const;
  const none = ['webhooksRefused', 'overlaps', 'decryptFailures'] as const;
  const running = Object.values(figures.nodes).reduce((sum, count) => sum + count, 0);
  const broken = [
    ...whole.filter((figure) => figures[figure] !== figures.connections),
    ...none.filter((figure) => figures[figure] > 0),
    ...(running === figures.connections ? [] : ['nodes']),
  ];
  return { ...figures, broken };
}
