import type { JobDoc, MessageDoc } from '../storage/collections.ts';
import type { Filter } from '../storage/port.ts';
import { identitiesOf } from './identities.ts';
import { createJobSender, type SendOutcome } from './job-sender.ts';
import { createKnownChats } from './known-chats.ts';
import { JOBS_COLLECTION, MESSAGES_COLLECTION } from './message-view.ts';
import { createNewChatGate } from './new-chat-gate.ts';
import type { Outbox, OutboxOptions } from './outbox.port.ts';
import { outboxLookOf, type Watched } from './outbox-look.ts';
import { personForms } from './recipients.ts';

const DEFAULT_MAX_IN_FLIGHT = 4;
const JOBS_PER_READ = 64;
/** What was read is used no longer than this: a scheduled job that became due goes before younger ones of its chat. */
const READ_LIFE_MS = 1_000;
/** Acceptances that ran at the same time may commit in another order than they were numbered in. */
const NUMBERING_SLACK = 16;
const STORE_RETRY_MS = 1_000;
const RETRY_BASE_MS = 500;
const RETRY_CAP_MS = 30_000;

const MESSAGE_GONE = { type: 'NOT_FOUND', message: 'The message of this job was deleted.' };

/**
 * Drains a connection's send jobs through its open socket.
 *
 * Order: jobs run by `outboxSeq`, the counter that acceptance takes, never by an id or a clock. In one chat only one is
 * under way, and nothing overtakes the oldest due unfinished one, neither a retry nor a later job; chats do not wait for
 * each other. A number's chat and its LID's, where they were met apart, are one person's and keep one order. (The socket encrypts one at a time anyway; what overlaps is the waiting for acks.)
 *
 * Taking: right before a job is sent it becomes `processing` under this epoch, if nobody cancelled it meanwhile; several
 * are taken in one write. That is not the claim: the claim travels in the journal entry of the message's own ratchet
 * step, so that "may have left" is known exactly, and appears as the message's status `sending`. After a crash
 * everything unfinished is taken again and goes out with the same WhatsApp id, or is parked if the caller asked for that
 * and the claim is durable.
 */
export function createOutbox(options: OutboxOptions): Outbox {
  const { store, clock, log, connection, epoch, maxInFlight = DEFAULT_MAX_IN_FLIGHT } = options;
  const { connectionId } = connection;
  const jobs = store.collection<JobDoc>(JOBS_COLLECTION);
  const messages = store.collection<MessageDoc>(MESSAGES_COLLECTION);
  const look = outboxLookOf(store, clock, log);
  const knownChats = createKnownChats(store, connectionId);
  const identities = identitiesOf(store);

  /** due jobs in order, as read at `readAt`; the ones in flight are not among them */
  let queue: JobDoc[] = [];
  let readAt = Number.NEGATIVE_INFINITY;
  /** the last read may not have seen everything; `partial`: it left the chats out that were busy then */
  let more = false;
  let partial = false;
  /** there are newer jobs; `changed`: what was read before is out of date as well */
  let dirty = false;
  let changed = true;
  /** the highest `outboxSeq` that was read */
  let highest = 0;
  let filling = false;
  let fillAgain = false;
  let closed = false;
  /** by chat: what is under way */
  const inFlight = new Map<string, { jobId: string; done: Promise<void> }>();
  /** finished since the running read began: it may still show them */
  const finished = new Set<string>();
  /** chats whose oldest job failed to go and waits for its next try */
  const resting = new Map<string, () => void>();
  /** those of them whose time has come: freed by the next read, which puts their job in its place again */
  const rested = new Set<string>();
  const tries = new Map<string, number>();
  /** of chats under a number: the LID that the person has, as far as it is known */
  const lids = new Map<string, string>();
  /** new chats that wait, while a reach-out restriction holds */
  const paused = new Set<string>();
  let cancelStoreRetry: (() => void) | null = null;

  const gate = createNewChatGate({
    clock,
    pause: options.newChatPause ?? null,
    onChange: (pause) => options.onNewChatPause?.(pause),
  });
  const sender = createJobSender({
    ...options,
    isStopping: () => closed,
    onAnswer(chatId, waCode) {
      if (gate.answered(chatId, waCode)) changed = true;
    },
  });
  const watched: Watched = {
    connectionId,
    hasRoom: () => !closed && inFlight.size < maxInFlight,
    wake: readAnew,
  };

  function wake(): void {
    dirty = true;
    void fill();
  }

  function readAnew(): void {
    changed = true;
    void fill();
  }

  /** Starts what can be started. Only one runs at a time; whoever comes meanwhile makes it look once more. */
  async function fill(): Promise<void> {
    fillAgain = true;
    if (filling) return;
    filling = true;
    try {
      while (fillAgain) {
        fillAgain = false;
        while (!closed && inFlight.size < maxInFlight && (await startNext()));
      }
    } catch (error) {
      log.warn({ err: error, connectionId }, 'cannot read the outbox, trying again');
      cancelStoreRetry ??= clock.after(STORE_RETRY_MS, () => {
        cancelStoreRetry = null;
        readAnew();
      });
    } finally {
      filling = false;
    }
  }

  /** @returns whether another round may find something */
  async function startNext(): Promise<boolean> {
    const stale = clock.monotonic() - readAt > READ_LIFE_MS;
    if (changed || stale || (more && queue.length === 0)) {
      paused.clear();
      await read([]);
    } else if (dirty) await readNewer();
    // A chat that became free meanwhile may have an older job than those that were read.
    if (changed) return true;
    let batch = startable();
    while (batch.length === 0 && more && !closed) {
      const pausedBefore = paused.size;
      await read([...inFlight.keys(), ...resting.keys(), ...paused]);
      if (changed) return true;
      batch = startable();
      if (paused.size === pausedBefore) break;
    }
    if (batch.length > 0) await start(batch);
    return dirty || changed || batch.length > 0;
  }

  async function read(otherThan: readonly string[]): Promise<void> {
    changed = false;
    partial = otherThan.length > 0;
    const freed = otherThan.length === 0 ? [...rested] : [];
    const others = otherThan.length > 0 ? { chatId: { $nin: otherThan } } : {};
    queue = await due(others);
    readAt = clock.monotonic();
    for (const chatId of freed) {
      rested.delete(chatId);
      resting.delete(chatId);
    }
  }

  /** Adds what was accepted since, if the queue reached to the end; otherwise it will come to that. */
  async function readNewer(): Promise<void> {
    dirty = false;
    if (more) return;
    const newer = await due({ outboxSeq: { $gt: highest - NUMBERING_SLACK } });
    const known = new Set(queue.map((job) => job._id));
    queue = [...queue, ...newer.filter((job) => !known.has(job._id))].sort(byPlace);
  }

  /** @returns the oldest due jobs that are not under way, in order */
  async function due(which: Filter): Promise<JobDoc[]> {
    dirty = false;
    finished.clear();
    const unfinished = { connectionId, jobType: 'message.send', status: { $in: ['pending', 'processing'] } } as const;
    const found = await jobs.find(
      { ...unfinished, ...which, runAt: { $lte: clock.now() }, epoch: { $lte: epoch } },
      { sort: [['outboxSeq', 1]], limit: JOBS_PER_READ },
    );
    more = found.length === JOBS_PER_READ;
    highest = Math.max(highest, found.at(-1)?.outboxSeq ?? 0);
    await learnLids([...inFlight.keys(), ...resting.keys(), ...found.map(chat)]);
    const waiting = await allowed(found);
    const underWay = new Set([...inFlight.values()].map(({ jobId }) => jobId));
    return waiting.filter((job) => !underWay.has(job._id) && !finished.has(job._id));
  }

  async function learnLids(chatIds: readonly string[]): Promise<void> {
    const unknown = [...new Set(chatIds)].filter((id) => !lids.has(id) && personForms(id)?.lid === null);
    const people = await Promise.all(unknown.map((chatId) => identities.find(connectionId, chatId)));
    for (const [index, chatId] of unknown.entries()) {
      const lid = people[index]?.lid;
      if (lid) lids.set(chatId, lid);
    }
  }

  const lineOf = (chatId: string): string => lids.get(chatId) ?? chatId;

  /** Under a reach-out restriction new chats wait, known ones go on. */
  async function allowed(found: JobDoc[]): Promise<JobDoc[]> {
    if (!gate.isPaused) return found;
    const newChats = await knownChats.newAmong(new Set(found.map(chat)));
    for (const chatId of gate.holdBack([...newChats])) paused.add(chatId);
    return found.filter((job) => !paused.has(chat(job)));
  }

  /** The oldest job of each chat that is free, as many as there is room for. */
  function startable(): JobDoc[] {
    const seen = new Set<string>([...inFlight.keys(), ...resting.keys()].map(lineOf));
    const batch: JobDoc[] = [];
    for (const job of queue) {
      if (batch.length === maxInFlight - inFlight.size) break;
      const line = lineOf(chat(job));
      if (seen.has(line)) continue;
      seen.add(line);
      batch.push(job);
    }
    return batch;
  }

  async function start(batch: JobDoc[]): Promise<void> {
    const ids = batch.map((job) => job._id);
    queue = queue.filter((job) => !ids.includes(job._id));
    const [taken, contents] = await Promise.all([take(ids), messages.find({ _id: { $in: batch.map(subject) } })]);
    const byId = new Map(contents.map((message) => [message._id, message]));
    for (const job of batch) {
      const message = byId.get(job.subjectId);
      if (closed || !taken.has(job._id)) continue;
      if (message) run(job, message);
      else await jobs.updateOne({ _id: job._id }, { $set: { status: 'failed', error: MESSAGE_GONE } });
    }
  }

  /** @returns those that were still to be had: one may have been cancelled since it was read */
  async function take(ids: string[]): Promise<Set<string>> {
    const unfinished = {
      _id: { $in: ids },
      status: { $in: ['pending', 'processing'] as const },
      epoch: { $lte: epoch },
    };
    const change = { status: 'processing', epoch, updatedAt: clock.now() };
    const count = await jobs.updateMany(unfinished, { $set: change, $inc: { attempts: 1 } });
    if (count === ids.length) return new Set(ids);
    const mine = await jobs.find({ _id: { $in: ids }, status: 'processing', epoch });
    return new Set(mine.map((job) => job._id));
  }

  function run(job: JobDoc, message: MessageDoc): void {
    const chatId = chat(job);
    const done = sender.process(job, message).then((outcome) => ended(job, chatId, outcome));
    inFlight.set(chatId, { jobId: job._id, done });
  }

  function ended(job: JobDoc, chatId: string, outcome: SendOutcome): void {
    inFlight.delete(chatId);
    if (outcome === 'closed') close();
    if (outcome === 'again' && !closed) rest(chatId);
    gate.ended(chatId);
    if (outcome === 'finished') {
      finished.add(job._id);
      tries.delete(chatId);
    }
    if (partial) changed = true;
    void fill();
  }

  function rest(chatId: string): void {
    const count = (tries.get(chatId) ?? 0) + 1;
    tries.set(chatId, count);
    const cancel = clock.after(Math.min(RETRY_BASE_MS * 2 ** count, RETRY_CAP_MS), () => {
      rested.add(chatId);
      readAnew();
    });
    resting.set(chatId, cancel);
  }

  function close(): void {
    closed = true;
    look.remove(watched);
    cancelStoreRetry?.();
    for (const cancel of resting.values()) cancel();
    resting.clear();
    queue = [];
  }

  return {
    start() {
      look.add(watched);
      readAnew();
    },
    wake,
    async stop() {
      close();
      while (inFlight.size > 0) await Promise.all([...inFlight.values()].map(({ done }) => done));
    },
  };
}

const subject = (job: JobDoc): string => job.subjectId;
const chat = (job: JobDoc): string => job.chatId as string;
const byPlace = (a: JobDoc, b: JobDoc): number => Number(a.outboxSeq) - Number(b.outboxSeq);
