import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The parts of the product that a schedule runs: its own files, or a copy of them that was broken on purpose. */
export interface Product {
  createConnectionManager: typeof import('../../../lib/session/connection-manager.ts').createConnectionManager;
  createSessionStore: typeof import('../../../lib/session/journal/session-store.ts').createSessionStore;
  journalActivation: typeof import('../../../lib/session/journal/session-store.ts').journalActivation;
  installFrameGate: typeof import('../../../lib/session/baileys/frame-gate.ts').installFrameGate;
  createStoredMembership: typeof import('../../../lib/cluster/stored-membership.ts').createStoredMembership;
  createMemoryLocks: typeof import('../../../lib/cluster/memory-locks.ts').createMemoryLocks;
  createEventLog: typeof import('../../../lib/events/event-log.ts').createEventLog;
}

const MODULES = [
  'session/connection-manager.ts',
  'session/journal/session-store.ts',
  'session/baileys/frame-gate.ts',
  'cluster/stored-membership.ts',
  'cluster/memory-locks.ts',
  'events/event-log.ts',
];

export const LIB = new URL('../../../lib/', import.meta.url).pathname;

/** @param lib the folder that holds the product's files */
export async function loadProduct(lib = LIB): Promise<Product> {
  const loaded = await Promise.all(MODULES.map((path) => import(pathToFileURL(join(lib, path)).href)));
  return Object.assign({}, ...loaded) as Product;
}
