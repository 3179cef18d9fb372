import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, loadConfig } from '../../lib/config.ts';
import type { RuntimeOptions } from '../../lib/create-runtime.ts';
import { silentLog } from '../../lib/log.ts';
import { type Castellan, startCastellan } from '../../start.ts';
import { type Api, createApi } from './api.ts';

export interface TestCastellan extends Castellan {
  url: string;
  admin: Api;
  /** makes a user with a key of its own */
  newUser(username: string): Promise<{ userId: string; key: string; keyId: string; api: Api }>;
  /** stops it and deletes its data */
  end(): Promise<void>;
}

/** Nobody listens there: connections dial in vain, as they do when WhatsApp is down. */
const NO_WHATSAPP = 'ws://127.0.0.1:9/ws';

/** The whole system in this process: real HTTP on a free port, SQLite in a fresh directory. */
export async function startTestCastellan(
  settings: Partial<Config> = {},
  options: RuntimeOptions = {},
): Promise<TestCastellan> {
  const dataDir = settings.dataDir ?? (await mkdtemp(join(tmpdir(), 'castellan-')));
  const env = { PORT: '0', DATA_DIR: dataDir, WA_WEBSOCKET_URL: NO_WHATSAPP, LOG_LEVEL: 'silent' };
  const castellan = await startCastellan({ ...loadConfig(env), ...settings }, { log: silentLog, ...options });
  /* a process without a gateway has no API: nobody listens at port 9 */
  const url = castellan.url ?? 'http://127.0.0.1:9';
  const admin = createApi(url, castellan.adminKey);

  async function newUser(username: string) {
    const email = `${username}@example.org`;
    const { userId } = (await admin.post('/v1/wa/user/create', { username, email })).body;
    const { key, keyId } = (await admin.post(`/v1/wa/user/${userId}/key/create`, {})).body;
    return { userId, key, keyId, api: createApi(url, key) };
  }

  async function end(): Promise<void> {
    await castellan.stop();
    await rm(dataDir, { recursive: true, force: true });
  }

  return { ...castellan, url, admin, newUser, end };
}
