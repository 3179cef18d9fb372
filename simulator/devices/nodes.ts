import { type BinaryNode, getBinaryNodeChild, getBinaryNodeChildren } from '@whiskeysockets/baileys';

/** Short hands for binary nodes. */
export const node = (tag: string, attrs: Record<string, string> = {}, content?: BinaryNode['content']): BinaryNode =>
  content === undefined ? { tag, attrs } : { tag, attrs, content };

export const child = (parent: BinaryNode | undefined, tag: string): BinaryNode | undefined =>
  getBinaryNodeChild(parent, tag);

export const children = (parent: BinaryNode | undefined, tag: string): BinaryNode[] =>
  getBinaryNodeChildren(parent, tag);

/** The bytes of a child, which a peer may also send as a string. */
export function childBytes(parent: BinaryNode | undefined, tag: string): Buffer | undefined {
  const content = child(parent, tag)?.content;
  if (content === undefined || Array.isArray(content)) return undefined;
  return typeof content === 'string' ? Buffer.from(content) : Buffer.from(content);
}

export function requiredBytes(parent: BinaryNode | undefined, tag: string): Buffer {
  const bytes = childBytes(parent, tag);
  if (!bytes) throw new Error(`<${parent?.tag ?? 'nothing'}> has no <${tag}>`);
  return bytes;
}

/** A big-endian number of the width that the protocol fixes: registration id 4 bytes, key ids 3. */
export function uint(value: number, width: number): Buffer {
  const bytes = Buffer.alloc(width);
  bytes.writeUIntBE(value, 0, width);
  return bytes;
}

export const requiredUint = (parent: BinaryNode | undefined, tag: string): number => {
  const bytes = requiredBytes(parent, tag);
  return bytes.readUIntBE(0, bytes.length);
};

export const unixSeconds = (): string => Math.floor(Date.now() / 1000).toString();
