import { availableParallelism, cpus, totalmem } from 'node:os';
import { median } from './median.ts';
import type { BenchOptions, Comparison, Figure } from './scenarios/scenario.ts';

/** Medians over the rounds as a Markdown table, with the ratio of the medians. */
export function table({ castellan, bare }: Comparison): string {
  const rounds = castellan.length;
  const [first = []] = castellan;
  const rows = first.map(({ name, unit }, at) => {
    const ours = median(valuesAt(castellan, at));
    const theirs = median(valuesAt(bare, at));
    return `| ${name} (${unit}) | ${shown(ours)} | ${shown(theirs)} | ${shown(ours / theirs)} |`;
  });
  return [`| median of ${rounds} | Castellan | bare Baileys | ratio |`, '|---|---:|---:|---:|', ...rows].join('\n');
}

/** Figures that there is nothing to compare with. */
export function figuresTable(figures: readonly Figure[]): string {
  const rows = figures.map(({ name, unit, value }) => `| ${name} (${unit}) | ${shown(value)} |`);
  return ['| figure | value |', '|---|---:|', ...rows].join('\n');
}

const valuesAt = (rounds: readonly Figure[][], at: number): number[] =>
  rounds.flatMap((figures) => figures[at]?.value ?? []);

const shown = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2));

export function machine(): string {
  const [cpu] = cpus();
  const memoryGib = Math.round(totalmem() / 2 ** 30);
  return `Node ${process.versions.node}, ${availableParallelism()} cores (${cpu?.model.trim()}), ${memoryGib} GiB`;
}

export function conditions({ connections, chats, messages, nodeFlags }: BenchOptions): string {
  const work = chats === 0 ? '' : `, ${chats} chats each, ${messages} messages a chat`;
  const flags = nodeFlags.length > 0 ? `, Node flags ${nodeFlags.join(' ')}` : '';
  return `${connections} connections${work}${flags}`;
}
