import type { BinaryNode } from '@whiskeysockets/baileys';
import type { DeviceAddress } from '../ports.ts';
import { type Account, deviceKey } from './directory.ts';
import { type DeliveryShaper, Mailbox } from './mailbox.ts';

/** One mailbox per device. */
export class PostOffice {
  private readonly mailboxes = new Map<string, Mailbox>();
  private readonly shape: DeliveryShaper;

  constructor(shape: DeliveryShaper) {
    this.shape = shape;
  }

  mailbox(address: DeviceAddress): Mailbox {
    const key = deviceKey(address);
    const known = this.mailboxes.get(key);
    if (known) return known;
    const mailbox = new Mailbox(address, this.shape);
    this.mailboxes.set(key, mailbox);
    return mailbox;
  }

  deliver(address: DeviceAddress, stanza: BinaryNode): void {
    this.mailbox(address).deliver(stanza);
  }

  deliverIfLive(address: DeviceAddress, stanza: BinaryNode): void {
    this.mailboxes.get(deviceKey(address))?.deliverIfLive(stanza);
  }

  /** To every device of the account but one. */
  deliverToAccount(account: Account, stanza: BinaryNode, except?: DeviceAddress): void {
    const excepted = except && deviceKey(except);
    for (const { address } of account.devices.values()) {
      if (deviceKey(address) !== excepted) this.deliver(address, stanza);
    }
  }

  remove(address: DeviceAddress): void {
    this.mailboxes.delete(deviceKey(address));
  }
}
