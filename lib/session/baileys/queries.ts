import { jidNormalizedUser, USyncQuery, USyncUser, type WASocket } from '@whiskeysockets/baileys';
import { CastellanError, errorType } from '../../errors.ts';

/** Questions to the server beside messages. */

const SERVER = '@s.whatsapp.net';
const LOGOUT_TIMEOUT_MS = 5_000;

/**
 * Asks for a phone number's account and keeps what it learns: a send to the LID needs the mapping.
 * @returns its ids, or null when the number is not on WhatsApp
 */
export async function lookupNumber(sock: WASocket, pn: string): Promise<{ lid: string | null; pn: string } | null> {
  const digits = pn.split('@')[0]?.replace(/\D/g, '') ?? '';
  const query = new USyncQuery()
    .withContactProtocol()
    .withLIDProtocol()
    .withUser(new USyncUser().withPhone(`+${digits}`));
  const answer = await sock.executeUSyncQuery(query);
  if (!answer) throw new CastellanError('OUTCOME_UNKNOWN', 'WhatsApp did not say whether the number has an account.');
  const found = answer.list.find(({ contact }) => contact === true);
  if (!found) return null;
  const id = jidNormalizedUser(found.id);
  const lid = typeof found.lid === 'string' && found.lid !== '' ? jidNormalizedUser(found.lid) : null;
  const known = { pn: id.endsWith(SERVER) ? id : `${digits}${SERVER}`, lid: id.endsWith('@lid') ? id : lid };
  if (known.lid) await sock.signalRepository.lidMapping.storeLIDPNMappings([{ lid: known.lid, pn: known.pn }]);
  return known;
}

/** Tells WhatsApp to forget this device; an answer that does not come within 5 s is not waited for. */
export async function removeThisDevice(sock: WASocket): Promise<void> {
  const jid = sock.authState.creds.me?.id;
  if (!jid) return;
  const request = {
    tag: 'iq',
    attrs: { to: SERVER, type: 'set', xmlns: 'md' },
    content: [{ tag: 'remove-companion-device', attrs: { jid, reason: 'user_initiated' } }],
  };
  /* the stream may end before the answer: the device is gone either way */
  await sock.query(request, LOGOUT_TIMEOUT_MS).catch(() => undefined);
}

/** Why a message was not written: the server's own refusal (an iq error's code), or ours. */
export function refusalOf(error: unknown): unknown {
  if (errorType(error) !== undefined) return error;
  const { data, message, output } = error as { data?: unknown; message?: string; output?: { statusCode?: number } };
  if (output?.statusCode === 428 || output?.statusCode === 408) {
    return new CastellanError('CONNECTION_CLOSED', message, undefined, { cause: error });
  }
  if (typeof data === 'number' && Number.isFinite(data)) {
    return new CastellanError('REJECTED_BY_WHATSAPP', message, { waCode: data }, { cause: error });
  }
  return new CastellanError('INTERNAL_ERROR', 'The message could not be prepared.', undefined, { cause: error });
}
