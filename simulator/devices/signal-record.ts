import { type ProtocolAddress, SessionBuilder, SessionCipher, SessionRecord, type SignalStorage } from 'libsignal';
import type { PreKeyWhisperMessageFields } from 'libsignal/src/protobufs.js';

/*
 * The one place that knows libsignal from the inside. Its typings cover a part of it only, and it prints whole sessions,
 * private keys included, to `console` whenever a session closes (session_record.js). Virtual devices therefore never use
 * the plain SessionRecord: this subclass closes and prunes silently, and `RatchetCipher` takes the steps that libsignal
 * would take with a console line, from libsignal's own parts. The global console is left alone.
 */

export interface RatchetSession {
  registrationId: number;
  indexInfo: { closed: number; used: number; created: number; remoteIdentityKey: Buffer };
  pendingPreKey?: { preKeyId?: number };
}

/** The parts of a session record that the typings leave out. */
interface RecordInternals {
  sessions: Record<string, RatchetSession>;
  getSessions(): RatchetSession[];
  getOpenSession(): RatchetSession | undefined;
  getSession(baseKey: Buffer): RatchetSession | undefined;
}

interface BuilderInternals {
  initIncoming(record: SessionRecord, message: PreKeyWhisperMessageFields): Promise<number | undefined>;
}

interface CipherInternals {
  doDecryptWhisperMessage(bytes: Buffer, session: RatchetSession): Promise<Buffer>;
}

const oldSessionsKept = 40;

export class QuietSessionRecord extends SessionRecord {
  closeSession(session: RatchetSession): void {
    session.indexInfo.closed = Date.now();
  }

  openSession(session: RatchetSession): void {
    session.indexInfo.closed = -1;
  }

  removeOldSessions(): void {
    const { sessions } = internalsOf(this);
    const closed = Object.entries(sessions)
      .filter(([, session]) => session.indexInfo.closed !== -1)
      .sort(([, a], [, b]) => a.indexInfo.closed - b.indexInfo.closed);
    const surplus = Object.keys(sessions).length - oldSessionsKept;
    for (const [key] of closed.slice(0, Math.max(0, surplus))) delete sessions[key];
  }
}

export const internalsOf = (record: SessionRecord): RecordInternals => record as unknown as RecordInternals;

/** A failed decryption leaves a half-stepped ratchet behind, so attempts are made on copies. */
export const copyOf = (record: QuietSessionRecord): QuietSessionRecord =>
  QuietSessionRecord.deserialize(record.serialize()) as QuietSessionRecord;

export class RatchetCipher {
  private readonly cipher: SessionCipher;
  private readonly builder: SessionBuilder;

  constructor(storage: SignalStorage, address: ProtocolAddress) {
    this.cipher = new SessionCipher(storage, address);
    this.builder = new SessionBuilder(storage, address);
  }

  encrypt(plaintext: Buffer): ReturnType<SessionCipher['encrypt']> {
    return this.cipher.encrypt(plaintext);
  }

  initOutgoing(bundle: Parameters<SessionBuilder['initOutgoing']>[0]): Promise<void> {
    return this.builder.initOutgoing(bundle);
  }

  /** Adds the session of a `pkmsg` to the record; returns the id of the one-time pre-key that it used up, if any. */
  async openIncoming(record: QuietSessionRecord, message: PreKeyWhisperMessageFields): Promise<number | undefined> {
    const { getOpenSession, getSession } = internalsOf(record);
    const open = getOpenSession.call(record);
    if (open && !getSession.call(record, message.baseKey)) record.closeSession(open);
    return (this.builder as unknown as BuilderInternals).initIncoming(record, message);
  }

  decryptWith(session: RatchetSession, bytes: Buffer): Promise<Buffer> {
    return (this.cipher as unknown as CipherInternals).doDecryptWhisperMessage(bytes, session);
  }
}
