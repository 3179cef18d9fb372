import { setTimeout as delay } from 'node:timers/promises';
import type { Message } from '../../lib/contracts/entities.ts';
import type { Contact } from '../../simulator/devices/contact.ts';
import type { Phone } from '../../simulator/devices/phone.ts';
import type { ApiClient } from '../harness/api-client.ts';

/** One connection and the contact that it talks with. */
export interface Line {
  connectionId: string;
  phone: Phone;
  contact: Contact;
}

export interface Traffic {
  /** what the API accepted: text -> WhatsApp id */
  readonly accepted: ReadonlyMap<string, string>;
  /** texts that contacts sent to the account */
  readonly replied: readonly string[];
  /** requests that had to be repeated, with the same key */
  readonly repeatedRequests: number;
  /** Ends both directions; resolves when the request in flight of every line has its answer. */
  stop(): Promise<void>;
}

const RETRY_MS = 50;
/** a gateway that lost its bus waits longer than a client would */
const ANSWER_TIMEOUT_MS = 20_000;

/**
 * Sends through the REST API and replies from the contacts, on every line at once, until it is stopped. A request
 * that fails because the server is gone is repeated with the same Idempotency-Key until it is answered, as a careful
 * client does: whatever was answered with 2xx counts as accepted.
 * @param pauseMs between two texts of one direction of a line
 * @param tag begins every text, where one line has traffic more than once
 */
export function startTraffic(api: ApiClient, lines: readonly Line[], pauseMs: number, tag = ''): Traffic {
  const accepted = new Map<string, string>();
  const replied: string[] = [];
  let repeatedRequests = 0;
  const ending = new AbortController();
  const pause = (ms: number) => delay(ms, undefined, { signal: ending.signal }).catch(() => undefined);
  const isOver = () => ending.signal.aborted;

  async function send(line: Line, content: string): Promise<void> {
    const body = { connectionId: line.connectionId, to: line.contact.pn, content };
    for (;;) {
      const answer = await api
        .call<Message>(
          'POST',
          '/message/send',
          body,
          { 'idempotency-key': content },
          AbortSignal.timeout(ANSWER_TIMEOUT_MS),
        )
        .catch(() => null);
      if (answer?.status === 202) {
        accepted.set(content, answer.body.waMessageId);
        return;
      }
      if (answer && answer.status < 500 && answer.status !== 409 && answer.status !== 429) {
        throw new Error(`a send was refused: ${answer.status} ${JSON.stringify(answer.body)}`);
      }
      repeatedRequests++;
      await delay(RETRY_MS);
    }
  }

  /** The lines begin one after the other: a thousand texts at once would be another test. */
  const begin = (index: number) => pause((pauseMs * index) / lines.length);

  async function outbound(line: Line, index: number): Promise<void> {
    await begin(index);
    for (let n = 0; !isOver(); n++) {
      await send(line, `${tag}out ${line.contact.pn} ${n}`);
      await pause(pauseMs);
    }
  }

  async function inbound(line: Line, index: number): Promise<void> {
    await begin(index);
    for (let n = 0; !isOver(); n++) {
      const text = `${tag}in ${line.contact.pn} ${n}`;
      await line.contact.sendText(line.phone.pnJid, text);
      replied.push(text);
      await pause(pauseMs);
    }
  }

  const running = Promise.all(lines.flatMap((line, index) => [outbound(line, index), inbound(line, index)]));
  running.catch(() => ending.abort());

  return {
    accepted,
    replied,
    get repeatedRequests() {
      return repeatedRequests;
    },
    async stop() {
      ending.abort();
      await running;
    },
  };
}
