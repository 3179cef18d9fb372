import type { Message } from '../../../lib/contracts/entities.ts';

export interface DayGroup {
  key: string;
  label: string;
  messages: Message[];
}

const label = new Intl.DateTimeFormat('en', { dateStyle: 'full' });

/** @returns the messages in their order, cut where the day changes (in the reader's time zone) */
export function groupByDay(messages: readonly Message[]): DayGroup[] {
  const groups: DayGroup[] = [];
  for (const message of messages) {
    const day = label.format(new Date(message.timestamp));
    const current = groups.at(-1);
    if (current?.label === day) current.messages.push(message);
    else groups.push({ key: message.messageId, label: day, messages: [message] });
  }
  return groups;
}
