import { WA_CERT_DETAILS } from '@whiskeysockets/baileys';
import { CastellanError } from '../../errors.ts';

let trusted: string | null = null;

/**
 * Trusts another Noise certificate root than WhatsApp's. Baileys holds it in one variable of the process, so it can be
 * chosen once.
 * @param publicKey 32 bytes
 * @throws CONFIG_INVALID when another one was chosen before
 */
export function trustRoot(publicKey: Uint8Array): void {
  const hex = Buffer.from(publicKey).toString('hex');
  if (trusted !== null && trusted !== hex) {
    throw new CastellanError('CONFIG_INVALID', 'One process can trust one root key of WhatsApp only.');
  }
  trusted = hex;
  WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(publicKey);
}
