import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EventLog, EventQuery } from '../events/event-log.port.ts';
import { type FollowedEvent, followEvents } from '../events/follow.ts';

const HEARTBEAT_MS = 15_000;
/** With what the gateway remembers of a key (2 s) it makes less than the 5 s after which a revoked key is dead. */
const RECHECK_MS = 2_000;
/** How long a client waits before it comes back. */
const RECONNECT_AFTER_MS = 1_000;

export interface EventStreamOptions {
  log: EventLog;
  req: IncomingMessage;
  res: ServerResponse;
  /** whose events, of which kinds; `after` is where the client says it was (otherwise: from now on) */
  query: Omit<EventQuery, 'limit'>;
  /** ends the stream from our side: the process drains */
  draining: AbortSignal;
  /** asked again and again while the stream is open: it ends when whoever follows may not any more */
  mayGoOn(): Promise<boolean>;
}

/**
 * Follows the event log as server-sent events (WHATWG HTML, section 9.2). The log is read on only when the socket took
 * what it was given, so a slow client costs one batch of memory, whatever happens in the log. A comment every 15 s keeps
 * proxies from closing the stream and finds out that a client is gone. Resolves when the stream has ended.
 * @throws BAD_REQUEST for a malformed cursor and STORE_UNAVAILABLE, both before the first byte only: later the stream
 * just ends, and the client comes back with its `Last-Event-ID`
 */
export async function streamEvents({ log, req, res, query, draining, mayGoOn }: EventStreamOptions): Promise<void> {
  const after = query.after ?? (await log.head());
  await log.read({ ...query, after, limit: 1 });
  const gone = new AbortController();
  const signal = AbortSignal.any([gone.signal, draining]);
  res.once('close', () => gone.abort());
  req.once('error', () => gone.abort());
  writeHead(res, after);
  const stopHeartbeat = startHeartbeat(res);
  const stopWatch = watch(mayGoOn, () => gone.abort());
  try {
    for await (const item of followEvents(log, { ...query, after, signal })) await write(res, frame(item), signal);
  } catch {
    /* the store went away under the stream: the client continues from its last id */
  } finally {
    stopHeartbeat();
    stopWatch();
    res.end();
  }
}

function writeHead(res: ServerResponse, cursor: string): void {
  res.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' });
  /* the place to come back to, even if the connection breaks before anything happens */
  res.write(`retry: ${RECONNECT_AFTER_MS}\nid: ${cursor}\n: connected\n\n`);
}

function startHeartbeat(res: ServerResponse): () => void {
  const timer = setInterval(() => {
    if (!res.writableNeedDrain) res.write(': still here\n\n');
  }, HEARTBEAT_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** A key that was revoked ends what it opened, too. */
function watch(mayGoOn: () => Promise<boolean>, end: () => void): () => void {
  const timer = setInterval(() => {
    /* not known at the moment: it is asked again */
    mayGoOn().then(
      (may) => may || end(),
      () => undefined,
    );
  }, RECHECK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function frame({ event, cursor }: FollowedEvent): string {
  return `event: ${event.type}\nid: ${cursor}\ndata: ${JSON.stringify(event)}\n\n`;
}

async function write(res: ServerResponse, text: string, signal: AbortSignal): Promise<void> {
  if (signal.aborted || res.write(text)) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      res.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    res.once('drain', done);
    signal.addEventListener('abort', done);
  });
}
