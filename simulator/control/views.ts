import type { InboxEntry, ReceiptEntry } from '../devices/index.ts';

export type { InboxEntry, ReceiptEntry };

/** An inbox entry without its protobuf: what a test asks for. */
export const present = ({ message: _, wire: __, ...entry }: InboxEntry): Omit<InboxEntry, 'message' | 'wire'> => entry;
