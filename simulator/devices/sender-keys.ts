import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, randomInt } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import { generateKeyPair, isSignedBy, type KeyPair, sign, withKeyType } from './curve.ts';

/*
 * Sender keys (group messages). A device keeps one chain per group; every message has its own key, derived from the
 * chain, and is signed with the chain's signing key. Whoever got the chain by a distribution message can read what
 * comes after it, so a removed participant means a new chain. Same format as libsignal's group cipher, but with the
 * compiled signatures (curve.ts): a signature per message and a verification per receiving device are the whole cost.
 */

const version = Buffer.from([0x33]);
const signatureLength = 64;
const furthestAhead = 2_000;
const statesKept = 5;

interface Chain {
  keyId: number;
  iteration: number;
  chainKey: Buffer;
  signingKey: Uint8Array;
  /** message keys of iterations that were jumped over, by iteration */
  skipped: Map<number, Buffer>;
}

interface OwnChain extends Chain {
  signingKeyPair: KeyPair;
  /** canonical JIDs of the devices that were given this chain */
  knownTo: Set<string>;
}

export class SenderKeys {
  private readonly own = new Map<string, OwnChain>();
  private readonly others = new Map<string, Chain[]>();

  /** The next message of this device to the group. */
  encrypt(group: string, plaintext: Uint8Array): Buffer {
    const chain = this.ownChain(group);
    const iteration = chain.iteration;
    const { key, iv } = messageKeys(advance(chain));
    const cipher = createCipheriv('aes-256-cbc', key, iv);
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    const message = proto.SenderKeyMessage.encode({ id: chain.keyId, iteration, ciphertext }).finish();
    const signed = Buffer.concat([version, message]);
    return Buffer.concat([signed, sign(chain.signingKeyPair, signed)]);
  }

  /** The distribution message that lets a device read from here on. */
  distribution(group: string): Uint8Array {
    const { keyId: id, iteration, chainKey, signingKey } = this.ownChain(group);
    const message = proto.SenderKeyDistributionMessage.encode({ id, iteration, chainKey, signingKey }).finish();
    return Buffer.concat([version, message]);
  }

  lacking(group: string, devices: readonly string[]): string[] {
    const { knownTo } = this.ownChain(group);
    return devices.filter((device) => !knownTo.has(device));
  }

  markKnown(group: string, devices: readonly string[]): void {
    const { knownTo } = this.ownChain(group);
    for (const device of devices) knownTo.add(device);
  }

  /** The next message starts a new chain, which everybody has to be given again. */
  rotate(group: string): void {
    this.own.delete(group);
  }

  /** Rotates every chain that one of these devices could read. */
  rotateKnownTo(devices: readonly string[]): void {
    for (const [group, { knownTo }] of this.own) {
      if (devices.some((device) => knownTo.has(device))) this.own.delete(group);
    }
  }

  accept(group: string, author: string, distribution: Uint8Array): void {
    const { id, iteration, chainKey, signingKey } = proto.SenderKeyDistributionMessage.decode(distribution.subarray(1));
    if (id == null || iteration == null || !chainKey || !signingKey) throw new Error('Incomplete sender key');
    const name = `${group}|${author}`;
    const known = this.others.get(name) ?? [];
    // the same chain told again: the one at hand reads older messages too
    if (known.some((chain) => chain.keyId === id && iteration - chain.iteration <= furthestAhead)) return;
    const chains = known.filter((chain) => chain.keyId !== id);
    const chain = { keyId: id, iteration, chainKey: Buffer.from(chainKey), signingKey, skipped: new Map() };
    this.others.set(name, [chain, ...chains].slice(0, statesKept));
  }

  /** As if nobody had ever given this device a key of the group: for tests of the repair. */
  forgetOthers(group: string): void {
    for (const name of this.others.keys()) if (name.startsWith(`${group}|`)) this.others.delete(name);
  }

  decrypt(group: string, author: string, bytes: Buffer): Buffer {
    const signed = bytes.subarray(0, -signatureLength);
    const { id, iteration, ciphertext } = proto.SenderKeyMessage.decode(signed.subarray(1));
    const chain = this.others.get(`${group}|${author}`)?.find(({ keyId }) => keyId === id);
    if (!chain || iteration == null || !ciphertext) throw new Error('No sender key for this message');
    if (!isSignedBy(chain.signingKey, signed, bytes.subarray(-signatureLength))) throw new Error('Bad group signature');
    const { key, iv } = messageKeys(seedOf(chain, iteration));
    const decipher = createDecipheriv('aes-256-cbc', key, iv);
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  }

  private ownChain(group: string): OwnChain {
    const known = this.own.get(group);
    if (known) return known;
    const signingKeyPair = generateKeyPair();
    const chain: OwnChain = {
      keyId: randomInt(2 ** 31 - 1),
      iteration: 0,
      chainKey: randomBytes(32),
      signingKey: withKeyType(signingKeyPair.public),
      skipped: new Map(),
      signingKeyPair,
      knownTo: new Set(),
    };
    this.own.set(group, chain);
    return chain;
  }
}

/** The message's seed for the chain's next iteration; the chain steps on. */
function advance(chain: Chain): Buffer {
  const seed = createHmac('sha256', chain.chainKey)
    .update(Buffer.from([1]))
    .digest();
  chain.chainKey = createHmac('sha256', chain.chainKey)
    .update(Buffer.from([2]))
    .digest();
  chain.iteration += 1;
  return seed;
}

function seedOf(chain: Chain, iteration: number): Buffer {
  if (iteration < chain.iteration) {
    const seed = chain.skipped.get(iteration);
    if (!seed) throw new UsedSenderKeyError();
    chain.skipped.delete(iteration);
    return seed;
  }
  if (iteration - chain.iteration > furthestAhead) throw new Error(`Over ${furthestAhead} messages ahead`);
  while (chain.iteration < iteration) chain.skipped.set(chain.iteration, advance(chain));
  return advance(chain);
}

export class UsedSenderKeyError extends Error {
  constructor() {
    super('Sender key used already');
    this.name = 'MessageCounterError';
  }
}

function messageKeys(seed: Buffer): { iv: Buffer; key: Buffer } {
  const derived = Buffer.from(hkdfSync('sha256', seed, Buffer.alloc(32), 'WhisperGroup', 48));
  return { iv: derived.subarray(0, 16), key: derived.subarray(16, 48) };
}
