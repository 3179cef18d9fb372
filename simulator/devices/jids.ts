import { type JidServer, jidDecode, jidEncode } from '@whiskeysockets/baileys';
import type { DeviceAddress } from '../ports.ts';

/** The server's own address: a JID with an empty user. */
export const serverJid = '@s.whatsapp.net';

export interface JidParts {
  user: string;
  device: number;
  server: JidServer;
}

export function parseJid(jid: string): JidParts {
  const decoded = jidDecode(jid);
  if (!decoded) throw new Error(`Not a JID: ${jid}`);
  return { user: decoded.user, device: decoded.device ?? 0, server: decoded.server as JidServer };
}

export const lidJid = (lid: string, device = 0): string => jidEncode(lid, 'lid', device);

export const pnJid = (pn: string, device = 0): string => jidEncode(pn, 's.whatsapp.net', device);

export const isGroup = (jid: string): boolean => jid.endsWith('@g.us');

export const isLid = (jid: string): boolean => jid.endsWith('@lid');

export const isPn = (jid: string): boolean => jid.endsWith('@s.whatsapp.net');

/** The account of a device's JID. */
export function userJid(jid: string): string {
  const { user, server } = parseJid(jid);
  return jidEncode(user, server);
}

/** The same account and server, another device. */
export function deviceJid(jid: string, device: number): string {
  const { user, server } = parseJid(jid);
  return jidEncode(user, server, device);
}

/** A phone number in digits (with or without `+`) or a JID, as a JID. */
export const toJid = (recipient: string): string =>
  recipient.includes('@') ? recipient : pnJid(recipient.replace(/\D/g, ''));

/** Whether the JID, in either addressing, names this account. */
export const isSameAccount = (jid: string, address: Pick<DeviceAddress, 'pn' | 'lid'>): boolean => {
  const { user, server } = parseJid(jid);
  return server === 'lid' ? user === address.lid : server === 's.whatsapp.net' && user === address.pn;
};
