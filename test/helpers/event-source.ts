import { get } from 'node:http';

export interface Frame {
  id: string;
  type: string;
  // biome-ignore lint/suspicious/noExplicitAny: an event's body, whatever it is
  data: any;
}

export interface EventSource {
  frames: Frame[];
  /** the place to come back to: `Last-Event-ID` of the next connection */
  lastId(): string;
  close(): void;
}

/** A client of `GET /event/stream`. Resolves when the stream has begun. */
export function openEventSource(url: string, key: string, { lastEventId = '', query = '' } = {}): Promise<EventSource> {
  const headers = { 'x-api-key': key, ...(lastEventId && { 'last-event-id': lastEventId }) };
  const frames: Frame[] = [];
  let lastId = lastEventId;
  let rest = '';

  function take(block: string): void {
    const fields = Object.fromEntries(
      block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
    );
    if (fields.id) lastId = fields.id;
    if (fields.data) frames.push({ id: fields.id ?? '', type: fields.event ?? '', data: JSON.parse(fields.data) });
  }

  return new Promise((resolve, reject) => {
    const req = get(`${url}/v1/wa/event/stream${query}`, { headers }, (res) => {
      if (res.statusCode !== 200) reject(new Error(`The stream answered ${res.statusCode}.`));
      res.setEncoding('utf8').on('data', (chunk: string) => {
        const blocks = (rest + chunk).split('\n\n');
        rest = blocks.pop() ?? '';
        blocks.forEach(take);
        resolve({ frames, lastId: () => lastId, close: () => req.destroy() });
      });
      res.on('error', () => undefined);
    });
    req.on('error', reject);
  });
}
