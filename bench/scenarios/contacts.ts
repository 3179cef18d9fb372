import type { Contact } from '../../simulator/devices/contact.ts';
import type { Simulator } from '../../simulator/index.ts';

/** People of one device each, every one in one chat with one connection: a list for each connection. */
export function createContacts(
  simulator: Simulator,
  { connections, chats }: { connections: number; chats: number },
): Contact[][] {
  return Array.from({ length: connections }, (_, line) =>
    Array.from({ length: chats }, (_, chat) =>
      simulator.devices.createContact({ pn: `1777${1_000_000 + line * chats + chat}` }),
    ),
  );
}
