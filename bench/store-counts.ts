import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

/**
 * Looks into Castellan's file from outside (readers of a WAL block nobody), so that waiting for an outcome costs the
 * measured process nothing. Only what is committed is seen.
 */
export interface StoreCounts {
  openConnections(): number;
  inbound(): number;
  /** send jobs whose message WhatsApp acknowledged */
  sent(): number;
  close(): void;
}

export function openStoreCounts(dataDir: string): StoreCounts {
  const db = new DatabaseSync(join(dataDir, 'castellan.db'), { readOnly: true, timeout: 1_000 });
  const counter = (where: string): StatementSync => db.prepare(`SELECT count(*) AS n FROM ${where}`);
  const count = (statement: StatementSync): number => Number(statement.get()?.n);
  const open = counter(`connections WHERE json_extract(doc, '$.status') = 'open'`);
  const inbound = counter(`messages WHERE json_extract(doc, '$.direction') = 'inbound'`);
  const sent = counter(`jobs WHERE json_extract(doc, '$.status') = 'completed'`);
  return {
    openConnections: () => count(open),
    inbound: () => count(inbound),
    sent: () => count(sent),
    close: () => db.close(),
  };
}
