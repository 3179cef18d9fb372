import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Connection } from '../../lib/contracts/entities.ts';
import { type ApiClient, createApiClient } from '../../scripts/harness/api-client.ts';
import { type ClusterCli, isAlive, startClusterCli } from '../helpers/cluster-cli.ts';
import { eventually } from '../helpers/eventually.ts';

const START_TIMEOUT_MS = 180_000;
const PHONE = '15550001111';
const CONTACT = '15552223333';

describe('npm run cluster -- --json', () => {
  let cli: ClusterCli;
  let api: ApiClient;
  let connectionId: string;
  const started = new Set<number>();

  beforeAll(async () => {
    cli = await startClusterCli(['--session-nodes', '2', '--gateways', '2'], {
      ADMIN_API_KEY: 'cst_key_of_the_caller_0',
    });
    for (const { pid } of cli.ready.processes) started.add(pid);
    api = createApiClient(cli.ready.url, cli.ready.adminKey);
  }, START_TIMEOUT_MS);

  afterAll(async () => {
    cli?.signal('SIGKILL');
    await cli?.ended;
  });

  /** The control API of the simulated WhatsApp. */
  async function whatsapp(method: string, path: string, body?: unknown) {
    const answer = await fetch(`${cli.ready.simulator.controlUrl}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  it('says in one line where everything is', () => {
    const { event, url, adminKey, nats, redis, mongo, simulator, processes } = cli.ready;
    expect({ event, adminKey }).toEqual({ event: 'ready', adminKey: 'cst_key_of_the_caller_0' });
    expect([url, nats, redis, mongo]).toEqual([
      expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      expect.stringMatching(/^nats:\/\//),
      expect.stringMatching(/^redis:\/\//),
      expect.stringMatching(/^mongodb:\/\//),
    ]);
    expect(simulator).toEqual({
      url: expect.stringMatching(/^ws:\/\//),
      controlUrl: expect.stringMatching(/^http:\/\//),
      rootPublicKey: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const names = processes.map(({ role, nodeId }) => `${role} ${nodeId}`);
    for (const wanted of ['gateway gateway-2', 'services services-1', 'session-node session-node-2']) {
      expect(names).toContain(wanted);
    }
    expect(processes.every(({ pid }) => isAlive(pid))).toBe(true);
  });

  it('runs a system in which a phone pairs and messages go out and in', async () => {
    await whatsapp('POST', '/phones', { pn: PHONE });
    await whatsapp('POST', '/contacts', { pn: CONTACT });
    await api.ask('POST', '/user/create', { username: 'ada', email: 'ada@example.org', userId: 'ada' });
    ({ connectionId } = await api.ask<Connection>('POST', '/connection/create', { userId: 'ada' }));
    await whatsapp('POST', `/phones/${PHONE}/scan`, { qr: await api.untilQr(connectionId) });
    await api.untilStatus(connectionId, 'open');

    const body = { connectionId, to: CONTACT, content: 'out', wait: 'sent' };
    expect((await api.call('POST', '/message/send', body)).status).toBe(200);
    await whatsapp('GET', `/accounts/${CONTACT}/inbox?text=out&waitMs=10000`);
    await whatsapp('POST', `/accounts/${CONTACT}/messages`, { to: PHONE, text: 'in' });
    await eventually(async () => expect((await api.messages(connectionId, 'inbound')).length).toBe(1));
  });

  it('pauses and resumes, adds, stops, kills and restarts what is named', async () => {
    expect(await cli.say('pause session-node-2')).toMatchObject({ event: 'paused', nodeId: 'session-node-2' });
    expect(await cli.say('resume session-node-2')).toMatchObject({ event: 'resumed', nodeId: 'session-node-2' });

    const added = await cli.say('add session-node');
    started.add(added.pid);
    expect(added).toMatchObject({ event: 'started', nodeId: 'session-node-3', pid: expect.any(Number) });
    expect(await cli.say('stop session-node-3')).toMatchObject({ event: 'stopped', nodeId: 'session-node-3' });
    expect(isAlive(added.pid)).toBe(false);

    const killed = await cli.say('kill services');
    expect(killed).toMatchObject({ event: 'stopped', role: 'services', nodeId: 'services-1' });
    expect(isAlive(killed.pid)).toBe(false);
    const restarted = await cli.say('restart services-1');
    started.add(restarted.pid);
    expect(restarted).toMatchObject({ event: 'started', nodeId: 'services-1' });

    const redis = await cli.say('restart redis');
    started.add(redis.pid);
    expect(redis).toMatchObject({ event: 'started', role: 'redis' });
  });

  it('shows which process is in which state', async () => {
    const { event, processes } = await cli.say('status');
    const states = Object.fromEntries(
      processes.map((one: { nodeId: string; state: string }) => [one.nodeId, one.state]),
    );
    expect(event).toBe('status');
    expect(states).toMatchObject({ 'session-node-1': 'running', 'session-node-3': 'stopped', redis: 'running' });
  });

  it('goes on working after all that', async () => {
    await api.untilStatus(connectionId, 'open', 60_000);
    const body = { connectionId, to: CONTACT, content: 'still here', wait: 'sent' };
    expect((await api.call('POST', '/message/send', body)).status).toBe(200);
  });

  it.each([
    ['dance', '"dance" is no command'],
    ['kill', 'kill what?'],
    ['kill session-node-9', 'there is no session-node-9'],
    ['resume session-node-1', 'session-node-1 is running'],
    ['stop session-node-3', 'session-node-3 is stopped'],
    ['add nats', 'add what?'],
  ])('answers "%s" with an error', async (command, message) => {
    expect(await cli.say(command)).toEqual({ event: 'error', message: expect.stringContaining(message) });
  });

  it('leaves nothing behind when it quits', async () => {
    expect(await cli.say('quit')).toEqual({ event: 'quit' });
    expect(await cli.ended).toBe(0);
    await eventually(() => expect([...started].filter(isAlive)).toEqual([]));
  });
});

describe('npm run cluster, killed', () => {
  it(
    'leaves nothing behind, not even what was paused',
    async () => {
      const cli = await startClusterCli(['--session-nodes', '1']);
      await cli.say('pause session-node-1');
      cli.signal('SIGKILL');
      await cli.ended;
      const pids = cli.ready.processes.map(({ pid }) => pid);
      await eventually(() => expect(pids.filter(isAlive)).toEqual([]));
    },
    START_TIMEOUT_MS,
  );
});
