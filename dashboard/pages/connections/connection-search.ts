import type { Connection } from '../../../lib/contracts/entities.ts';
import { statusWords } from '../../components/status-words.ts';

/** The filter for everything that a person should look at. */
export const ATTENTION = 'attention';

/** It does not work and does not come back by itself. */
export function needsAttention({ status, degraded }: Connection): boolean {
  const { tone, busy } = statusWords(status);
  return degraded || tone === 'bad' || (tone === 'warn' && !busy);
}

export function attentionCount(rows: readonly Connection[]): number {
  return rows.filter(needsAttention).length;
}

/**
 * @param text every word must be in the name, account or number, or begin the connection's id or its owner's; empty = all
 * @param status of the API, `attention`, or empty for all
 */
export function filterConnections(rows: readonly Connection[], text: string, status: string): Connection[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    if (status === ATTENTION ? !needsAttention(row) : status !== '' && row.status !== status) return false;
    if (words.length === 0) return true;
    const haystack = searchable(row);
    return words.every((word) => haystack.includes(word.replace(/^\+/, '')) || isBegunBy(row, word));
  });
}

function searchable({ name, me }: Connection): string {
  return [name, me?.name, me?.pn, me?.lid].filter(Boolean).join(' ').toLowerCase();
}

/** Ids are long and random: a few digits anywhere in them would fit by chance. */
function isBegunBy({ connectionId, userId }: Connection, word: string): boolean {
  return connectionId.toLowerCase().startsWith(word) || userId.toLowerCase().startsWith(word);
}
