import { CastellanError, isErrorType } from '../../../lib/errors.ts';
import type { JournalActivation } from '../../../lib/session/journal/activation.ts';
import type { OpenSocket, SocketEnd, SocketOptions, WhatsAppSocket } from '../../../lib/session/ports.ts';
import type { LinkState, ServiceState } from './network.ts';
import type { Product } from './product.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';
import type { VirtualProcess } from './virtual-process.ts';
import type { SeenSocket, Witness } from './witness.ts';

/**
 * WhatsApp in these schedules is not the simulator but this: a fake clock cannot drive real sockets, Noise handshakes and
 * Baileys' own timers. It keeps what ownership is about: a login replaces the one before (440), frames pass the product's
 * own frame gate, and what is sent or received is a journal entry first. Real Baileys against the simulator run the same
 * faults as processes (npm run chaos).
 */
export interface VirtualWhatsApp {
  /** How this process opens sockets. */
  openSocketFor(process: VirtualProcess, link: LinkState): OpenSocket;
  /** Ends the socket of a connection from the server's side. */
  drop(connectionId: string, code: number): void;
  /** The sockets that are logged in and hold. */
  holders(connectionId: string): SeenSocket[];
  /** A process died: its kernel says so. */
  processDied(process: VirtualProcess): void;
}

export interface WhatsAppOptions {
  timeline: Timeline;
  random: Random;
  witness: Witness;
  service: ServiceState;
  product: Product;
}

type Socket = SeenSocket & {
  ended: boolean;
  end(why: SocketEnd): void;
  tell(why: SocketEnd): void;
};

/** what the server does with it; no function itself, because the gate takes a last argument that is one for a callback */
interface Frame {
  received(): void;
}

const WATCHDOG_MS = 25_000;
const KEEP_ALIVE_MS = 25_000;
const ME = { id: '1@s.whatsapp.net', pn: '1', lid: null, name: null };

export function createVirtualWhatsApp(options: WhatsAppOptions): VirtualWhatsApp {
  const { timeline, random, witness, service, product } = options;
  const sockets = new Map<string, Set<Socket>>();

  function of(connectionId: string): Set<Socket> {
    const known = sockets.get(connectionId) ?? new Set();
    sockets.set(connectionId, known);
    return known;
  }

  function logIn(socket: Socket): boolean {
    witness.frame(socket);
    if (socket.replaced) return false;
    const others = [...of(socket.connectionId)].filter((other) => other !== socket && !other.ended && other.loggedIn);
    witness.login(socket);
    for (const other of others) other.tell({ code: 440, reason: 'replaced' });
    return true;
  }

  function open(process: VirtualProcess, link: LinkState, given: SocketOptions): WhatsAppSocket {
    const { handlers, lease } = given;
    if (!lease) throw new Error('a socket without a lease');
    const activation = product.journalActivation(given.activation);
    const { clock } = process;
    const { connectionId, epoch } = activation;
    const cancels = new Set<() => void>();
    let counter = 0;

    const socket: Socket = {
      connectionId,
      process,
      epoch,
      ended: false,
      loggedIn: false,
      lastFrameAt: Number.NEGATIVE_INFINITY,
      replaced: false,
      get openAtClient() {
        return !socket.ended;
      },
      end(why) {
        if (socket.ended) return;
        release();
        handlers.closed(why);
      },
      /** the server ends it; the client hears of it where the way is free */
      tell(why) {
        if (why.code === 440 && process.state === 'running' && !socket.ended) witness.counts.conflicts += 1;
        if (link.answersCut === 0) later(random.between(1, 80), () => socket.end(why));
      },
    };

    const isFree = () => link.requestsCut === 0 && link.answersCut === 0 && service.downs === 0;

    /** Something comes from the server to this process. */
    function later(ms: number, fn: () => void): void {
      process.deliver(process.leavesAt + ms, () => {
        if (!socket.ended) fn();
      });
    }

    function after(ms: number, fn: () => void): void {
      const cancel = clock.after(ms, () => {
        cancels.delete(cancel);
        if (!socket.ended) fn();
      });
      cancels.add(cancel);
    }

    function release(): void {
      socket.ended = true;
      of(connectionId).delete(socket);
      gate.close();
      for (const cancel of cancels) cancel();
    }

    /** Bytes leave this process; `received` runs where the server is. */
    function wire(received: () => void): void {
      const arrive = () => {
        if (process.state === 'dead' || link.requestsCut > 0 || service.downs > 0) return;
        received();
      };
      if (process.leavesAt > timeline.now) timeline.at(process.leavesAt, arrive);
      else arrive();
    }

    const raw = {
      send({ received }: Frame) {
        if (socket.ended) return;
        const standing = lease.standing();
        if (standing === 'mine') wire(received);
        if (standing === 'over') socket.end({ code: 408, reason: 'not provably mine' });
      },
      terminate: () => release(),
    };
    const gate = product.installFrameGate(raw as never, activation, lease);
    const send = (received: () => void) => raw.send({ received });
    of(connectionId).add(socket);

    after(WATCHDOG_MS, () => {
      if (!socket.loggedIn) socket.end({ code: 408, reason: 'it did not answer' });
    });
    /* the way there and the handshake */
    timeline.at(process.leavesAt + random.between(2, 60), () => {
      if (service.downs > 0) later(20, () => socket.end({ code: 503, reason: 'refused' }));
      else if (isFree()) later(random.between(2, 60), connected);
    });

    function connected(): void {
      send(() => {
        if (!logIn(socket) || link.answersCut > 0) return;
        later(random.between(10, 200), () => {
          handlers.open(ME);
          void begin();
        });
      });
    }

    async function begin(): Promise<void> {
      try {
        const known = witness.durable(connectionId, epoch);
        counter = await stored(activation);
        if (socket.ended) return;
        if (counter < known) witness.violation(`${connectionId}, epoch ${epoch}: found ${counter} of ${known} steps`);
      } catch (error) {
        return ending(error);
      }
      keepAlive();
      work();
    }

    /** Silence of the server ends it, as Baileys does. */
    function keepAlive(): void {
      after(KEEP_ALIVE_MS, () => {
        if (!isFree()) {
          return after(5_000, () => socket.end({ code: 408, reason: 'silent' }));
        }
        send(() => witness.frame(socket));
        keepAlive();
      });
    }

    /** A message goes out or comes in: a step of the ratchet, and then a frame. Some frames need no step (acks, queries). */
    function work(): void {
      after(random.chance(0.3) ? random.between(10, 300) : random.between(800, 6_000), () => {
        const steps = random.chance(0.2) ? random.whole(2, 4) : 1;
        for (let step = 0; step < steps && !socket.ended; step += 1) {
          if (random.chance(0.3)) send(() => witness.frame(socket));
          else ratchet();
        }
        work();
      });
    }

    function ratchet(): void {
      counter += 1;
      const mine = counter;
      try {
        activation.stage({ keys: { session: { counter: Buffer.from(String(mine)) } } });
        send(() => witness.frame(socket));
        activation.flush().then(
          () => witness.acknowledged(socket, mine),
          () => {},
        );
      } catch (error) {
        ending(error);
      }
    }

    function ending(error: unknown): void {
      if (!isErrorType(error, 'SESSION_FENCED', 'STORE_UNAVAILABLE', 'CONNECTION_CLOSED')) throw error;
    }

    return {
      send: () => Promise.reject(new CastellanError('CONNECTION_CLOSED', undefined, { claimed: false })),
      lookup: async () => null,
      requestPairingCode: async () => 'AAAAAAAA',
      logout: async () => {},
      terminate() {
        if (!socket.ended) release();
      },
    };
  }

  return {
    openSocketFor: (process, link) => (given) => open(process, link, given),
    drop(connectionId, code) {
      for (const socket of of(connectionId)) if (socket.loggedIn) socket.tell({ code, reason: 'the server ended it' });
    },
    holders: (connectionId) =>
      [...of(connectionId)].filter(({ loggedIn, replaced, ended }) => loggedIn && !replaced && !ended),
    processDied(process) {
      for (const known of sockets.values()) {
        for (const socket of known) if (socket.process === process) known.delete(socket);
      }
    },
  };
}

async function stored(activation: JournalActivation): Promise<number> {
  const value = (await activation.readKeys('session', ['counter'])).get('counter');
  return value ? Number(Buffer.from(value).toString()) : 0;
}
