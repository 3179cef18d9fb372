import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import {
  addTransactionCapability,
  DEFAULT_CONNECTION_CONFIG,
  type SignalKeyStore,
  type SignalRepositoryWithLIDStore,
  type SocketConfig,
  unpadRandomMax16,
} from '@whiskeysockets/baileys';
import type { Clock } from '../../clock.ts';
import { CastellanError } from '../../errors.ts';
import type { JournalActivation } from '../journal/activation.ts';
import type { JournalRecord } from '../ports.ts';
import { recordMutation } from './auth-state.ts';

/**
 * Baileys' Signal repository, made safe against its own callers. Baileys runs encryption and sending in one transaction,
 * so the ratchet would be committed after the bytes left, and a receive that overlaps a send would load the ratchet from
 * before it. Here every call
 *  - runs outside of the caller's transaction (in the asynchronous context of the construction), in one of its own;
 *  - has the whole repository of its socket for itself: the key of its transaction is the same for all calls, and a call
 *    inside another one joins it. One identity may have two addresses (phone number and LID) and change between them, so
 *    a lock for each address would not be enough;
 *  - stages its changes at the end, where later calls see them at once, and resolves when they are durable. The lock is
 *    not held meanwhile, so the encryptions of one message share a journal entry instead of waiting for one each.
 *
 * A decrypted message is put into the same entry as its ratchet step. Both or neither are durable; so a ciphertext that
 * cannot be decrypted because its key is used up is looked for among the known ones: it is a redelivery, whose receipt
 * never reached the server. It gets the same answer again, and no second record.
 */
export interface SignalRepositoryDeps {
  activation: JournalActivation;
  stagingKeys: SignalKeyStore;
  clock: Clock;
  /** The attributes of the `<message>` that this very ciphertext came in. */
  stanzaOf(ciphertext: Uint8Array): Record<string, string> | undefined;
  /** Whether a stored Message came in this ciphertext. */
  isStored(cipherHash: string): Promise<boolean>;
  /** The claim of the send that is being encrypted, once. */
  takeClaim(): JournalRecord | null;
}

type MakeSignalRepository = SocketConfig['makeSignalRepository'];

export const TRANSACTION_OPTIONS = { maxCommitRetries: 1, delayBetweenTriesMs: 0 };
const WHOLE_REPOSITORY = 'signal-repository';
/** An empty protobuf message, padded: what is left to say about a ciphertext whose plaintext is already stored. */
const NOTHING_NEW = Buffer.of(1);

export function createSignalRepositoryFactory(deps: SignalRepositoryDeps): MakeSignalRepository {
  const { activation, stagingKeys, clock, stanzaOf, isStored, takeClaim } = deps;

  return (auth, logger, pnToLid) => {
    const outside = AsyncLocalStorage.snapshot();
    const keys = addTransactionCapability(stagingKeys, logger, TRANSACTION_OPTIONS);
    const inner = DEFAULT_CONNECTION_CONFIG.makeSignalRepository({ creds: auth.creds, keys }, logger, pnToLid);

    const exclusive = <T>(work: () => Promise<T>): Promise<T> =>
      outside(() => keys.transaction(work, WHOLE_REPOSITORY));

    async function durably<T>(work: () => Promise<T>): Promise<T> {
      const result = await exclusive(work);
      await activation.flush();
      return result;
    }

    const encrypt = <T>(work: () => Promise<T>): Promise<T> =>
      durably(async () => {
        const result = await work();
        const claim = takeClaim();
        if (claim) await keys.set(recordMutation('claim', claim));
        return result;
      });

    async function decrypt(ciphertext: Uint8Array, work: () => Promise<Uint8Array>): Promise<Uint8Array> {
      const cipherHash = createHash('sha256').update(ciphertext).digest('hex');
      const plaintext = await exclusive(async () => {
        const padded = await work();
        await keys.set(recordMutation(cipherHash, inboundRecord(cipherHash, ciphertext, padded)));
        return padded;
      }).catch((error) => answerRedelivery(cipherHash, error));
      await activation.flush();
      return plaintext;
    }

    function inboundRecord(cipherHash: string, ciphertext: Uint8Array, padded: Uint8Array): JournalRecord {
      const attrs = stanzaOf(ciphertext);
      if (!attrs) throw new CastellanError('INTERNAL_ERROR', 'A ciphertext that came in no stanza.');
      return { kind: 'inbound', cipherHash, plaintext: unpadRandomMax16(padded), attrs, at: clock.now() };
    }

    async function answerRedelivery(cipherHash: string, error: unknown): Promise<Uint8Array> {
      const known = activation.knownCiphertext(cipherHash);
      if (known?.plaintext) return Buffer.concat([known.plaintext, NOTHING_NEW]);
      if (known || (await isStored(cipherHash).catch(() => false))) return NOTHING_NEW;
      throw error;
    }

    return {
      ...inner,
      encryptMessage: (opts) => encrypt(() => inner.encryptMessage(opts)),
      encryptGroupMessage: (opts) => encrypt(() => inner.encryptGroupMessage(opts)),
      decryptMessage: (opts) => decrypt(opts.ciphertext, () => inner.decryptMessage(opts)),
      decryptGroupMessage: (opts) => decrypt(opts.msg, () => inner.decryptGroupMessage(opts)),
      processSenderKeyDistributionMessage: (opts) => durably(() => inner.processSenderKeyDistributionMessage(opts)),
      getSenderKeyDistributionMessage: (opts) => durably(() => inner.getSenderKeyDistributionMessage(opts)),
      injectE2ESession: (opts) => durably(() => inner.injectE2ESession(opts)),
      migrateSession: (from, to) => durably(() => inner.migrateSession(from, to)),
      deleteSession: (jids) => durably(() => inner.deleteSession(jids)),
      validateSession: (jid) => outside(() => inner.validateSession(jid)),
      hasSenderKey: (opts) => outside(() => inner.hasSenderKey(opts)),
      getSessionInfo: (jid) => outside(() => inner.getSessionInfo(jid)),
    } satisfies SignalRepositoryWithLIDStore;
  };
}
