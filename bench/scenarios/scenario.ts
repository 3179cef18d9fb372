import { startSimulator } from '../../simulator/index.ts';
import { bareBaileysSubject } from '../subjects/bare-baileys.ts';
import { castellanSubject } from '../subjects/castellan.ts';
import type { Subject } from '../subjects/subject.ts';
import { createContacts } from './contacts.ts';

export interface BenchOptions {
  connections: number;
  /** chats of each connection; none in `memory` */
  chats: number;
  /** texts in each chat */
  messages: number;
  rounds: number;
  idleSeconds: number;
  /** for both subjects */
  nodeFlags: readonly string[];
}

/** One figure of one subject. */
export interface Figure {
  name: string;
  unit: string;
  value: number;
}

/** Measures one start of one subject. */
export type Measure = (subject: Subject, options: BenchOptions) => Promise<Figure[]>;

export interface Comparison {
  /** figures of every round, by subject */
  castellan: Figure[][];
  bare: Figure[][];
}

export type Compare = (options: BenchOptions, say: (line: string) => void) => Promise<Comparison>;

/** Runs both subjects in turn, A B A B, against one simulator in this process. */
export async function compare(
  options: BenchOptions,
  measure: Measure,
  say: (line: string) => void,
): Promise<Comparison> {
  const simulator = await startSimulator({ seed: 'bench', witnessStanzas: 1_000 });
  const subjects: Subject[] = [];
  try {
    const contacts = createContacts(simulator, options);
    const parts = { simulator, contacts, connections: options.connections, nodeFlags: options.nodeFlags };
    const bare = bareBaileysSubject(parts);
    say(`pairing ${options.connections} connections`);
    const castellan = await castellanSubject(parts);
    subjects.push(castellan, bare);
    const figures: Comparison = { castellan: [], bare: [] };
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const [name, subject] of Object.entries({ castellan, bare }) as [keyof Comparison, Subject][]) {
        const measured = await measure(subject, options);
        figures[name].push(measured);
        const shown = measured.map(({ name: what, unit, value }) => `${what} ${value.toFixed(2)} ${unit}`);
        say(`round ${round}, ${subject.name}: ${shown.join(', ')}`);
      }
    }
    return figures;
  } finally {
    for (const subject of subjects) await subject.close();
    await simulator.close();
  }
}
