import type { Clock } from '../clock.ts';
import type { Party } from '../contracts/entities.ts';
import type { EventLog } from '../events/event-log.port.ts';
import type { Log } from '../log.ts';
import type { WhatsAppSocket } from '../session/ports.ts';
import type { Store } from '../storage/port.ts';
import type { Vault } from '../storage/vault.ts';
import type { MessageTurns } from './message-turns.ts';
import type { NewChatPause } from './new-chat-gate.ts';
import type { TrafficMeter } from './traffic-meter.ts';

export interface OutboxOptions {
  store: Store;
  events: EventLog;
  vault: Vault;
  clock: Clock;
  log: Log;
  /** of the process, which the record applier takes too */
  turns: MessageTurns;
  connection: { connectionId: string; userId: string };
  /** whose login the socket has: what was accepted for another account is not sent from this one */
  account?: Party | undefined;
  /** of the activation; nothing is written where a later one wrote */
  epoch: number;
  /**
   * The open socket. A late ack ends it. `send` rejects with CONNECTION_CLOSED when it ended before the ack; with `data: {claimed: false}`
   * where the claim is certainly not durable, so that nothing can have left.
   */
  socket: Pick<WhatsAppSocket, 'send' | 'lookup'>;
  /** a reach-out restriction that the connection already has */
  newChatPause?: NewChatPause | null;
  /** WhatsApp refused to open new chats (ack 463): they wait, known ones go on; null = it lets them pass again */
  onNewChatPause?(pause: NewChatPause | null): void;
  /** counts what was sent */
  traffic?: TrafficMeter;
  /** chats in which a message may be on its way at the same time (never two in one chat); default 4 */
  maxInFlight?: number;
}

/** Made when a socket opens, stopped when it is gone; holds nothing that is not in the store. */
export interface Outbox {
  start(): void;
  /** Looks now instead of at the next second. */
  wake(): void;
  /** Takes no more; resolves when what is in flight ended (terminate the socket first, or wait for its acks). */
  stop(): Promise<void>;
}
