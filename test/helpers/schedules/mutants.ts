import type { OwnershipTimings } from '../../../lib/timings.ts';
import { breakProduct, type Edit } from './broken-product.ts';
import { loadProduct, type Product } from './product.ts';

/** A protocol that was broken on purpose: the schedules have to see it. */
export interface Mutant {
  name: string;
  /** other parts around the product's own */
  around?(product: Product): Partial<Product>;
  edits?: readonly Edit[];
  timings?: Partial<OwnershipTimings>;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'the guard is removed: every owner counts as silent',
    around: ({ createStoredMembership }) => ({
      createStoredMembership(options) {
        const membership = createStoredMembership(options);
        const isMe = (incarnation: string) => incarnation === options.owner.incarnation;
        return { ...membership, silentForMs: ({ incarnation }) => (isMe(incarnation) ? 0 : 3_600_000) };
      },
    }),
  },
  {
    name: 'the lock is ignored: whoever asks has it',
    around: ({ createMemoryLocks }) => ({
      createMemoryLocks: (options) => ({
        ...createMemoryLocks(options),
        claim: async (_key, holder) => ({ mine: true, holder }),
        claimInGeneration: async (_key, holder) => ({ mine: true, holder, forgotten: false }),
      }),
    }),
  },
  { name: 'the deadline is ignored', timings: { leaseDeadlineMs: 3_600_000 } },
  {
    name: 'a late confirmation revives',
    edits: [
      {
        file: 'cluster/lease-keeper.ts',
        find: `end(lease, 'deadline');
    else if`,
        replace: `return 'over';
    if`,
      },
    ],
  },
  {
    name: 'two entries are in flight',
    edits: [
      {
        file: 'session/journal/activation.ts',
        find: 'if (!staged || inFlight || enqueued || failure',
        replace: 'if (!staged || enqueued || failure',
      },
      {
        file: 'session/journal/activation.ts',
        find: `    inFlight = staged;
    staged = null;
    const seq = head + 1;
    const _id = entryId(connectionId, seq);
    const payload = sealEntry(vault, _id, (inFlight as Staged).content);`,
        replace: `    const next = staged as Staged;
    flying.push(next);
    inFlight = next;
    staged = null;
    const seq = head + flying.length;
    const _id = entryId(connectionId, seq);
    const payload = sealEntry(vault, _id, next.content);`,
      },
      {
        file: 'session/journal/activation.ts',
        find: `    const entry = inFlight as Staged;
    inFlight = null;`,
        replace: `    const entry = flying.shift() as Staged;
    inFlight = flying.at(-1) ?? null;`,
      },
      {
        file: 'session/journal/activation.ts',
        find: '  let inFlight: Staged | null = null;',
        replace: '  let inFlight: Staged | null = null;\n  const flying: Staged[] = [];',
      },
      {
        file: 'session/journal/group-writer.ts',
        find: 'await writeUntilSettled(takeGroup());',
        replace: 'void writeUntilSettled(takeGroup());',
      },
    ],
  },
  {
    name: 'a takeover entry is pruned',
    edits: [
      {
        file: 'session/journal/entry-applier.ts',
        find: "deleteMany({ connectionId, kind: 'commit', seq })",
        replace: "deleteMany({ connectionId, kind: { $in: ['commit', 'takeover'] }, seq })",
      },
    ],
  },
  {
    name: 'the entry before a takeover is pruned',
    edits: [
      {
        file: 'session/journal/entry-applier.ts',
        find: 'return takeovers.map(({ seq }) => seq - 1);',
        replace: 'return takeovers.map(({ seq }) => seq);',
      },
    ],
  },
  {
    name: 'the generation is not checked',
    around: ({ createMemoryLocks }) => ({
      createMemoryLocks(options) {
        const locks = createMemoryLocks(options);
        return {
          ...locks,
          generation: async () => 'always the same',
          async claimInGeneration(key, holder, ttlMs, _generation, lease) {
            return { ...(await locks.claim(key, holder, ttlMs, lease)), forgotten: false };
          },
        };
      },
    }),
  },
  {
    name: 'debts are forgotten',
    edits: [
      {
        file: 'session/residents.ts',
        find: 'if (!actor.isReleased) debts.add(connectionId);',
        replace: '',
      },
      {
        file: 'session/connection-manager.ts',
        find: 'await debts.audit((connectionId) => actors.has(connectionId));',
        replace: '',
      },
    ],
  },
  {
    name: 'a row is written whatever its epoch',
    edits: [
      {
        file: 'session/status-writer.ts',
        find: 'const filter = { _id: connectionId, epoch: { $lte: epoch } };',
        replace: 'const filter = { _id: connectionId };',
      },
    ],
  },
];

/** @returns the product as the mutant has it */
export async function mutate({ around, edits }: Mutant): Promise<{ product: Product; remove(): void }> {
  const broken = edits ? await breakProduct(edits) : { product: await loadProduct(), remove() {} };
  return { ...broken, product: { ...broken.product, ...around?.(broken.product) } };
}
