import type { BinaryNode } from '@whiskeysockets/baileys';
import type { KeyPair } from './curve.ts';
import type { VirtualDevice } from './device.ts';
import { Log } from './inbox.ts';
import { serverJid } from './jids.ts';
import { child, node, requiredBytes } from './nodes.ts';
import { normalizeCode, PairingAttempt } from './pairing-code.ts';

/** What both sides agreed on. */
export interface Agreement {
  ref: string;
  identityKey: Buffer;
  advSecret: Buffer;
}

const tag = 'link_code_companion_reg';

/** The phone's conversation with a companion that shows a pairing code, by way of the server (see ports.ts). */
export class LinkCodes {
  private readonly stages = new Log<BinaryNode>('pairing code');
  private readonly device: () => VirtualDevice;

  constructor(device: () => VirtualDevice) {
    this.device = device;
  }

  notice(notification: BinaryNode): void {
    const stage = child(notification, tag);
    if (stage) this.stages.add(stage);
  }

  close(): void {
    this.stages.close();
  }

  async agree(typed: string, identity: KeyPair, timeoutMs: number): Promise<Agreement> {
    const code = normalizeCode(typed);
    const hello = await this.newestHello(timeoutMs);
    const ref = requiredBytes(hello, 'link_code_pairing_ref');
    const wrapped = requiredBytes(hello, 'link_code_pairing_wrapped_companion_ephemeral_pub');
    const attempt = await PairingAttempt.start(code, wrapped);
    const seen = this.stages.all.length;
    const finished = this.stages.waitFor(
      (stage) => stage.attrs.stage === 'companion_finish' && this.stages.all.indexOf(stage) >= seen,
      timeoutMs,
    );
    await Promise.all([this.sayHello(ref, await attempt.hello(), identity.public), finished]);
    const finish = await finished;
    const identityKey = requiredBytes(finish, 'companion_identity_public');
    const bundle = requiredBytes(finish, 'link_code_pairing_wrapped_key_bundle');
    return { ref: ref.toString(), identityKey, advSecret: attempt.finish(identity, identityKey, bundle) };
  }

  /** A companion that asks again with a fresh code makes the former request void. */
  private async newestHello(timeoutMs: number): Promise<BinaryNode> {
    const isHello = (stage: BinaryNode): boolean => stage.attrs.stage === 'companion_hello';
    return this.stages.all.findLast(isHello) ?? this.stages.waitFor(isHello, timeoutMs);
  }

  private async sayHello(ref: Buffer, wrappedEphemeral: Buffer, identityKey: Uint8Array): Promise<void> {
    const { core } = this.device();
    const hello = node(tag, { jid: core.pnJid, stage: 'primary_hello' }, [
      node('link_code_pairing_wrapped_primary_ephemeral_pub', {}, wrappedEphemeral),
      node('primary_identity_pub', {}, identityKey),
      node('link_code_pairing_ref', {}, ref),
    ]);
    await core.query({ type: 'set', xmlns: 'md', to: serverJid }, [hello]);
  }
}
