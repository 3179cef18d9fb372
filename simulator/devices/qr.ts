/** What a QR code says about the companion that shows it. */
export interface QrCode {
  ref: string;
  noiseKey: Buffer;
  identityKey: Buffer;
  advSecret: Buffer;
}

/**
 * Reads `ref,noiseKey,identityKey,advSecret`, the keys in base64. Newer clients put a link in front of it
 * (`https://wa.me/settings/linked_devices#`) and a platform id behind it.
 */
export function parseQr(text: string): QrCode {
  const [ref, noiseKey, identityKey, advSecret] = text.slice(text.indexOf('#') + 1).split(',');
  if (!ref || !noiseKey || !identityKey || !advSecret) throw new Error('This is not a WhatsApp QR code');
  const keys = [noiseKey, identityKey, advSecret].map((key) => Buffer.from(key, 'base64'));
  if (keys.some((key) => key.length !== 32)) throw new Error('The keys in the QR code are not 32 bytes long');
  const [noise, identity, secret] = keys as [Buffer, Buffer, Buffer];
  return { ref, noiseKey: noise, identityKey: identity, advSecret: secret };
}
