import { parseJid } from '../../devices/jids.ts';
import type { DeviceAddress } from '../../ports.ts';
import { badRequest, forbidden, notFound } from '../iq-error.ts';
import { child } from '../stanzas.ts';
import type { World } from '../world.ts';
import type { IqHandler } from './handler.ts';

/** `md`: a companion removes itself, a phone removes any of its companions, or greets one that wants a pairing code. */
export const answerCompanions: IqHandler = ({ from, iq, afterwards }, world) => {
  const registration = child(iq, 'link_code_companion_reg');
  if (registration) {
    if (from.device !== 0 || registration.attrs.stage !== 'primary_hello') throw badRequest();
    world.primaryHello(from, registration);
    return [];
  }
  const removal = child(iq, 'remove-companion-device');
  if (!removal) throw badRequest();
  const removed = companionsToRemove(from, removal.attrs.jid, world);
  afterwards(() => {
    for (const address of removed) removeCompanion(address, world);
  });
  return [];
};

/** @param jid all companions of the phone when left out */
function companionsToRemove(from: DeviceAddress, jid: string | undefined, world: World): DeviceAddress[] {
  const account = world.directory.account(from.pn);
  if (!account) throw notFound();
  const named = jid === undefined ? undefined : parseJid(jid);
  if (named && world.directory.accountOf(jid ?? '')?.pn !== from.pn) throw forbidden();
  const companions = [...account.devices.values()].map(({ address }) => address).filter(({ device }) => device > 0);
  const removed = named ? companions.filter(({ device }) => device === named.device) : companions;
  if (from.device !== 0 && removed.some(({ device }) => device !== from.device)) throw forbidden();
  if (named && removed.length === 0) throw notFound();
  return removed;
}

export function removeCompanion(address: DeviceAddress, world: World): void {
  if (!world.directory.removeDevice(address)) return;
  world.announceDevice(address, 'remove');
  world.expel(address);
}
