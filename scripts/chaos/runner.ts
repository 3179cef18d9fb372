import { seededRandom } from './random.ts';
import { ALWAYS, type Figures, judge, type Params, type Scenario, type ScenarioVersion } from './scenario.ts';
import { keepEvidence } from './world/evidence.ts';
import { shapeKey } from './world/shape.ts';
import { startWorld, type World } from './world/world.ts';

export interface RunOptions {
  short: boolean;
  seed: string;
  /** in place of a version's own parameters */
  changes?: Params;
  log(text: string): void;
}

export interface Report {
  scenario: string;
  seed: string;
  covers: string;
  params: Params;
  figures: Figures;
  /** promises that did not hold, or why it could not be run to its end */
  broken: string[];
  /** when something was broken: a folder with what was printed and stored */
  evidence?: string;
  seconds: number;
}

type Planned = ScenarioVersion & Pick<Scenario, 'covers'>;

/** Those that need the same world share one, as long as nothing breaks in it. */
export function planned(scenarios: readonly Scenario[], { short, changes }: Pick<RunOptions, 'short' | 'changes'>) {
  const groups = new Map<string, Planned[]>();
  for (const scenario of scenarios) {
    const version = { ...scenario.version(short, changes), covers: scenario.covers };
    const key = shapeKey(version.shape);
    groups.set(key, [...(groups.get(key) ?? []), version]);
  }
  return [...groups.values()];
}

export async function* runScenarios(scenarios: readonly Scenario[], options: RunOptions): AsyncGenerator<Report> {
  for (const group of planned(scenarios, options)) {
    let world: World | null = null;
    try {
      for (const version of group) {
        world ??= await startWorld(version.shape, options.seed, options.log);
        const report = await runVersion(world, version, options);
        const broke = report.broken.length > 0;
        yield broke ? { ...report, evidence: await keepEvidence(world) } : report;
        if (!broke) continue;
        await world.end();
        world = null;
      }
    } finally {
      await world?.end();
    }
  }
}

/** @returns a report whatever happens */
export async function runVersion(world: World, version: Planned, { seed, log }: RunOptions): Promise<Report> {
  const { name, params, covers, rules } = version;
  const begun = performance.now();
  const told = { scenario: name, seed, covers, params };
  const seconds = () => Math.round((performance.now() - begun) / 100) / 10;
  const tools = { random: seededRandom(`${seed} ${name}`), log: (text: string) => log(`${name}: ${text}`) };
  try {
    const figures = await version.run(world, tools);
    return { ...told, figures, broken: judge(figures, [...ALWAYS, ...rules]), seconds: seconds() };
  } catch (error) {
    const broken = [`it did not run to its end: ${error instanceof Error ? error.stack : error}`];
    return { ...told, figures: {}, broken, seconds: seconds() };
  }
}
