import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { embeddedSecrets } from '../../../lib/storage/embedded-keys.ts';

const UNSET = { encryptionKey: null, adminApiKey: null };

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'castellan-keys-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe('the secrets of an embedded Castellan', () => {
  test('are made at the first start and found again at the next', () => {
    const first = embeddedSecrets(join(directory, 'new'), UNSET);
    expect(first.encryptionKey).toHaveLength(32);
    expect(first.adminApiKey).toMatch(/^cst_[\w-]{43}$/);
    expect(first.adminKeyIsNew).toBe(true);
    const second = embeddedSecrets(join(directory, 'new'), UNSET);
    expect(second.encryptionKey.equals(first.encryptionKey)).toBe(true);
    expect([second.adminApiKey, second.adminKeyIsNew]).toEqual([first.adminApiKey, false]);
  });

  test('differ from one installation to the next', () => {
    const [a, b] = ['a', 'b'].map((name) => embeddedSecrets(join(directory, name), UNSET));
    expect(a?.adminApiKey).not.toBe(b?.adminApiKey);
    expect(a?.encryptionKey.equals(b?.encryptionKey as Buffer)).toBe(false);
  });

  test('are readable by their owner only, with nothing left beside them', async () => {
    embeddedSecrets(directory, UNSET);
    expect((await readdir(directory)).sort()).toEqual(['admin.key', 'encryption.key']);
    for (const name of await readdir(directory)) expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
  });

  test('come from the configuration where it names them, and are then not stored', async () => {
    const encryptionKey = Buffer.alloc(32, 7);
    expect(embeddedSecrets(directory, { encryptionKey, adminApiKey: 'k'.repeat(16) })).toEqual({
      encryptionKey,
      adminApiKey: 'k'.repeat(16),
      adminKeyIsNew: false,
    });
    expect(await readdir(directory)).toEqual([]);
  });

  test('a store without its key is no reason to make a new one', async () => {
    await writeFile(join(directory, 'seat.db'), '');
    await writeFile(join(directory, 'castellan.db'), '');
    expect(() => embeddedSecrets(directory, UNSET)).toThrow(/castellan\.db exists, but the key/);
    expect(await readdir(directory)).not.toContain('encryption.key');
    await rm(join(directory, 'castellan.db'));
    expect(embeddedSecrets(directory, UNSET).encryptionKey).toHaveLength(32);
  });

  test.each([
    ['encryption.key', 'c2hvcnQ='],
    ['encryption.key', ''],
    ['admin.key', 'short'],
    ['admin.key', 'two words that are long'],
  ])('a damaged %s is CONFIG_INVALID and stays as it is', async (name, text) => {
    embeddedSecrets(directory, UNSET);
    await writeFile(join(directory, name), text);
    expect(() => embeddedSecrets(directory, UNSET)).toThrow(expect.objectContaining({ type: 'CONFIG_INVALID' }));
    expect(await readFile(join(directory, name), 'utf8')).toBe(text);
  });

  test('a directory that cannot be used is CONFIG_INVALID', async () => {
    await writeFile(join(directory, 'file'), '');
    expect(() => embeddedSecrets(join(directory, 'file'), UNSET)).toThrow(
      expect.objectContaining({ type: 'CONFIG_INVALID' }),
    );
  });
});
