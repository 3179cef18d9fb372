import type { Connection } from '../../lib/contracts/entities.ts';
import { type ApiClient, createApiClient } from '../../scripts/harness/api-client.ts';
import type { Contact } from '../../simulator/devices/contact.ts';
import type { Phone } from '../../simulator/devices/phone.ts';
import type { Simulator } from '../../simulator/index.ts';
import type { Line } from './subject.ts';

const USER = 'bench';
/** registrations under way at the same time */
const PAIRING_LANES = 4;

export interface PairedLine extends Line {
  connectionId: string;
}

/** Makes a user and pairs one connection for each list of contacts. @returns them, and the user's own client */
export async function openLines(
  admin: ApiClient,
  simulator: Simulator,
  contacts: readonly (readonly Contact[])[],
): Promise<{ lines: PairedLine[]; api: ApiClient }> {
  await admin.ask('POST', '/user/create', { username: USER, email: 'bench@example.org', userId: USER });
  const { key } = await admin.ask<{ key: string }>('POST', `/user/${USER}/key/create`, {});
  const api = createApiClient(new URL(admin.base).origin, key);
  const lines: PairedLine[] = [];
  let next = 0;
  async function lane(): Promise<void> {
    for (let n = next++; n < contacts.length; n = next++) {
      const phone = simulator.devices.createPhone({ pn: `1666${1_000_000 + n}` });
      lines[n] = { connectionId: await pair(api, phone, n), phone, contacts: contacts[n] ?? [] };
    }
  }
  await Promise.all(Array.from({ length: PAIRING_LANES }, lane));
  return { lines, api };
}

async function pair(api: ApiClient, phone: Phone, n: number): Promise<string> {
  const { connectionId } = await api.ask<Connection>('POST', '/connection/create', { name: `bench ${n}` });
  await phone.scanQr(await api.untilQr(connectionId));
  await api.untilStatus(connectionId, 'open');
  return connectionId;
}
