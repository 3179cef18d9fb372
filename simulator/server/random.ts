import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import type { KeyPair } from '../devices/curve.ts';

/** PKCS #8 wrapping of a raw X25519 private key (RFC 8410). */
const x25519Prefix = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** Everything of the server that looks random but must come out the same for the same seed. */
export class SeededRandom {
  readonly seed: string;
  private state: number;

  constructor(seed: string) {
    this.seed = seed;
    this.state = this.bytes('state', 4).readUInt32BE();
  }

  /** A value that depends on the seed and the label only, not on how often anybody asked. */
  bytes(label: string, length: number): Buffer {
    const blocks: Buffer[] = [];
    for (let index = 0; index * 32 < length; index++) {
      blocks.push(createHash('sha256').update(`${this.seed}/${label}/${index}`).digest());
    }
    return Buffer.concat(blocks).subarray(0, length);
  }

  keyPair(label: string): KeyPair {
    const secret = this.bytes(label, 32);
    const key = createPrivateKey({ key: Buffer.concat([x25519Prefix, secret]), format: 'der', type: 'pkcs8' });
    const published = createPublicKey(key).export({ format: 'der', type: 'spki' });
    return { private: clamp(secret), public: published.subarray(-32) };
  }

  /** The next number of the sequence, in [0, 1) (mulberry32). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}

/** XEdDSA signs with the clamped scalar, which X25519 applies by itself. */
function clamp(secret: Buffer): Buffer {
  const clamped = Buffer.from(secret);
  clamped.writeUInt8(clamped.readUInt8(0) & 248, 0);
  clamped.writeUInt8((clamped.readUInt8(31) & 127) | 64, 31);
  return clamped;
}
