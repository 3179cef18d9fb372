import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { CastellanError } from '../errors.ts';

export interface EmbeddedSecrets {
  /** 32 bytes */
  encryptionKey: Buffer;
  adminApiKey: string;
  /** made in this very call: print it once, nobody has seen it yet */
  adminKeyIsNew: boolean;
}

const ENCRYPTION_KEY_FILE = 'encryption.key';
const ADMIN_KEY_FILE = 'admin.key';
const KEY_BYTES = 32;
const STORE_FILE = /(?<!^seat)\.db$/;

function syncDirectory(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Writes the file whole or not at all, durable and for the owner's eyes only, and never over an existing one. */
function writeSecret(directory: string, name: string, text: string): void {
  const temporary = join(directory, `.${name}.${randomBytes(6).toString('hex')}`);
  const handle = openSync(temporary, 'wx', 0o600);
  try {
    try {
      writeSync(handle, `${text}\n`);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    linkSync(temporary, join(directory, name));
  } finally {
    rmSync(temporary, { force: true });
  }
  syncDirectory(directory);
}

/** @returns the secret and whether this call made it */
function readOrMake(directory: string, name: string, make: () => string): { text: string; isNew: boolean } {
  const path = join(directory, name);
  if (existsSync(path)) return { text: readFileSync(path, 'utf8').trim(), isNew: false };
  const text = make();
  writeSecret(directory, name, text);
  return { text, isNew: true };
}

/** A store without its key is no reason for a new key: nothing in it could ever be read again. */
function newEncryptionKey(dataDir: string): string {
  const store = readdirSync(dataDir).find((file) => STORE_FILE.test(file));
  if (store === undefined) return randomBytes(KEY_BYTES).toString('base64');
  throw new CastellanError(
    'CONFIG_INVALID',
    `${join(dataDir, store)} exists, but the key that it was written with does not: restore ${ENCRYPTION_KEY_FILE} beside it or set ENCRYPTION_KEY.`,
  );
}

function encryptionKey(dataDir: string): Buffer {
  const { text } = readOrMake(dataDir, ENCRYPTION_KEY_FILE, () => newEncryptionKey(dataDir));
  const key = Buffer.from(text, 'base64');
  if (key.length === KEY_BYTES) return key;
  throw new CastellanError('CONFIG_INVALID', `${join(dataDir, ENCRYPTION_KEY_FILE)} does not hold 32 bytes in base64.`);
}

function adminKey(dataDir: string): { text: string; isNew: boolean } {
  const key = readOrMake(dataDir, ADMIN_KEY_FILE, () => `cst_${randomBytes(KEY_BYTES).toString('base64url')}`);
  if (/^[\x21-\x7e]{16,255}$/.test(key.text)) return key;
  throw new CastellanError('CONFIG_INVALID', `${join(dataDir, ADMIN_KEY_FILE)} does not hold a key.`);
}

/**
 * The secrets of an embedded Castellan: what the configuration names, otherwise what lies under `dataDir`, otherwise
 * made there (mode 0600). Call it while holding the seat and *before* the store is opened.
 *
 * @throws CONFIG_INVALID when a file cannot be read, written or understood; none is ever replaced
 */
export function embeddedSecrets(
  dataDir: string,
  config: Pick<Config, 'encryptionKey' | 'adminApiKey'>,
): EmbeddedSecrets {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const admin = config.adminApiKey ? { text: config.adminApiKey, isNew: false } : adminKey(dataDir);
    return {
      encryptionKey: config.encryptionKey ?? encryptionKey(dataDir),
      adminApiKey: admin.text,
      adminKeyIsNew: admin.isNew,
    };
  } catch (cause) {
    if (cause instanceof CastellanError) throw cause;
    throw new CastellanError('CONFIG_INVALID', `The keys in ${dataDir} cannot be read or written.`, undefined, {
      cause,
    });
  }
}
