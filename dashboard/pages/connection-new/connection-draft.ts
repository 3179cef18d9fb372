export interface Draft {
  name: string;
  method: 'qr' | 'code';
  phoneNumber: string;
  /** an admin's: the id of a user, or `NEW_OWNER`; empty = not chosen yet */
  owner: string;
  /** of a user to be made */
  username: string;
  email: string;
}

export const NEW_OWNER = 'new';
export const EMPTY_DRAFT: Draft = { name: '', method: 'qr', phoneNumber: '', owner: '', username: '', email: '' };

/** @returns the body of `POST /connection/create` */
export function createBody({ name, method, phoneNumber }: Draft, userId: string | undefined): Record<string, unknown> {
  const digits = phoneNumber.replace(/[\s()-]/g, '');
  return {
    ...(userId !== undefined && { userId }),
    ...(name.trim() && { name: name.trim() }),
    pairing: method === 'qr' ? { method } : { method, phoneNumber: digits },
  };
}
