import { createCipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import type { MediaStore } from './media-store.ts';

/** Encrypts a blob as clients encrypt app-state media, stores it, and returns the encoded reference to it. */
export function sealBlob(plain: Uint8Array, media: MediaStore): Buffer {
  const mediaKey = randomBytes(32);
  const keys = Buffer.from(hkdfSync('sha256', mediaKey, Buffer.alloc(32), 'WhatsApp App State Keys', 112));
  const iv = keys.subarray(0, 16);
  const cipher = createCipheriv('aes-256-cbc', keys.subarray(16, 48), iv);
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
  const mac = createHmac('sha256', keys.subarray(48, 80)).update(iv).update(ciphertext).digest().subarray(0, 10);
  const encrypted = Buffer.concat([ciphertext, mac]);
  const { directPath } = media.put(encrypted, 'md-app-state');
  const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
  const reference = { mediaKey, directPath, fileSha256: sha256(plain), fileEncSha256: sha256(encrypted) };
  return Buffer.from(proto.ExternalBlobReference.encode({ ...reference, fileSizeBytes: plain.length }).finish());
}
