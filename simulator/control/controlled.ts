import type { Contact, Devices, Phone } from '../devices/index.ts';
import type { FaultEngine } from '../faults/engine.ts';
import type { SimulatedServer } from '../server/simulated-server.ts';
import type { Witness } from '../witness/witness.ts';
import { missing } from './api-error.ts';

/** What the control API steers. */
export interface Controlled {
  readonly url: string;
  readonly controlUrl: string;
  readonly mediaHost: string;
  readonly mediaCertificate: string;
  readonly rootPublicKey: string;
  readonly seed: string;
  readonly server: SimulatedServer;
  readonly devices: Devices;
  readonly witness: Witness;
  readonly faults: FaultEngine;
}

export type GetControlled = () => Controlled;

export function accountOf({ devices }: Controlled, pn: string | undefined): Contact {
  const account = pn === undefined ? undefined : devices.contact(pn);
  if (!account) throw missing(`There is no account ${pn}`);
  return account;
}

export function phoneOf({ devices }: Controlled, pn: string | undefined): Phone {
  const phone = pn === undefined ? undefined : devices.phone(pn);
  if (!phone) throw missing(`There is no phone ${pn}`);
  return phone;
}
