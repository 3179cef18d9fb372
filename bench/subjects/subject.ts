import type { Contact } from '../../simulator/devices/contact.ts';
import type { Phone } from '../../simulator/devices/phone.ts';
import type { MeasuredProcess } from '../measured-process.ts';

/** One account that is connected, and the people it talks to: one chat each. */
export interface Line {
  phone: Phone;
  contacts: readonly Contact[];
}

/** What is compared: it runs connections to the simulator in a process of its own. */
export interface Subject {
  readonly name: string;
  /** A fresh process with all connections open. */
  start(): Promise<RunningSubject>;
  /** Ends for good and deletes what it stored. */
  close(): Promise<void>;
}

export interface RunningSubject {
  readonly process: MeasuredProcess;
  readonly lines: readonly Line[];
  /** Sends `perChat` texts in every chat of every line; resolves when WhatsApp acknowledged the last. */
  send(perChat: number): Promise<void>;
  /** Resolves when `count` messages more than were waited for before have been received, and are durable in a store. */
  untilReceived(count: number): Promise<void>;
  stop(): Promise<void>;
}
