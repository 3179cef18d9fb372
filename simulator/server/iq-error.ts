import type { BinaryNode } from '@whiskeysockets/baileys';
import { node } from '../devices/nodes.ts';

/** An `<iq type="error">` answer. */
export class IqError extends Error {
  readonly code: number;

  constructor(code: number, text: string) {
    super(text);
    this.name = 'IqError';
    this.code = code;
  }

  toNode(): BinaryNode {
    return node('error', { code: String(this.code), text: this.message });
  }
}

export const badRequest = (why = 'bad-request'): IqError => new IqError(400, why);
export const notAuthorized = (): IqError => new IqError(401, 'not-authorized');
export const forbidden = (): IqError => new IqError(403, 'forbidden');
export const notFound = (): IqError => new IqError(404, 'item-not-found');
export const conflict = (): IqError => new IqError(409, 'conflict');
