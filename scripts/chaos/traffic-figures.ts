import { setTimeout as delay } from 'node:timers/promises';
import type { Message } from '../../lib/contracts/entities.ts';
import type { ApiClient } from '../harness/api-client.ts';
import type { Figures } from './scenario.ts';
import type { Line, Traffic } from './traffic.ts';

/** as long as something still moves it is not over: a backlog may take its time */
const STALL_TIMEOUT_MS = 45_000;
const POLL_MS = 500;

export interface TaggedTraffic {
  traffic: Traffic;
  lines: readonly Line[];
  /** begins every text of it */
  tag: string;
}

const textOf = ({ content }: Pick<Message, 'content'>) => (content.type === 'text' ? content.text : '');

/** What the contacts' phones show of this traffic, in the order in which they decrypted it. */
function shownBy({ contact }: Line, tag: string): string[] {
  return contact.inbox.all.map(({ text }) => text ?? '').filter((text) => text.startsWith(tag));
}

/** How many accepted texts no contact has, and how many replies no message list has. */
async function missing(api: ApiClient, { traffic, lines, tag }: TaggedTraffic) {
  const shown = lines.flatMap((line) => shownBy(line, tag));
  const stored = await inboundOf(api, lines, tag);
  const [has, got] = [new Set(shown), new Set(stored)];
  return {
    shown,
    stored,
    lostSends: [...traffic.accepted.keys()].filter((text) => !has.has(text)),
    lostInbound: traffic.replied.filter((text) => !got.has(text)),
  };
}

async function inboundOf(api: ApiClient, lines: readonly Line[], tag: string): Promise<string[]> {
  const texts: string[] = [];
  for (const { connectionId } of lines) {
    const messages = await api.messages(connectionId, 'inbound');
    texts.push(...messages.map(textOf).filter((text) => text.startsWith(tag)));
  }
  return texts;
}

/** Waits until all that was accepted is shown and all that was replied is stored, or nothing moves any more. Then counts. */
export async function countTraffic(api: ApiClient, tagged: TaggedTraffic): Promise<Figures> {
  let before = '';
  let movedAt = performance.now();
  for (;;) {
    const found = await missing(api, tagged).catch(() => null);
    const now = found ? `${found.lostSends.length} ${found.lostInbound.length}` : 'the API does not answer';
    if (now !== before) movedAt = performance.now();
    before = now;
    if (found && (now === '0 0' || performance.now() - movedAt > STALL_TIMEOUT_MS)) return count(tagged, found);
    if (performance.now() - movedAt > STALL_TIMEOUT_MS * 2) throw new Error(now);
    await delay(POLL_MS);
  }
}

function count(
  { traffic, lines, tag }: TaggedTraffic,
  { shown, stored, lostSends, lostInbound }: Awaited<ReturnType<typeof missing>>,
): Figures {
  return {
    accepted: traffic.accepted.size,
    lostSends: lostSends.length,
    shownTwice: shown.length - new Set(shown).size,
    inversions: lines.reduce((sum, line) => sum + inversionsOf(shownBy(line, tag)), 0),
    replied: traffic.replied.length,
    lostInbound: lostInbound.length,
    doubledInbound: stored.length - new Set(stored).size,
    repeatedRequests: traffic.repeatedRequests,
  };
}

/** Every text ends with its number. */
function inversionsOf(texts: readonly string[]): number {
  const numbers = texts.map((text) => Number(text.split(' ').at(-1)));
  return numbers.filter((number, index) => index > 0 && number < (numbers[index - 1] ?? 0)).length;
}
