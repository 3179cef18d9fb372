import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import { generateKeyPair, type KeyPair, sharedSecret } from '../devices/curve.ts';
import type { NoiseIdentity } from './noise-certificate.ts';

/*
 * The responder of Noise_XX_25519_AESGCM_SHA256 as WhatsApp frames it:
 *   -> e                    client hello
 *   <- e, ee, s, es, chain  server hello; the certificate chain is the handshake payload
 *   -> s, se, payload       client finish; the payload is the ClientPayload (login or registration)
 * The prologue is the 4-byte connection header. Afterwards each side has its own key and counter.
 */

const protocolName = Buffer.from('Noise_XX_25519_AESGCM_SHA256\0\0\0\0');
const tagLength = 16;

export interface ClientFinish {
  clientStaticKey: Buffer;
  payload: Buffer;
}

export class NoiseResponder {
  private hash: Buffer = protocolName;
  private salt: Buffer = protocolName;
  private key: Buffer = protocolName;
  private counter = 0;
  private readonly ephemeral = generateKeyPair();
  private readonly identity: NoiseIdentity;

  constructor(identity: NoiseIdentity, prologue: Uint8Array) {
    this.identity = identity;
    this.mixHash(prologue);
  }

  /** Takes the client hello, returns the server hello (both encoded HandshakeMessages). */
  answerHello(message: Uint8Array): Uint8Array {
    const clientEphemeral = proto.HandshakeMessage.decode(message).clientHello?.ephemeral;
    if (clientEphemeral?.length !== 32) throw new Error('The client hello has no ephemeral key');
    const { staticKey, certificateChain } = this.identity;
    this.mixHash(clientEphemeral);
    this.mixHash(this.ephemeral.public);
    this.mixKey(this.ephemeral, clientEphemeral);
    const encryptedStatic = this.encrypt(staticKey.public);
    this.mixKey(staticKey, clientEphemeral);
    const payload = this.encrypt(certificateChain);
    return proto.HandshakeMessage.encode({
      serverHello: { ephemeral: this.ephemeral.public, static: encryptedStatic, payload },
    }).finish();
  }

  readFinish(message: Uint8Array): ClientFinish {
    const finish = proto.HandshakeMessage.decode(message).clientFinish;
    if (!finish?.static || !finish.payload) throw new Error('The client finish is incomplete');
    const clientStaticKey = this.decrypt(finish.static);
    this.mixKey(this.ephemeral, clientStaticKey);
    return { clientStaticKey, payload: this.decrypt(finish.payload) };
  }

  /** The keys after the handshake; the client writes with the first. */
  split(): NoiseTransport {
    const [read, write] = this.derive(Buffer.alloc(0));
    return new NoiseTransport(read, write);
  }

  private mixHash(data: Uint8Array): void {
    this.hash = createHash('sha256').update(this.hash).update(data).digest();
  }

  private mixKey(ours: KeyPair, theirs: Uint8Array): void {
    [this.salt, this.key] = this.derive(sharedSecret(ours, theirs));
    this.counter = 0;
  }

  private derive(input: Uint8Array): [Buffer, Buffer] {
    const keys = Buffer.from(hkdfSync('sha256', input, this.salt, '', 64));
    return [keys.subarray(0, 32), keys.subarray(32)];
  }

  private encrypt(plaintext: Uint8Array): Buffer {
    const ciphertext = seal(this.key, this.counter++, plaintext, this.hash);
    this.mixHash(ciphertext);
    return ciphertext;
  }

  private decrypt(ciphertext: Uint8Array): Buffer {
    const plaintext = open(this.key, this.counter++, ciphertext, this.hash);
    this.mixHash(ciphertext);
    return plaintext;
  }
}

const nothing = Buffer.alloc(0);

export class NoiseTransport {
  private readonly readKey: Buffer;
  private readonly writeKey: Buffer;
  private readCounter = 0;
  private writeCounter = 0;

  constructor(readKey: Buffer, writeKey: Buffer) {
    this.readKey = readKey;
    this.writeKey = writeKey;
  }

  encrypt(plaintext: Uint8Array): Buffer {
    return seal(this.writeKey, this.writeCounter++, plaintext, nothing);
  }

  decrypt(ciphertext: Uint8Array): Buffer {
    return open(this.readKey, this.readCounter++, ciphertext, nothing);
  }
}

function nonce(counter: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(counter, 8);
  return bytes;
}

function seal(key: Buffer, counter: number, plaintext: Uint8Array, additionalData: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce(counter)).setAAD(additionalData);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function open(key: Buffer, counter: number, ciphertext: Uint8Array, additionalData: Buffer): Buffer {
  if (ciphertext.length < tagLength) throw new Error('A Noise message is shorter than its tag');
  const decipher = createDecipheriv('aes-256-gcm', key, nonce(counter)).setAAD(additionalData);
  decipher.setAuthTag(ciphertext.subarray(-tagLength));
  return Buffer.concat([decipher.update(ciphertext.subarray(0, -tagLength)), decipher.final()]);
}
