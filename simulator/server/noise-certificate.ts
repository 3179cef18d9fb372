import { proto } from '@whiskeysockets/baileys';
import { type KeyPair, sign } from '../devices/curve.ts';
import type { SeededRandom } from './random.ts';

/*
 * Clients pin one root key. It signs an intermediate certificate (issuer serial 0 = the root), which signs the leaf that
 * carries the server's static Noise key.
 */

export interface NoiseIdentity {
  rootPublicKey: Buffer;
  /** the static key of the handshake */
  staticKey: KeyPair;
  /** encoded CertChain, sent in the server hello */
  certificateChain: Uint8Array;
}

const dayInSeconds = 86_400;

export function createNoiseIdentity(random: SeededRandom): NoiseIdentity {
  const root = random.keyPair('noise root');
  const intermediate = random.keyPair('noise intermediate');
  const staticKey = random.keyPair('noise static');
  const certificateChain = proto.CertChain.encode({
    intermediate: certify(root, { serial: 1, issuerSerial: 0, key: intermediate.public }),
    leaf: certify(intermediate, { serial: 2, issuerSerial: 1, key: staticKey.public }),
  }).finish();
  return { rootPublicKey: Buffer.from(root.public), staticKey, certificateChain };
}

function certify(issuer: KeyPair, subject: { serial: number; issuerSerial: number; key: Uint8Array }) {
  const now = Math.floor(Date.now() / 1000);
  const details = proto.CertChain.NoiseCertificate.Details.encode({
    ...subject,
    notBefore: now - dayInSeconds,
    notAfter: now + 365 * dayInSeconds,
  }).finish();
  return { details, signature: sign(issuer, details) };
}
