import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * What happens to the bytes of one direction: they pass, they come later, or they wait until that changes (a network
 * that drops packets: TCP would repeat them when it works again).
 */
export type Flow = { kind: 'pass' } | { kind: 'delay'; ms: number } | { kind: 'hold' };

export interface Flows {
  toServer: Flow;
  toClient: Flow;
}

/** One process's way to one server, which can be made bad. */
export interface FaultyProxy {
  readonly port: number;
  /** From now on, for what is under way too; a direction that is left out passes. */
  set(flows: Partial<Flows>): void;
  /** Cuts every connection and lets none through, until `heal`. */
  refuse(): void;
  /** Everything passes again, at once. */
  heal(): void;
  close(): Promise<void>;
}

export const HOLD: Flow = { kind: 'hold' };
const PASS: Flow = { kind: 'pass' };

/** One direction of one connection. Its end is data too: nobody hears of a close through a network that is down. */
class Lane {
  readonly #queue: { due: number; chunk: Buffer | null }[] = [];
  readonly #to: Socket;
  #flow: Flow;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, flow: Flow) {
    this.#to = to;
    this.#flow = flow;
    from.on('data', (chunk: Buffer) => this.#push(chunk));
    from.once('close', () => this.#push(null));
    from.on('error', () => undefined);
  }

  set(flow: Flow): void {
    this.#flow = flow;
    if (flow.kind === 'pass') for (const one of this.#queue) one.due = 0;
    this.#pump();
  }

  #push(chunk: Buffer | null): void {
    const delayMs = this.#flow.kind === 'delay' ? this.#flow.ms : 0;
    this.#queue.push({ due: performance.now() + delayMs, chunk });
    this.#pump();
  }

  #pump(): void {
    clearTimeout(this.#timer);
    if (this.#flow.kind === 'hold') return;
    for (let first = this.#queue[0]; first; first = this.#queue[0]) {
      const waitMs = first.due - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#pump(), waitMs);
        return;
      }
      this.#queue.shift();
      if (first.chunk) this.#to.write(first.chunk);
      else this.#to.destroy();
    }
  }
}

/** Listens on a free port of the loopback address and passes everything on to `target`, until it is told otherwise. */
export async function startFaultyProxy(target: { host: string; port: number }): Promise<FaultyProxy> {
  const lanes = new Set<{ toServer: Lane; toClient: Lane }>();
  const sockets = new Set<Socket>();
  let flows: Flows = { toServer: PASS, toClient: PASS };
  let refusing = false;

  const server = createServer({ noDelay: true }, (client) => {
    if (refusing) {
      client.on('error', () => undefined).resetAndDestroy();
      return;
    }
    const upstream = connect({ ...target, noDelay: true });
    const pair = {
      toServer: new Lane(client, upstream, flows.toServer),
      toClient: new Lane(upstream, client, flows.toClient),
    };
    lanes.add(pair);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.once('close', () => {
        sockets.delete(socket);
        if (client.closed && upstream.closed) lanes.delete(pair);
      });
    }
  });
  await listen(server);

  function set(changed: Partial<Flows>): void {
    flows = { toServer: PASS, toClient: PASS, ...changed };
    for (const { toServer, toClient } of lanes) {
      toServer.set(flows.toServer);
      toClient.set(flows.toClient);
    }
  }

  return {
    port: (server.address() as AddressInfo).port,
    set,
    refuse() {
      refusing = true;
      for (const socket of sockets) socket.resetAndDestroy();
    },
    heal() {
      refusing = false;
      set({});
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', () => resolve());
  });
}

/** The same URL by way of the proxy. */
export const through = (url: string, { port }: Pick<FaultyProxy, 'port'>): string =>
  url.replace(/\/\/[^/?]+/, `//127.0.0.1:${port}`);

export function targetOf(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}
