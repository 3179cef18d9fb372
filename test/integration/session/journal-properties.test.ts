import fc from 'fast-check';
import { errorType } from '../../../lib/errors.ts';
import type { JournalActivation } from '../../../lib/session/journal/activation.ts';
import type { JournalRecord } from '../../../lib/session/ports.ts';
import { bytes, inbound, openSessionHarness, type SessionHarness } from '../../helpers/session-harness.ts';
import type { Fault, UnsteadyStore } from '../../helpers/unsteady-store.ts';

/** What can happen to a session; `lag` lets so many turns of the event loop pass. */
type Step =
  | { do: 'commit'; key: number; await: boolean }
  | { do: 'lag'; turns: number }
  | { do: 'fault'; fault: Fault; calls: number }
  /** the process dies; of what it still writes, nothing arrives any more */
  | { do: 'crash' }
  /** another process takes over while this one still believes in itself */
  | { do: 'take over' }
  | { do: 'close'; release: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('commit' as const), key: fc.nat(3), await: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('lag' as const), turns: fc.integer({ min: 1, max: 6 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('fault' as const),
      fault: fc.constantFrom<Fault>('refuse', 'lose-answer'),
      calls: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'crash' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'take over' as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), release: fc.boolean() }) },
);

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Runs one schedule and compares what is left with what was acknowledged. */
class Run {
  readonly applied: JournalRecord[] = [];
  /** commits of the present owner, in order; a later owner begins with what it found */
  staged: number[] = [];
  acknowledged = 0;
  /** per key the commit that wrote it, oldest first */
  readonly writes = new Map<number, number[]>();
  private counter = 0;
  private owner!: { activation: JournalActivation; store: UnsteadyStore };
  private readonly all: { activation: JournalActivation; store: UnsteadyStore }[] = [];
  private readonly harness: SessionHarness;
  private readonly connectionId: string;

  constructor(harness: SessionHarness, connectionId: string) {
    this.harness = harness;
    this.connectionId = connectionId;
    harness.applier = { apply: async (records) => void this.applied.push(...records) };
  }

  async take(over: 'dead' | 'alive'): Promise<void> {
    const old = this.owner;
    if (old && over === 'dead') old.store.fault = () => 'refuse';
    for (;;) {
      const store = this.harness.connect();
      try {
        const activation = await this.harness.takeOver(this.connectionId, { store, patienceMs: 400 });
        this.owner = { activation, store };
        this.all.push(this.owner);
        return this.check();
      } catch (error) {
        /* the old owner wrote in between: the guards would be looked at again */
        if (errorType(error) !== 'SESSION_FENCED') throw error;
        await turn();
      }
    }
  }

  async run(steps: readonly Step[]): Promise<void> {
    await this.take('dead');
    for (const next of steps) await this.step(next);
    await this.take('dead');
    for (const { activation } of this.all) await activation.close({ release: false });
  }

  private async step(next: Step): Promise<void> {
    if (next.do === 'commit') return this.commit(next.key, next.await);
    if (next.do === 'lag') for (let n = 0; n < next.turns; n++) await turn();
    if (next.do === 'crash') return this.take('dead');
    if (next.do === 'take over') return this.take('alive');
    if (next.do === 'close') {
      await this.owner.activation.close({ release: next.release });
      return this.take('dead');
    }
    if (next.do === 'fault') {
      let left = next.calls;
      this.owner.store.fault = (collection) => (collection === 'sessionJournal' && left-- > 0 ? next.fault : 'none');
    }
  }

  private async commit(key: number, awaited: boolean): Promise<void> {
    const n = ++this.counter;
    const change = { keys: { session: { [key]: bytes(String(n)), counter: bytes(String(n)) } } };
    try {
      this.owner.activation.stage({ ...change, records: [inbound(String(n))] });
    } catch {
      return this.take('dead');
    }
    this.writes.set(key, [...(this.writes.get(key) ?? []), n]);
    const durable = this.owner.activation.flush().then(
      () => {
        this.acknowledged = Math.max(this.acknowledged, n);
      },
      () => {},
    );
    if (awaited) await durable;
  }

  /** The state is what the commits up to some moment made of it, and that moment is not before the last acknowledged. */
  private async check(): Promise<void> {
    const { activation } = this.owner;
    const read = await activation.readKeys('session', ['counter', '0', '1', '2', '3']);
    const number = (id: string) => Number(Buffer.from(read.get(id) ?? bytes('0')).toString());
    const reached = number('counter');
    expect(reached).toBeGreaterThanOrEqual(this.acknowledged);
    for (const [key, writes] of this.writes) {
      /* what did not get through before this moment is gone for good */
      const survived = writes.filter((n) => n <= reached);
      this.writes.set(key, survived);
      expect(number(String(key))).toBe(survived.at(-1) ?? 0);
    }
    const ids = this.applied.map((record) => (record.kind === 'inbound' ? Number(record.attrs.id) : 0));
    const firsts = ids.filter((id, index) => ids.indexOf(id) === index);
    const expected = [...this.writes.values()].flat().sort((a, b) => a - b);
    expect(firsts).toEqual(expected);
  }
}

describe('any interleaving of commits, crashes and takeovers', () => {
  it('loses no acknowledged write, tears none apart, and applies every record in order', async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
    process.stdout.write(`journal property seed: ${seed}\n`);
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const harness = await openSessionHarness();
        try {
          await new Run(harness, `con${run++}`).run(steps);
        } finally {
          await harness.close();
        }
      }),
      { seed, numRuns: 60, endOnFailure: true },
    );
  });
});
