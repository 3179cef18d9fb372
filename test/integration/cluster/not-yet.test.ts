import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { loadConfig } from '../../../lib/config.ts';
import { createRuntime } from '../../../lib/create-runtime.ts';
import { rejection } from '../storage/conformance-kit.ts';

test.each([
  ['MONGO_URL', 'mongodb://127.0.0.1:1'],
  ['REDIS_URL', 'redis://127.0.0.1:1'],
  ['NATS_URL', 'nats://127.0.0.1:1'],
])('%s refuses the start as long as sessions have no owner across processes', async (name, url) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'castellan-'));
  const key = Buffer.alloc(32, 7).toString('base64');
  const config = loadConfig({ [name]: url, DATA_DIR: dataDir, ENCRYPTION_KEY: key, LOG_LEVEL: 'silent' });
  expect(await rejection(createRuntime(config))).toBe('CONFIG_INVALID');
  await rm(dataDir, { recursive: true });
});
