import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ApiKey, Connection, Message, Webhook } from '../../lib/contracts/entities.ts';
import { createApiClient } from '../../scripts/harness/api-client.ts';
import { type CastellanProcess, startCastellanProcess } from '../../scripts/harness/castellan-process.ts';
import { type Simulator, startSimulator } from '../../simulator/index.ts';

const BODY = 'canary-body-5f1c';
const REPLY = 'canary-reply-77ab';
const HEADER = 'canary-header-90de';

/* P13: what must not be readable, neither in the store nor in the log, with the log at its most talkative. */
describe('secrets at rest and in the log', () => {
  let simulator: Simulator;
  let castellan: CastellanProcess;
  let dataDir: string;
  const canaries: Record<string, string> = { 'message body': BODY, 'inbound body': REPLY, 'webhook header': HEADER };

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'castellan-secrets-'));
    simulator = await startSimulator({ seed: 'secrets' });
    castellan = await startCastellanProcess({ dataDir, whatsapp: simulator, env: { LOG_LEVEL: 'trace' } });
    const { api: admin } = castellan;
    await admin.ask('POST', '/user/create', { username: 'ada', email: 'ada@example.org', userId: 'ada' });
    const { key } = await admin.ask<ApiKey>('POST', '/user/ada/key/create', {});
    const api = createApiClient(castellan.url, key ?? '');
    const webhook = await api.ask<Webhook>('POST', '/webhook/create', {
      url: 'http://127.0.0.1:9/nobody',
      eventTypes: ['*'],
      headers: { 'x-token': HEADER },
    });
    const phone = simulator.devices.createPhone({ pn: '15550001111' });
    const contact = simulator.devices.createContact({ pn: '15552223333' });
    const { connectionId } = await api.ask<Connection>('POST', '/connection/create', {});
    const qr = await api.untilQr(connectionId);
    await phone.scanQr(qr);
    await api.untilStatus(connectionId, 'open');
    const sent = await api.ask<Message>(
      'POST',
      '/message/send',
      { connectionId, to: contact.pn, content: BODY, wait: 'sent' },
      { 'idempotency-key': 'one' },
    );
    await contact.waitForMessage(({ id }) => id === sent.waMessageId);
    await contact.sendText(phone.pnJid, REPLY);
    while ((await api.messages(connectionId, 'inbound')).length === 0);
    Object.assign(canaries, {
      'API key': key,
      'admin key': admin.key,
      'webhook secret': webhook.secret?.replace('whsec_', ''),
      'QR code': qr,
    });
  }, 60_000);

  afterAll(async () => {
    await castellan?.kill();
    await simulator?.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('has every canary to look for', () => {
    expect(Object.values(canaries).every((canary) => typeof canary === 'string' && canary.length > 10)).toBe(true);
  });

  it('keeps them out of every file of the store', () => {
    const files = readdirSync(dataDir).filter((file) => file.includes('.db'));
    expect(files).toContain('castellan.db');
    const dump = Buffer.concat(files.map((file) => readFileSync(join(dataDir, file))));
    expect(Object.entries(canaries).filter(([, canary]) => dump.includes(canary))).toEqual([]);
  });

  it('keeps them out of the log', () => {
    const log = castellan.output();
    expect(log).toContain('"level"');
    expect(Object.entries(canaries).filter(([, canary]) => log.includes(canary))).toEqual([]);
  });
});
