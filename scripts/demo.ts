import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from '../lib/config.ts';
import type { Connection, Message, User, Webhook } from '../lib/contracts/entities.ts';
import { startSimulator } from '../simulator/index.ts';
import { startCastellan } from '../start.ts';
import { createApiClient } from './harness/api-client.ts';
import { startWebhookReceiver } from './harness/webhook-receiver.ts';

/*
 * The guided walk: a local WhatsApp and Castellan in one process, talking over real sockets and real HTTP. Everything
 * below goes through the REST API, as your application would.
 */

const HELP = `npm run demo [-- --exit] [-- --port N]
  --exit    end after the walk instead of staying up
  --port N  of the REST API; default 3000, or a free one when that is taken`;
const PHONE = { pn: '15550001111', name: 'Ada (the account)' };
const CONTACT = { pn: '15552223333', name: 'Grace (a contact)' };

const { values: flags } = parseArgs({
  options: { exit: { type: 'boolean' }, port: { type: 'string' }, help: { type: 'boolean' } },
});
if (flags.help) {
  console.log(HELP);
  process.exit(0);
}

const began = performance.now();
let last = began;

function step(text: string): void {
  const now = performance.now();
  console.log(`\n[${((now - began) / 1000).toFixed(2)} s, +${Math.round(now - last)} ms] ${text}`);
  last = now;
}

async function startOnPort(port: number, dataDir: string, simulator: { url: string; rootPublicKey: string }) {
  const config = loadConfig({
    PORT: String(port),
    DATA_DIR: dataDir,
    LOG_LEVEL: 'error',
    ALLOW_PRIVATE_TARGETS: 'true',
    WA_WEBSOCKET_URL: simulator.url,
    WA_ROOT_PUBLIC_KEY: simulator.rootPublicKey,
  });
  return startCastellan(config);
}

const inUse = (error: unknown) => (error as NodeJS.ErrnoException).code === 'EADDRINUSE';

async function walk(): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'castellan-demo-'));
  const simulator = await startSimulator({ seed: 'demo' });
  step(`A local WhatsApp listens on ${simulator.url} (no phone, no internet, the real protocol).`);

  const wanted = flags.port === undefined ? 3000 : Number(flags.port);
  const castellan = await startOnPort(wanted, dataDir, simulator).catch((error: unknown) => {
    if (flags.port !== undefined || !inUse(error)) throw error;
    return startOnPort(0, dataDir, simulator);
  });
  const url = castellan.url ?? '';
  step(`Castellan listens on ${url}.`);

  const admin = createApiClient(url, castellan.adminKey ?? '');
  const user = await admin.ask<User>('POST', '/user/create', { username: 'demo', email: 'demo@example.org' });
  const { key } = await admin.ask<{ key: string }>('POST', `/user/${user.userId}/key/create`, {});
  const api = createApiClient(url, key);
  step(`User ${user.userId} has an API key of its own.`);

  const receiver = await startWebhookReceiver();
  const webhook = await api.ask<Webhook>('POST', '/webhook/create', {
    url: receiver.url,
    eventTypes: ['message.received'],
  });
  receiver.useSecret(webhook.secret ?? '');
  step(`Webhook ${webhook.webhookId} points at ${receiver.url}.`);

  const phone = simulator.devices.createPhone(PHONE);
  const contact = simulator.devices.createContact({ ...CONTACT, devices: 2 });
  contact.receiptMode = 'read';
  const { connectionId } = await api.ask<Connection>('POST', '/connection/create', { name: 'Demo' });
  const qr = await api.untilQr(connectionId);
  console.log(await api.ask<string>('GET', `/connection/${connectionId}/auth/qr.txt`));
  step(`Connection ${connectionId} shows this QR code; a phone would scan it now. The simulated one does.`);

  await phone.scanQr(qr);
  const open = await api.untilStatus(connectionId, 'open');
  step(`Paired and open as ${open.me?.pn}.`);

  const text = 'Hello from Castellan.';
  const sent = await api.ask<Message>('POST', '/message/send', {
    connectionId,
    to: CONTACT.pn,
    content: text,
    wait: 'sent',
  });
  step(`Sent ${sent.messageId} (WhatsApp id ${sent.waMessageId}): WhatsApp acknowledged it, status "${sent.status}".`);

  const read = await contact.waitForMessage(({ id }) => id === sent.waMessageId);
  step(`${CONTACT.name} decrypted with real Signal keys: "${read.text}".`);
  if (read.text !== text) throw new Error('the contact decrypted something else');

  await contact.sendText(phone.pnJid, 'Hello yourself.');
  const delivery = await receiver.next();
  step(`The reply came as a webhook, signature verified: ${delivery.type} "${delivery.text}".`);

  const status = await untilRead(api, sent.messageId);
  step(`The contact read it: status "${status}".`);

  console.log(`\nDone in ${((performance.now() - began) / 1000).toFixed(1)} s.`);
  if (!flags.exit) showWhatNext(url, key, connectionId);
  return async () => {
    await castellan.stop();
    await receiver.close();
    await simulator.close();
    await rm(dataDir, { recursive: true, force: true });
  };
}

async function untilRead(api: ReturnType<typeof createApiClient>, messageId: string): Promise<string> {
  for (;;) {
    const { status } = await api.ask<Message>('GET', `/message/${messageId}`);
    if (status === 'read') return status;
    if (performance.now() - last > 10_000) throw new Error(`the message stayed "${status}"`);
  }
}

function showWhatNext(url: string, key: string, connectionId: string): void {
  const body = JSON.stringify({ connectionId, to: CONTACT.pn, content: 'Hello again', wait: 'sent' });
  console.log(`
Castellan stays up. The dashboard is at ${url} (sign in with ${key}), the documentation at ${url}/docs.
Send a message yourself:

  curl -s ${url}/v1/wa/message/send -H 'x-api-key: ${key}' -H 'content-type: application/json' \\
    -d '${body}'

Ctrl-C ends it and deletes its data.`);
}

try {
  const end = await walk();
  if (flags.exit) {
    await end();
    process.exit(0);
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void end().finally(() => process.exit(0)));
  }
} catch (error) {
  console.error('\nThe demo failed:', error);
  process.exit(1);
}
