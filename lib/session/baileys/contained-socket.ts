import { EventEmitter } from 'node:events';
import makeWASocket, { type UserFacingSocketConfig, type WASocket } from '@whiskeysockets/baileys';
import type WebSocket from 'ws';

/**
 * A Baileys socket whose ends are sharp. Three things of Baileys are contained here:
 * - its handlers are async functions on event emitters: one that rejects would end the process;
 * - `end()` closes the WebSocket politely and waits up to 30 s for a silent peer before it says so: here it terminates;
 * - queries that wait for an answer keep their timers (60 s) when the socket ends: here they are rejected.
 */
export interface ContainedSocket {
  sock: WASocket;
  /** The real WebSocket below Baileys' own wrapper. */
  raw: WebSocket;
  /** Ends TCP at once, rejects every pending query, stops every timer of the socket. May be called twice. */
  destroy(): void;
}

const REJECTED: unique symbol = Symbol.for('nodejs.rejection') as never;

/** @param onRejection a handler of this event failed with this error; `message` means a frame that cannot be read */
export function openContainedSocket(
  config: UserFacingSocketConfig,
  onRejection: (event: string, error: unknown) => void,
): ContainedSocket {
  const sock = capturingRejections(() => makeWASocket(config));
  const { ws, ev } = sock;
  const { socket: raw } = ws as unknown as { socket: WebSocket };
  Object.assign(ws, { [REJECTED]: (error: unknown, event: string | symbol) => onRejection(String(event), error) });
  const swallow = (error: unknown) => onRejection('error', error);
  ev.on('error' as never, swallow as never);

  /* both 'close' and 'error' of the wrapper reject what waits for an answer; `end` has removed the former by now */
  const rejectQueries = () => ws.emit('error', new Error('Connection Closed'));
  ws.close = async () => {
    raw.terminate();
    rejectQueries();
  };

  return {
    sock,
    raw,
    destroy() {
      raw.terminate();
      void sock.end(undefined).catch(swallow);
      rejectQueries();
      /* Baileys removes every listener at its end; a handler that is still running then may still fail */
      setImmediate(() => ev.on('error' as never, swallow as never));
    },
  };
}

/** Emitters look at this switch when they are made, and makeWASocket makes all of its own before it returns. */
function capturingRejections<T>(make: () => T): T {
  const before = EventEmitter.captureRejections;
  EventEmitter.captureRejections = true;
  try {
    return make();
  } finally {
    EventEmitter.captureRejections = before;
  }
}
