import type { Clock } from '../clock.ts';
import { isoTime } from '../clock.ts';
import type { EventType, Party } from '../contracts/entities.ts';
import { CastellanError } from '../errors.ts';
import type { ConnectionDoc } from '../storage/collections.ts';
import type { Vault } from '../storage/vault.ts';
import type { WhatsAppSocket } from './ports.ts';
import { type AuthOwner, type AuthStep, authWrite, toRemoteAuth } from './remote-auth.ts';
import type { StatusChange, StatusWriter } from './status-writer.ts';

export interface PairingCode {
  /** 8 characters, without a dash */
  pairingCode: string;
  /** ISO 8601 */
  expiresAt: string;
}

export interface PairingDeskOptions {
  owner: AuthOwner;
  vault: Vault;
  clock: Clock;
  writer: StatusWriter;
}

/** WhatsApp shows six codes, 60 s and five times 20 s, then it closes; a pairing code lives as long as that. */
const PAIRING_CODE_LIFETIME_MS = 160_000;

/** The login of one activation: shows QR strings as they change, or asks for one pairing code, and tells how it ended. */
export function createPairingDesk({ owner, vault, clock, writer }: PairingDeskOptions) {
  let pairing: ConnectionDoc['pairing'] = { method: 'qr', phoneNumber: null };
  let codeAsked = false;
  let waiting: PromiseWithResolvers<PairingCode> | null = null;

  function authParts(step: AuthStep, event?: EventType): Pick<StatusChange, 'writes' | 'events'> {
    const data = { auth: toRemoteAuth(step, owner.connectionId) };
    return { writes: [authWrite(step, owner, vault, clock.now())], events: event ? [{ type: event, data }] : [] };
  }

  async function showCode(socket: WhatsAppSocket, phoneNumber: string): Promise<void> {
    const pairingCode = await socket.requestPairingCode(phoneNumber);
    const expiresAt = clock.now() + PAIRING_CODE_LIFETIME_MS;
    const step: AuthStep = { authState: 'ready', method: 'code', code: pairingCode, expiresAt };
    await writer.write({
      status: 'awaiting_pairing',
      reason: 'Type the pairing code on the phone.',
      ...authParts(step, 'auth.pairing_code'),
    });
    waiting?.resolve({ pairingCode, expiresAt: isoTime(expiresAt) });
    waiting = null;
  }

  async function showQr(qr: string, validForMs: number): Promise<void> {
    const step: AuthStep = { authState: 'ready', method: 'qr', code: qr, expiresAt: clock.now() + validForMs };
    await writer.write({
      status: 'awaiting_pairing',
      reason: 'Scan the QR code with the phone.',
      ...authParts(step, 'auth.qr'),
    });
  }

  return {
    /** A socket is about to open that will be asked to pair. */
    begin(next: ConnectionDoc['pairing']): Pick<StatusChange, 'writes' | 'events'> {
      pairing = next;
      codeAsked = false;
      return authParts({ authState: 'pending', method: next.method, code: null, expiresAt: null });
    },
    /** WhatsApp gave a QR string. With the method `code` the first one is the sign that a code can be asked for. */
    async onQr(socket: WhatsAppSocket, qr: string, validForMs: number): Promise<void> {
      if (pairing.method === 'qr' || !pairing.phoneNumber) return showQr(qr, validForMs);
      if (codeAsked) return;
      codeAsked = true;
      return showCode(socket, pairing.phoneNumber);
    },
    async paired(me: Party): Promise<void> {
      const step: AuthStep = { authState: 'succeeded', method: pairing.method, code: null, expiresAt: null };
      const parts = authParts(step, 'auth.succeeded');
      await writer.write({
        status: writer.status,
        reason: 'Paired; WhatsApp asks to connect anew.',
        row: { me },
        ...parts,
      });
    },
    /** The codes were used up, or the login was refused. */
    ended(authState: 'expired' | 'failed'): Pick<StatusChange, 'writes' | 'events'> {
      return authParts({ authState, method: pairing.method, code: null, expiresAt: null });
    },
    /** @returns the code that the pairing under way will show. @throws CONNECTION_CLOSED when the actor ends first */
    nextCode(): Promise<PairingCode> {
      waiting ??= Promise.withResolvers();
      return waiting.promise;
    },
    close(): void {
      waiting?.promise.catch(() => {});
      waiting?.reject(new CastellanError('CONNECTION_CLOSED', 'The pairing ended before WhatsApp gave a code.'));
      waiting = null;
    },
  };
}

export type PairingDesk = ReturnType<typeof createPairingDesk>;
