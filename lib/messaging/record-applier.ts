import type { Clock } from '../clock.ts';
import { guardStore } from '../cluster/guarded-store.ts';
import { CastellanError, isErrorType } from '../errors.ts';
import type { EventLog } from '../events/event-log.port.ts';
import type { Log } from '../log.ts';
import type { JournalRecord, RecordApplier, RecordContext } from '../session/ports.ts';
import type { Store, Write } from '../storage/port.ts';
import type { Vault } from '../storage/vault.ts';
import { identitiesOf } from './identities.ts';
import { inboundStep } from './inbound-step.ts';
import { type Ledger, openLedger } from './ledger.ts';
import { type MessageTurns, turnOfMessage, turnOfWaMessage } from './message-turns.ts';
import { MESSAGES_COLLECTION } from './message-view.ts';
import type { ContentCodec } from './ports.ts';
import { receiptStep } from './receipt-step.ts';
import type { RecordStep } from './record-steps.ts';
import { statusWrites } from './status-writes.ts';
import type { TrafficMeter } from './traffic-meter.ts';

export interface RecordApplierOptions {
  store: Store;
  events: EventLog;
  vault: Vault;
  clock: Clock;
  log: Log;
  codec: ContentCodec;
  /** of the process, which the outboxes take too */
  turns: MessageTurns;
  traffic?: TrafficMeter;
}

/** Collisions come from the outbox, which writes the same messages; every one of them is progress of somebody. */
const MAX_ROUNDS = 8;

/**
 * Turns journal records into Messages, statuses and Events: one read (none where only new messages came) and one atomic
 * group for the whole batch. The same batch applied again, or applied in other pieces after a crash, changes nothing
 * more: new messages are unique by connection, chat, WhatsApp id and sender, statuses only go forward, and the ids of
 * events follow from what they tell of.
 */
export function createRecordApplier(options: RecordApplierOptions): RecordApplier {
  const { store, events, vault, clock, log, codec, turns } = options;
  const deps = { events, vault, clock, codec, identities: identitiesOf(store) };

  function stepOf(record: JournalRecord, context: RecordContext): Promise<RecordStep | null> {
    switch (record.kind) {
      case 'inbound':
        return inboundStep(deps, record, context);
      case 'receipt':
        return receiptStep(deps, record, context);
      case 'claim':
        return Promise.resolve(claimStep(events, record));
    }
  }

  async function load(
    steps: readonly RecordStep[],
    { connectionId, again }: RecordContext,
    round: number,
  ): Promise<Ledger> {
    const messageIds = steps.flatMap((step) => step.needs.messageIds);
    const made = round === 0 && !again ? [] : steps.flatMap((step) => step.makes);
    const waMessageIds = [...steps.flatMap((step) => step.needs.waMessageIds), ...made];
    return openLedger(store, { connectionId, messageIds, waMessageIds });
  }

  async function commit(steps: readonly RecordStep[], context: RecordContext): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const ledger = await load(steps, context, round);
      const fenced = isFenced(ledger, steps, context);
      for (const step of steps) step.stage(ledger, context);
      const writes = [...ledger.writes, ...ledger.chats.writes()];
      if (writes.length === 0) return;
      try {
        await (context.lease ? guardStore(store, context.lease) : store).atomically(writes);
        options.traffic?.count(arrivals(writes));
        events.committed();
        return;
      } catch (error) {
        if (!isErrorType(error, 'CONDITION_FAILED', 'DUPLICATE_KEY')) throw error;
        if (fenced) throw new CastellanError('SESSION_FENCED');
      }
    }
    const [first] = steps;
    if (!first || steps.length === 1) throw new CastellanError('INTERNAL_ERROR', 'A record cannot be applied.');
    log.warn({ connectionId: context.connectionId, records: steps.length }, 'records collide, applying one at a time');
    for (const step of steps) await commit([step], context);
  }

  return {
    async apply(records, context) {
      const steps: RecordStep[] = [];
      // In order, one after the other: who is met first gets its id first.
      for (const record of records) {
        const step = await stepOf(record, context);
        if (step) steps.push(step);
      }
      if (steps.length > 0) await turns.inTurn(turnsOf(steps, context), () => commit(steps, context));
    },
  };
}

/** Of the messages that are there already. */
function turnsOf(steps: readonly RecordStep[], { connectionId }: RecordContext): string[] {
  return steps.flatMap(({ needs }) => [
    ...needs.messageIds.map(turnOfMessage),
    ...needs.waMessageIds.map((id) => turnOfWaMessage(connectionId, id)),
  ]);
}

/** How many messages came, or went out by the account's own phone; what this system sends is counted when it was sent. */
function arrivals(writes: readonly Write[]): number {
  return writes.filter(({ op, collection }) => op === 'insert' && collection === MESSAGES_COLLECTION).length;
}

/** The claim of a send is durable: from here on it may have left. The job was taken before; see the outbox. */
function claimStep(events: EventLog, { messageId, at }: Extract<JournalRecord, { kind: 'claim' }>): RecordStep {
  return {
    needs: { messageIds: [messageId], waMessageIds: [] },
    makes: [],
    stage(ledger, { epoch }) {
      const message = ledger.byId(messageId);
      if (!message) return;
      const step = statusWrites(events, message, { to: 'sending', epoch, at });
      ledger.stage(step.writes, step.message);
    },
  };
}

/** A later owner wrote one of these messages: what this one knows is the past. */
function isFenced(ledger: Ledger, steps: readonly RecordStep[], { epoch }: RecordContext): boolean {
  const touched = steps.flatMap(({ needs }) => [
    ...needs.messageIds.flatMap((id) => ledger.byId(id) ?? []),
    ...needs.waMessageIds.flatMap((id) => ledger.byWaId(id)),
  ]);
  return touched.some((message) => message.epoch !== null && message.epoch > epoch);
}
