import type WebSocket from 'ws';
import type { Lease } from '../../cluster/lease.port.ts';
import { CastellanError } from '../../errors.ts';
import type { JournalActivation } from '../journal/activation.ts';

/**
 * No frame leaves while an earlier journal entry of its connection is unacknowledged. Frames were encrypted in order
 * (Noise counts them), so they leave in order: behind one that waits, every later one waits, keep-alives included. The
 * store alone decides when they go on, never a lock of Baileys, so a transaction that awaits its frame cannot deadlock.
 *
 * A frame also waits while the lease is unproven (the clock jumped): the socket stays, and goes on when it is proven.
 *
 * When the activation fails, the gate closes and the socket is terminated before Baileys learns of it: it would answer a
 * rejected write with a nack, and the server would forget a message that is nowhere durable.
 *
 * Baileys has no option to wrap its WebSocket, and takes `send` of its own wrapper at construction; but that calls `send`
 * of the `ws` instance below, each time anew, so the gate stands there.
 */
export interface FrameGate {
  /** Lets nothing through any more. What waits is refused. */
  close(): void;
}

type SendArguments = unknown[];

interface WaitingFrame {
  args: SendArguments;
  durable: Promise<void>;
}

/** @param raw the `ws` instance of a socket; its current `send` is what frames go to, and refuses them without a lease */
export function installFrameGate(raw: WebSocket, activation: JournalActivation, lease: Lease): FrameGate {
  const write = raw.send.bind(raw) as (...args: SendArguments) => void;
  const waiting: WaitingFrame[] = [];
  let closed = false;
  let draining = false;

  raw.send = ((...args: SendArguments) => {
    if (closed) refuse(args);
    else if (waiting.length === 0 && activation.clean && lease.standing() !== 'unproven') write(...args);
    else hold(args);
  }) as WebSocket['send'];

  const forget = activation.onFailure(() => {
    closed = true;
    raw.terminate();
    refuseWaiting();
  });

  function hold(args: SendArguments): void {
    waiting.push({ args, durable: activation.flush() });
    if (!draining) void drain();
  }

  async function drain(): Promise<void> {
    draining = true;
    for (let next = waiting[0]; next; next = waiting[0]) {
      /* a rejection closed the gate before it came here */
      await next.durable.catch(() => {});
      while (!closed && lease.standing() === 'unproven') await lease.proven().catch(() => {});
      if (closed) break;
      waiting.shift();
      write(...next.args);
    }
    draining = false;
  }

  function refuseWaiting(): void {
    for (const { args, durable } of waiting.splice(0)) {
      durable.catch(() => {});
      refuse(args);
    }
  }

  return {
    close() {
      closed = true;
      forget();
      refuseWaiting();
    },
  };
}

function refuse(args: SendArguments): void {
  const callback = args.at(-1);
  if (typeof callback === 'function') callback(new CastellanError('CONNECTION_CLOSED'));
}
