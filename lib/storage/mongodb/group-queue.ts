import { isErrorType } from '../../errors.ts';
import type { KeyedOrder } from '../../keyed-order.ts';
import type { WriteGroup } from './write-group.ts';

/**
 * The atomic groups of one process, in the order of the calls. While a transaction is under way the next groups gather,
 * and those that can share a transaction do (group commit): two thousand groups a second of one process are a few dozen
 * transactions, and they never conflict with each other over the counters of an ordered collection.
 *
 * A group that fails must not harm the others. A shared transaction that fails is parted in halves, each in its own
 * transaction, until a group is alone: only then its failure is its own, judged on what is really there.
 */
export interface GroupQueue {
  /** Resolves when it is durable. @throws what the group's own transaction threw */
  submit(group: WriteGroup): Promise<void>;
}

interface Waiting {
  group: WriteGroup;
  /** single writes to its documents that come first; null = none any more */
  ready: Promise<unknown> | null;
  resolve(): void;
  reject(error: unknown): void;
}

export interface GroupQueueOptions {
  order: KeyedOrder;
  /** Resolves when a transaction may begin; what comes meanwhile can share it. @returns to be called after it */
  begin(waiting: readonly WriteGroup[]): Promise<() => void>;
  /** Runs them in one transaction: all of them or none. */
  transact(groups: readonly WriteGroup[]): Promise<void>;
  /** of the writes of one transaction; default 200 */
  maxWrites?: number;
}

const DEFAULT_MAX_WRITES = 200;

export function createGroupQueue({
  order,
  begin,
  transact,
  maxWrites = DEFAULT_MAX_WRITES,
}: GroupQueueOptions): GroupQueue {
  const queue: Waiting[] = [];
  let running = false;

  /** The groups at the head that can go together; the first of all goes in any case. */
  function nextBatch(): Waiting[] {
    let writes = 0;
    const end = queue.findIndex(({ group, ready }, index) => {
      writes += group.writes.length;
      return index > 0 && (!group.sharable || !queue[0]?.group.sharable || ready !== null || writes > maxWrites);
    });
    return queue.splice(0, end === -1 ? queue.length : end);
  }

  async function commit(batch: readonly Waiting[]): Promise<void> {
    try {
      await transact(batch.map(({ group }) => group));
    } catch (error) {
      if (batch.length === 1 || isErrorType(error, 'STORE_UNAVAILABLE')) {
        for (const { reject } of batch) reject(error);
        return;
      }
      const middle = Math.ceil(batch.length / 2);
      await commit(batch.slice(0, middle));
      await commit(batch.slice(middle));
      return;
    }
    for (const { resolve } of batch) resolve();
  }

  async function run(): Promise<void> {
    if (running) return;
    running = true;
    while (queue[0]) {
      /* what it waits for never waits for a group behind it */
      await queue[0].ready;
      const over = await begin(queue.map(({ group }) => group));
      await commit(nextBatch());
      over();
    }
    running = false;
  }

  return {
    async submit(group) {
      const turn = order.group(group.ids);
      try {
        await new Promise<void>((resolve, reject) => {
          const waiting: Waiting = { group, ready: turn.ready, resolve, reject };
          turn.ready?.then(() => {
            waiting.ready = null;
          });
          queue.push(waiting);
          void run();
        });
      } finally {
        turn.done();
      }
    },
  };
}
