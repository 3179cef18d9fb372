import { createRandom, type Random } from './random.ts';

/** What happens in one schedule, drawn from its seed before anything runs. Times are ms of the world. */
export interface Schedule {
  seed: string;
  nodes: number;
  connections: number;
  /** the harm ends here; then everything heals and has to come right by itself */
  endsAt: number;
  steps: readonly Step[];
}

export type Way = 'requests' | 'answers' | 'both';
export type Server = 'documents' | 'locks';

export type Step = { at: number } & (
  | { do: 'crash'; node: string; restartAfter: number | null; seat: boolean }
  | { do: 'shutDown'; node: string; restartAfter: number | null }
  | { do: 'addNode'; node: string }
  /** a second process under a node's name while the first one may still run, as after a forced deletion of a pod */
  | { do: 'twin'; node: string }
  | { do: 'pause'; node: string; forMs: number }
  | { do: 'suspend'; node: string; forMs: number }
  /** stopped in the middle of a thought: at its n-th look at the clock */
  | { do: 'freeze'; node: string; looks: number; forMs: number }
  | { do: 'cut'; node: string; from: Server | 'whatsapp' | 'stores' | 'bus'; way: Way; forMs: number }
  | { do: 'lossy'; node: string; from: Server; rate: number; forMs: number }
  | { do: 'slow'; node: string | null; server: Server; ms: number; forMs: number }
  | { do: 'flush' }
  | { do: 'down'; server: Server | 'both' | 'whatsapp'; forMs: number; forgets: boolean }
  | { do: 'wallClock'; node: string; byMs: number }
  | { do: 'drop'; connection: string; code: number }
  | { do: 'ask'; connection: string; wish: 'stop' | 'start' | 'restart' }
  | { do: 'wake'; node: string; connection: string }
  | { do: 'setAside'; node: string; forMs: number }
);

export const nodeName = (index: number): string => `node-${index + 1}`;
export const connectionId = (index: number): string => `con_${index + 1}`;

const CODES = [428, 408, 503, 500, 515] as const;

const WEIGHTS = {
  crash: 5,
  shutDown: 4,
  addNode: 2,
  twin: 1,
  pause: 8,
  suspend: 2,
  freeze: 4,
  cut: 9,
  lossy: 4,
  slow: 4,
  flush: 4,
  down: 4,
  wallClock: 2,
  drop: 2,
  ask: 2,
  wake: 1,
  setAside: 1,
};

/** The same seed gives the same schedule. */
export function drawSchedule(seed: string): Schedule {
  const random = createRandom(`schedule ${seed}`);
  const nodes = random.whole(2, 3);
  const connections = random.whole(1, 4);
  const endsAt = random.between(60_000, 150_000);
  const names = Array.from({ length: nodes }, (_, index) => nodeName(index));
  const steps: Step[] = [];
  let at = random.between(500, 8_000);
  while (at < endsAt) {
    if (random.chance(STORY)) steps.push(...tell(random, Math.round(at), names, connections));
    else steps.push({ at: Math.round(at), ...draw(random, names, connections) } as Step);
    /* harm comes in bursts: what breaks protocols is the second blow, in the wake of the first */
    at += random.chance(0.5) ? random.between(0, 3_000) : random.between(1_000, 18_000);
  }
  return { seed, nodes, connections, endsAt: Math.round(endsAt), steps: steps.sort((a, b) => a.at - b.at) };
}

const STORY = 0.1;

/** Harm that rarely comes together by chance, and is what one part of the protocol is there for. */
function tell(random: Random, at: number, names: string[], connections: number): Step[] {
  const node = random.pick(names);
  const soon = (low: number, high: number) => Math.round(at + random.between(low, high));
  const ms = (low: number, high: number) => Math.round(random.between(low, high));
  switch (random.pick(['forgotten', 'misplaced', 'late copies', 'slept'])) {
    /* its heartbeat is not heard, its lock is forgotten: what is left is that the locks' generation is another one */
    case 'forgotten':
      return [
        { at, do: 'cut', node, from: 'documents', way: 'both', forMs: ms(14_000, 28_000) },
        ...[0, 1].map(() => ({ at: soon(11_000, 26_000), do: 'flush' as const })),
      ];
    /* the ring wants it elsewhere, nobody can be asked, and its lock runs out: what is left is its heartbeat */
    case 'misplaced': {
      const comes = names.length < 4 ? nodeName(names.length) : null;
      if (comes) names.push(comes);
      const first: Step[] = comes
        ? [{ at, do: 'addNode', node: comes }]
        : [{ at, do: 'crash', node, restartAfter: ms(13_000, 16_000), seat: random.chance(0.5) }];
      const away = comes ? 0 : 16_000;
      return [
        ...first,
        ...names.map(
          (name) => ({ at, do: 'cut', node: name, from: 'bus', way: 'both', forMs: away + 50_000 }) as const,
        ),
        ...names
          .filter((name) => name !== (comes ?? node))
          .map((name) => {
            const from = soon(away + 1_000, away + 8_000);
            return { at: from, do: 'cut', node: name, from: 'locks', way: 'both', forMs: ms(13_000, 25_000) } as const;
          }),
      ];
    }
    /* its machine slept through its own deadline; when it wakes up, the locks cannot tell it so */
    case 'slept': {
      const forMs = ms(11_000, 40_000);
      return [
        { at, do: 'suspend', node, forMs },
        { at: at + 1, do: 'cut', node, from: 'locks', way: 'both', forMs: forMs + ms(1_000, 8_000) },
        { at: at + 1, do: 'cut', node, from: 'whatsapp', way: 'answers', forMs: forMs + ms(0, 8_000) },
      ];
    }
    /* what it wrote last is durable and it does not know; copies of it arrive long after somebody else took over */
    default:
      return [
        { at, do: 'cut', node, from: 'documents', way: 'answers', forMs: ms(500, 3_000) },
        ...Array.from({ length: connections }, (_, index) => ({
          at: soon(0, 4_000),
          do: 'drop' as const,
          connection: connectionId(index),
          code: 428,
        })),
        { at: soon(500, 3_000), do: 'cut', node, from: 'stores', way: 'requests', forMs: ms(14_000, 30_000) },
      ];
  }
}

type Draw = Step extends infer One ? (One extends Step ? Omit<One, 'at'> : never) : never;

function draw(random: Random, names: string[], connections: number): Draw {
  const kind = random.weighted(WEIGHTS);
  const node = random.pick(names);
  const connection = connectionId(random.whole(0, connections - 1));
  /* around the deadlines (2, 3, 7, 10 s), and sometimes long */
  const forMs = Math.round(random.chance(0.6) ? random.between(1_000, 16_000) : random.between(8_000, 60_000));
  switch (kind) {
    case 'crash':
      return { do: kind, node, restartAfter: comesBack(random), seat: random.chance(0.5) };
    case 'shutDown':
      return { do: kind, node, restartAfter: comesBack(random) };
    case 'addNode': {
      if (names.length >= 4) return { do: 'flush' };
      const added = nodeName(names.length);
      names.push(added);
      return { do: kind, node: added };
    }
    case 'twin':
      return { do: kind, node };
    case 'pause':
      return { do: kind, node, forMs: random.chance(0.1) ? Math.round(random.between(30_000, 90_000)) : forMs };
    case 'suspend':
      return { do: kind, node, forMs };
    case 'freeze':
      return { do: kind, node, looks: random.whole(1, 60), forMs };
    case 'cut': {
      const from = random.weighted({ documents: 3, locks: 3, stores: 3, whatsapp: 1, bus: 1 });
      return { do: kind, node, from, way: random.weighted({ both: 2, requests: 1, answers: 1 }), forMs };
    }
    case 'lossy':
      return {
        do: kind,
        node,
        from: random.pick(['documents', 'locks'] as const),
        rate: random.between(0.1, 0.6),
        forMs,
      };
    case 'slow':
      return {
        do: kind,
        node: random.chance(0.5) ? node : null,
        server: random.pick(['documents', 'documents', 'locks'] as const),
        ms: Math.round(random.pick([200, 1_000, 1_900, 2_500, 6_000])),
        forMs,
      };
    case 'flush':
      return { do: kind };
    case 'down':
      return {
        do: kind,
        server: random.weighted({ documents: 3, locks: 3, both: 3, whatsapp: 1 }),
        forMs,
        forgets: random.chance(0.6),
      };
    case 'wallClock':
      return { do: kind, node, byMs: random.pick([-3_600_000, -5_000, 5_000, 60_000, 3_600_000]) };
    case 'drop':
      return { do: kind, connection, code: random.pick(CODES) };
    case 'ask':
      return { do: kind, connection, wish: random.pick(['stop', 'start', 'restart', 'start'] as const) };
    case 'wake':
      return { do: kind, node, connection };
    case 'setAside':
      return { do: kind, node, forMs };
  }
}

const comesBack = (random: Random): number | null =>
  random.chance(0.85)
    ? Math.round(random.chance(0.5) ? random.between(50, 3_000) : random.between(3_000, 30_000))
    : null;
