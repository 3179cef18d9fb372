import type { BinaryNode } from '@whiskeysockets/baileys';
import { serverJid } from '../devices/jids.ts';
import { child, childBytes, children, node, unixSeconds } from '../devices/nodes.ts';

export { child, childBytes, children, node, unixSeconds };

/** Who a stanza of the server itself is from: never a bare string, always the JID with an empty user. */
export const serverStamp = serverJid;

export const text = (bytes: BinaryNode['content']): string =>
  typeof bytes === 'string' ? bytes : Array.isArray(bytes) || bytes === undefined ? '' : Buffer.from(bytes).toString();

export const nodesOf = (parent: BinaryNode): BinaryNode[] => (Array.isArray(parent.content) ? parent.content : []);

export const firstChild = (parent: BinaryNode): BinaryNode | undefined => nodesOf(parent)[0];

/** Only the attributes that have a value. */
export function attributes(values: Record<string, string | undefined>): Record<string, string> {
  const defined: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) if (value !== undefined) defined[name] = value;
  return defined;
}

export const streamError = (code: number, ...reasons: BinaryNode[]): BinaryNode =>
  node('stream:error', { code: String(code) }, reasons);

/** A newer login took over; real servers send no code with it. */
export const replacedError = (): BinaryNode => node('stream:error', {}, [node('conflict', { type: 'replaced' })]);

export const deviceRemovedError = (): BinaryNode => streamError(401, node('conflict', { type: 'device_removed' }));
