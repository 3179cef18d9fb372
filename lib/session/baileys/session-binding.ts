import type { UserFacingSocketConfig, WASocket } from '@whiskeysockets/baileys';
import type WebSocket from 'ws';
import type { Clock } from '../../clock.ts';
import { type Lease, UNCONDITIONAL } from '../../cluster/lease.port.ts';
import { isErrorType } from '../../errors.ts';
import { journalActivation } from '../journal/session-store.ts';
import type { JournalRecord, SessionActivation } from '../ports.ts';
import { createBaileysState } from './auth-state.ts';
import { type FrameGate, installFrameGate } from './frame-gate.ts';
import type { SessionCaches } from './session-caches.ts';
import { createSignalRepositoryFactory, TRANSACTION_OPTIONS } from './signal-repository.ts';
import { silenceLibsignal } from './silence-libsignal.ts';
import { createStanzaTaps } from './stanza-taps.ts';

export interface SessionBindingDeps {
  clock: Clock;
  /** one for the process */
  caches: SessionCaches;
  /** Whether a stored Message of this connection came in this ciphertext (SHA-256, hex). @throws STORE_UNAVAILABLE */
  isStoredCiphertext(connectionId: string, cipherHash: string): Promise<boolean>;
}

/** Ties one Baileys socket to the durable state of its session. */
export interface SessionBinding {
  /** To be spread into `makeWASocket`'s configuration. */
  socketConfig: Pick<
    UserFacingSocketConfig,
    | 'auth'
    | 'makeSignalRepository'
    | 'transactionOpts'
    | 'userDevicesCache'
    | 'msgRetryCounterCache'
    | 'callOfferCache'
    | 'placeholderResendCache'
  >;
  /** To be called in the same turn as `makeWASocket`: before the connection opens and its first frame leaves. */
  attach(sock: WASocket): void;
  /** Puts a claim into the journal entry of the next encryption: to be called right before `relayMessage`. */
  claim(record: JournalRecord & { kind: 'claim' }): void;
  /** Lets no frame through any more and frees what was attached. */
  detach(): void;
}

/**
 * @param activation of a `SessionStore`; its credentials are loaded, or made when there are none
 * @throws what ended the activation
 */
export function bindSession(
  activation: SessionActivation,
  deps: SessionBindingDeps,
  lease: Lease = UNCONDITIONAL,
): SessionBinding {
  silenceLibsignal();
  const journal = journalActivation(activation);
  const { connectionId, epoch } = journal;
  const state = createBaileysState(journal);
  let armedClaim: JournalRecord | null = null;
  let gate: FrameGate | null = null;
  let unsubscribe = (): void => {};

  const taps = createStanzaTaps((receipt) => whileUsable(() => journal.record({ ...receipt, at: deps.clock.now() })));

  /** After the end of an activation its socket may still hand in what it had read: nothing of that was acknowledged. */
  function whileUsable(work: () => void): void {
    try {
      if (gate) work();
    } catch (error) {
      if (!isErrorType(error, 'CONNECTION_CLOSED')) throw error;
    }
  }

  return {
    socketConfig: {
      auth: state.auth,
      transactionOpts: TRANSACTION_OPTIONS,
      makeSignalRepository: createSignalRepositoryFactory({
        activation: journal,
        stagingKeys: state.stagingKeys,
        clock: deps.clock,
        stanzaOf: taps.stanzaOf,
        isStored: (cipherHash) => deps.isStoredCiphertext(connectionId, cipherHash),
        takeClaim() {
          const claim = armedClaim;
          armedClaim = null;
          return claim;
        },
      }),
      ...deps.caches.forActivation(`${connectionId}@${epoch}`),
    },
    attach(sock) {
      const { socket: raw } = sock.ws as unknown as { socket: WebSocket };
      gate = installFrameGate(raw, journal, lease);
      const unsubscribeFailure = journal.onFailure(() => {
        gate = null;
      });
      /* Baileys' own listener came first: the update is merged into the credentials by now */
      const onUpdate = () => whileUsable(state.saveCredentials);
      sock.ev.on('creds.update', onUpdate);
      taps.attach(sock.ws);
      unsubscribe = () => {
        unsubscribeFailure();
        sock.ev.off('creds.update', onUpdate);
        taps.detach();
      };
    },
    claim(record) {
      armedClaim = record;
    },
    detach() {
      unsubscribe();
      gate?.close();
      gate = null;
    },
  };
}
