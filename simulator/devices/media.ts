import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { getMediaKeys, type MediaType, type proto } from '@whiskeysockets/baileys';

/** Where encrypted files go and come from; the media host of the server half. */
export interface MediaStore {
  upload(encrypted: Uint8Array, mediaType: string): Promise<{ directPath: string; url: string }>;
  download(directPath: string): Promise<Uint8Array>;
}

export type MediaKind = 'image' | 'video' | 'audio' | 'document';

export interface MediaOptions {
  mimetype?: string;
  caption?: string;
  fileName?: string;
}

/** The fields that every reference to an uploaded file has. */
export interface FileReference {
  mediaKey: Uint8Array;
  directPath: string;
  url: string;
  fileSha256: Uint8Array;
  fileEncSha256: Uint8Array;
  fileLength: number;
}

const macLength = 10;

const mimetypes: Record<MediaKind, string> = {
  image: 'image/jpeg',
  video: 'video/mp4',
  audio: 'audio/ogg; codecs=opus',
  document: 'application/octet-stream',
};

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** Encrypts under a fresh media key (AES-256-CBC, then 10 bytes of HMAC over IV and ciphertext) and uploads. */
export async function uploadEncrypted(store: MediaStore, plain: Uint8Array, type: MediaType): Promise<FileReference> {
  const mediaKey = randomBytes(32);
  const { cipherKey, iv, macKey } = await mediaKeys(mediaKey, type);
  const cipher = createCipheriv('aes-256-cbc', cipherKey, iv);
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
  const encrypted = Buffer.concat([ciphertext, macOf(macKey, iv, ciphertext)]);
  const { directPath, url } = await store.upload(encrypted, type);
  return {
    mediaKey,
    directPath,
    url,
    fileSha256: sha256(plain),
    fileEncSha256: sha256(encrypted),
    fileLength: plain.length,
  };
}

/** Downloads and decrypts; throws where MAC or hash do not fit. */
export async function downloadDecrypted(
  store: MediaStore,
  file: Partial<FileReference>,
  type: MediaType,
): Promise<Buffer> {
  if (!file.mediaKey || !file.directPath) throw new Error('The message refers to no file');
  const { cipherKey, iv, macKey } = await mediaKeys(file.mediaKey, type);
  const encrypted = Buffer.from(await store.download(file.directPath));
  const ciphertext = encrypted.subarray(0, -macLength);
  if (!timingSafeEqual(encrypted.subarray(-macLength), macOf(macKey, iv, ciphertext))) throw new Error('Bad media MAC');
  const decipher = createDecipheriv('aes-256-cbc', cipherKey, iv);
  const plain = Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  if (file.fileSha256?.length && !sha256(plain).equals(file.fileSha256)) throw new Error('Bad media hash');
  return plain;
}

export function mediaContent(kind: MediaKind, file: FileReference, options: MediaOptions): proto.IMessage {
  const { caption = null, mimetype = mimetypes[kind], fileName = 'file' } = options;
  const message = { ...file, mimetype, mediaKeyTimestamp: Math.floor(Date.now() / 1000) };
  switch (kind) {
    case 'image':
      return { imageMessage: { ...message, caption } };
    case 'video':
      return { videoMessage: { ...message, caption } };
    case 'audio':
      return { audioMessage: { ...message, ptt: true, seconds: 1 } };
    case 'document':
      return { documentMessage: { ...message, caption, fileName } };
  }
}

/** The file that a received message refers to. */
export function fileOf(content: proto.IMessage): { type: MediaType; file: Partial<FileReference> } {
  const found = (['image', 'video', 'audio', 'document', 'sticker'] as const).flatMap((type) => {
    const file = content[`${type}Message`];
    return file ? [{ type, file: file as Partial<FileReference> }] : [];
  })[0];
  if (!found) throw new Error('The message carries no media');
  return found;
}

const macOf = (macKey: Buffer, iv: Buffer, ciphertext: Buffer): Buffer =>
  createHmac('sha256', macKey).update(iv).update(ciphertext).digest().subarray(0, macLength);

async function mediaKeys(
  mediaKey: Uint8Array,
  type: MediaType,
): Promise<{ cipherKey: Buffer; iv: Buffer; macKey: Buffer }> {
  const { cipherKey, iv, macKey } = await getMediaKeys(mediaKey, type);
  if (!macKey) throw new Error('No media MAC key');
  return { cipherKey: Buffer.from(cipherKey), iv: Buffer.from(iv), macKey: Buffer.from(macKey) };
}
