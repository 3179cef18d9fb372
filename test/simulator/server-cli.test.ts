import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { BaileysClient } from '../helpers/baileys-client.ts';
import { eventually } from '../helpers/eventually.ts';

const freePorts = ['--port', '0', '--control-port', '0', '--media-port', '0'];

describe("the simulator's command line", () => {
  const children: ChildProcess[] = [];

  const run = (...args: string[]) => {
    const child = spawn(process.execPath, ['simulator/cli.ts', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(child);
    const output = { out: '', err: '' };
    child.stdout.on('data', (data: Buffer) => {
      output.out += data.toString();
    });
    child.stderr.on('data', (data: Buffer) => {
      output.err += data.toString();
    });
    return { child, output };
  };

  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
  });

  it('prints where it listens, lets a client in, and stops on SIGTERM', async () => {
    const { child, output } = run(...freePorts, '--seed', 'cli', '--json');
    const info = await eventually(() => JSON.parse(output.out) as Record<string, string>);
    const { url = '', controlUrl = '', rootPublicKey = '' } = info;
    expect(await (await fetch(`${controlUrl}/info`)).json()).toEqual(info);
    const prepared = await fetch(`${controlUrl}/accounts/prepaired`, { method: 'POST', body: '{"count": 1}' });
    const { accounts } = (await prepared.json()) as {
      accounts: { creds: unknown; keys: Record<string, Record<string, unknown>> }[];
    };
    const client = new BaileysClient({ url, rootPublicKey }, { auth: accounts[0] });
    await client.open();
    await client.close();
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('prints the same root key for the same seed, as text', async () => {
    const outputs = [run(...freePorts, '--seed', 'same').output, run(...freePorts, '--seed', 'same').output];
    const keys = await Promise.all(
      outputs.map((output) =>
        eventually(() => {
          const key = /root public key\s+([0-9a-f]{64})/.exec(output.out)?.[1];
          if (!key) throw new Error(`No key in ${output.out}${output.err}`);
          return key;
        }),
      ),
    );
    expect(keys[0]).toBe(keys[1]);
  });

  it('says what is wrong with its options', async () => {
    const { child, output } = run('--port', 'abc');
    expect(await once(child, 'exit')).toEqual([1, null]);
    expect(output.err).toContain('--port must be a port number');
  });
});
