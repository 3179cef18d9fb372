import { MUTANTS, mutate } from '../helpers/schedules/mutants.ts';
import { loadProduct } from '../helpers/schedules/product.ts';
import { drawSchedule } from '../helpers/schedules/schedule.ts';
import { runSeeds } from '../helpers/schedules/seeds.ts';
import { runSchedule } from '../helpers/schedules/world.ts';

/*
 * Whole session-nodes in one process, on clocks, stores, locks and a network that a seed decides about: PROMISES P1 and P2
 * by ten thousand schedules (npm run schedules -- --count 10000); here a few hundred of them.
 *
 * WhatsApp is a virtual one (see test/helpers/schedules/virtual-whatsapp.ts), because a fake clock cannot drive sockets,
 * handshakes and Baileys' own timers; the same faults happen to real Baileys and the simulator in npm run chaos.
 */
const SEED = 'ci';
const COUNT = 300;
/** the rarest mutant does harm in one of two hundred; a run ends with the first that is seen */
const MUTANT_COUNT = 2_000;
const TIMEOUT_MS = 600_000;

describe('a cluster of session-nodes', () => {
  it(
    `runs no connection twice, lets no stale owner write, and runs everything in the end: ${COUNT} schedules`,
    async () => {
      const failures: string[] = [];
      await runSeeds({
        product: await loadProduct(),
        seed: SEED,
        count: COUNT,
        onFailure: ({ seed, violations }) =>
          failures.push(`${seed}: ${violations[0]}; npm run schedules -- --only ${seed}`),
      });
      expect(failures).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it('does the same again with the same seed', async () => {
    const product = await loadProduct();
    const traceOf = async () => {
      const lines: string[] = [];
      await runSchedule(drawSchedule(`${SEED}-0`), { product, trace: (line) => lines.push(withoutRandomIds(line)) });
      return lines;
    };
    const first = await traceOf();
    expect(first.length).toBeGreaterThan(10);
    expect(await traceOf()).toEqual(first);
  });
});

/** Ids and nonces are the product's own, and decide nothing. */
const withoutRandomIds = (line: string) => line.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'id');

describe('the same schedules see a protocol that was broken on purpose:', () => {
  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
    '%s',
    async (_name, mutant) => {
      const { product, remove } = await mutate(mutant);
      try {
        const { timings = {} } = mutant;
        const { failed } = await runSeeds({ product, timings, seed: SEED, count: MUTANT_COUNT, stopAtFailure: true });
        expect(failed).toHaveLength(1);
      } finally {
        remove();
      }
    },
    TIMEOUT_MS,
  );
});
