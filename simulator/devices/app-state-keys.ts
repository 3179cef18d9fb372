import { randomBytes, randomInt } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';

const { APP_STATE_SYNC_KEY_SHARE } = proto.Message.ProtocolMessage.Type;

/** The keys under which an account's devices keep their common settings. The phone makes them and hands them out. */
export class AppStateKeys {
  private readonly keys = new Map<string, proto.Message.IAppStateSyncKey>();

  constructor() {
    this.make();
  }

  get all(): proto.Message.IAppStateSyncKey[] {
    return [...this.keys.values()];
  }

  make(): void {
    // two bytes of device, four of a growing epoch
    const keyId = Buffer.from([0, 0, 0, 0, 0, this.keys.size + 1]);
    const fingerprint = { rawId: randomInt(2 ** 31), currentIndex: 1, deviceIndexes: [0, 1] };
    const keyData = { keyData: randomBytes(32), fingerprint, timestamp: Date.now() };
    this.keys.set(keyId.toString('base64'), { keyId: { keyId }, keyData });
  }

  /** The message that gives keys to a companion: all, or those that it asked for (an unknown one comes without data). */
  share(requested?: readonly proto.Message.IAppStateSyncKeyId[]): proto.IMessage {
    const keys = requested
      ? requested.map((keyId) => this.keys.get(Buffer.from(keyId.keyId ?? []).toString('base64')) ?? { keyId })
      : this.all;
    return { protocolMessage: { type: APP_STATE_SYNC_KEY_SHARE, appStateSyncKeyShare: { keys } } };
  }
}
