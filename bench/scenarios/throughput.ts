import { setTimeout as delay } from 'node:timers/promises';
import type { Line, RunningSubject } from '../subjects/subject.ts';
import { type BenchOptions, type Compare, compare, type Measure } from './scenario.ts';

/** After the last message: receipts come in and what a store does behind the scenes is done, and counted. */
const AFTERMATH_MS = 3_000;

/** Texts from every connection to all of its chats, until WhatsApp's server acknowledged the last. */
export const compareSend: Compare = (options, say) => compare(options, measureSend, say);
const measureSend: Measure = (subject, options) =>
  measured(subject, options, (running, perChat) => running.send(perChat));

/** Texts from every contact to its connection, until the last is received. */
export const compareReceive: Compare = (options, say) => compare(options, measureReceive, say);
const measureReceive: Measure = (subject, options) =>
  measured(subject, options, async (running, perChat) => {
    const done = running.untilReceived(perChat * chatsOf(running.lines));
    await Promise.all(running.lines.map((line) => sendIn(line, perChat)));
    await done;
  });

type Transfer = (running: RunningSubject, perChat: number) => Promise<void>;

async function measured(subject: Parameters<Measure>[0], options: BenchOptions, transfer: Transfer) {
  const running = await subject.start();
  try {
    // the first message of a chat makes its Signal session
    await transfer(running, 1);
    await delay(AFTERMATH_MS);
    const { process } = running;
    const cpuBefore = process.cpuSeconds();
    const began = performance.now();
    await transfer(running, options.messages);
    const seconds = (performance.now() - began) / 1000;
    await delay(AFTERMATH_MS);
    const count = options.messages * chatsOf(running.lines);
    return [
      { name: 'rate', unit: 'messages/s', value: count / seconds },
      { name: 'CPU', unit: 'ms/message', value: ((process.cpuSeconds() - cpuBefore) / count) * 1000 },
      { name: 'resident', unit: 'MiB', value: process.residentBytes() / 2 ** 20 },
    ];
  } finally {
    await running.stop();
  }
}

const chatsOf = (lines: readonly Line[]): number => lines.reduce((sum, { contacts }) => sum + contacts.length, 0);

async function sendIn({ phone, contacts }: Line, perChat: number): Promise<void> {
  await Promise.all(
    contacts.map(async (contact) => {
      for (let n = 0; n < perChat; n += 1) await contact.sendText(phone.pnJid, `message ${n}`);
    }),
  );
}
