import { afterEach, beforeEach } from '@jest/globals';
import type { CollectionSpec, Doc, Store } from '../../../lib/storage/port.ts';
import { TEST_COLLECTIONS } from './test-collections.ts';

export type { Doc } from '../../../lib/storage/port.ts';
export { LOG, PAIRS, THINGS } from './test-collections.ts';

/** What the suite needs of an adapter. Every call is one fresh, empty store. */
export type OpenStore = (collections: readonly CollectionSpec[]) => Promise<OpenedStore>;

export interface OpenedStore {
  store: Store;
  /** Another client of the same data where the adapter allows several at once, otherwise the same one. */
  another(): Promise<Store>;
  /** Closes the store and opens it again. */
  reopen(): Promise<Store>;
  /** Closes whatever is open and removes the data. */
  dispose(): Promise<void>;
}

export interface Thing extends Doc {
  [field: string]: unknown;
}

/** Opens a fresh store before each test of the surrounding `describe` and removes it afterwards. */
export function freshStore(open: OpenStore): { current: OpenedStore; store: Store } {
  let opened: OpenedStore | undefined;
  beforeEach(async () => {
    opened = await open(TEST_COLLECTIONS);
  });
  afterEach(async () => {
    await opened?.dispose();
    opened = undefined;
  });
  const get = (): OpenedStore => {
    if (!opened) throw new Error('no store is open: use it inside of a test');
    return opened;
  };
  return {
    get current() {
      return get();
    },
    get store() {
      return get().store;
    },
  };
}

export const ids = (docs: readonly Doc[]): string[] => docs.map((doc) => doc._id);

/** The bytes as numbers; fails when the value is something else. */
export function bytesOf(value: unknown): number[] {
  if (!ArrayBuffer.isView(value)) throw new Error(`expected bytes, got ${typeof value}`);
  return [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)];
}

/** The type of the error that it rejects with; fails the comparison when it does not reject. */
export async function rejection(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'resolved';
  } catch (error) {
    return (error as { type?: string }).type ?? `untyped: ${String(error)}`;
  }
}
