import type { Answer } from './commands.ts';

type Status = Extract<Answer, { event: 'status' }>;

const HEAD = ['process', 'pid', 'state', 'open', 'sessions that run there'];

/** An answer in words. */
export function answerText(answer: Answer): string {
  if (answer.event === 'error') return `That did not work: ${answer.message}.`;
  if (answer.event === 'quit') return 'Everything has ended.';
  if (answer.event === 'status') return statusText(answer);
  const { event, nodeId, pid } = answer;
  return event === 'started' ? `${nodeId} runs, pid ${pid}.` : `${nodeId} (pid ${pid}) is ${event}.`;
}

function statusText({ processes, nodes, workers }: Status): string {
  const rows = processes.map(({ nodeId, pid, state, role }) => {
    const node = nodes?.find((one) => one.nodeId === nodeId);
    const runs = (workers ?? []).filter((worker) => worker.nodeId === nodeId).map(({ connectionId }) => connectionId);
    const open = role === 'session-node' && node ? `${node.open} of ${node.connections}` : '';
    return [nodeId, String(pid ?? ''), node?.draining ? `${state}, draining` : state, open, listed(runs)];
  });
  const silent = nodes === null || workers === null ? '\nThe API does not answer: what runs where is not known.' : '';
  return `${table([HEAD, ...rows])}${silent}`;
}

const SHOWN = 4;

function listed(ids: readonly string[]): string {
  const more = ids.length > SHOWN ? ` and ${ids.length - SHOWN} more` : '';
  return ids.slice(0, SHOWN).join(' ') + more;
}

function table(rows: readonly string[][]): string {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}
