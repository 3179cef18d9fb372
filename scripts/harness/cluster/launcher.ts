import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../servers/server-process.ts';
import { castellanEngine } from './castellan-engine.ts';
import type { ClusterOptions, Environment } from './cluster-options.ts';
import { type CastellanRole, createMember, type Member } from './member.ts';

export interface LauncherOptions extends Pick<ClusterOptions, 'envOf' | 'nodeFlags'> {
  dataDir: string;
  env: Environment;
  /** where new ones are noted, before they have started */
  members: Member[];
}

export interface Launcher {
  /** of the gateways, in the order of their numbers */
  readonly urls: readonly string[];
  /** @param port of a gateway; default a free one. @throws when it does not start */
  launch(role: CastellanRole, port?: number): Promise<Member>;
}

/** Gives every process of Castellan its name, its folder and its settings. */
export function createLauncher({ dataDir, env, members, envOf, nodeFlags = [] }: LauncherOptions): Launcher {
  const urls: string[] = [];
  const numbers = new Map<CastellanRole, number>();

  function nextId(role: CastellanRole): string {
    const number = (numbers.get(role) ?? 0) + 1;
    numbers.set(role, number);
    return `${role}-${number}`;
  }

  return {
    urls,
    async launch(role, wanted) {
      const nodeId = nextId(role);
      const index = urls.length;
      if (role === 'gateway') urls.push('');
      const port = role === 'gateway' ? (wanted ?? (await freePort())) : null;
      if (port !== null) urls[index] = `http://127.0.0.1:${port}`;
      const isNode = role === 'session-node';
      const own = isNode ? await envOf?.(nodeId, env) : undefined;
      const folder = join(dataDir, nodeId);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const settings = { role, nodeId, dataDir: folder, port, env: { ...env, ...own } };
      const member = createMember(role, nodeId, castellanEngine({ ...settings, nodeFlags: isNode ? nodeFlags : [] }));
      members.push(member);
      await member.start();
      return member;
    },
  };
}
