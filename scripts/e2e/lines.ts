import type { Connection } from '../../lib/contracts/entities.ts';
import type { Simulator } from '../../simulator/index.ts';
import type { Line } from '../chaos/traffic.ts';
import type { ApiClient } from '../harness/api-client.ts';

/** a machine that starves while it registers devices would measure nothing but itself */
const PAIRED_AT_ONCE = 4;
const OPEN_TIMEOUT_MS = 120_000;

/** Connections of one user, each paired by QR code with a phone of its own, each with somebody to talk to. */
export async function openLines(
  api: ApiClient,
  { devices }: Simulator,
  userId: string,
  count: number,
): Promise<Line[]> {
  const lines: Line[] = [];

  async function openLine(n: number): Promise<void> {
    const phone = devices.createPhone({ pn: `1555300${1000 + n}` });
    const contact = devices.createContact({ pn: `1555400${1000 + n}` });
    const { connectionId } = await api.ask<Connection>('POST', '/connection/create', { userId, name: `line ${n}` });
    await phone.scanQr(await api.untilQr(connectionId, OPEN_TIMEOUT_MS));
    await api.untilStatus(connectionId, 'open', OPEN_TIMEOUT_MS);
    lines[n] = { connectionId, phone, contact };
  }

  for (let n = 0; n < count; n += PAIRED_AT_ONCE) {
    const some = Array.from({ length: Math.min(PAIRED_AT_ONCE, count - n) }, (_, at) => n + at);
    await Promise.all(some.map(openLine));
  }
  return lines;
}
