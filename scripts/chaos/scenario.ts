import type { Random } from './random.ts';
import type { WorldShape } from './world/shape.ts';
import type { World } from './world/world.ts';

export type Figures = Record<string, number>;

/** A promise about one figure. */
export interface Rule {
  figure: string;
  atMost?: number;
  atLeast?: number;
  /** of the promises, such as `P10`; for people */
  promise: string;
}

export interface RunTools {
  random: Random;
  log(text: string): void;
}

/** How much of it: every scenario has a long version for figures and a short one for every day. */
export type Params = Readonly<Record<string, number | boolean | string>>;

export interface ScenarioDefinition<P extends Params> {
  name: string;
  description: string;
  /** of the fault catalogue and of the promises, for people: `1, 2, P4` */
  covers: string;
  short: P;
  long: NoInfer<P>;
  shape(params: NoInfer<P>): WorldShape;
  /** Does the harm under traffic. @returns what it measured beside what everybody measures */
  run(world: World, params: NoInfer<P>, tools: RunTools): Promise<Figures>;
  /** beside what is promised always */
  rules?(params: NoInfer<P>): Rule[];
}

/** A scenario whose parameters nobody outside needs to know the type of. */
export interface Scenario {
  name: string;
  description: string;
  covers: string;
  /** @param changes in place of the version's own; a name that it does not have is ignored */
  version(short: boolean, changes?: Params): ScenarioVersion;
}

export interface ScenarioVersion {
  name: string;
  params: Params;
  shape: WorldShape;
  rules: readonly Rule[];
  run(world: World, tools: RunTools): Promise<Figures>;
}

export function defineScenario<P extends Params>(definition: ScenarioDefinition<P>): Scenario {
  const { name, description, covers } = definition;
  return {
    name,
    description,
    covers,
    version(short, changes = {}) {
      const own = short ? definition.short : definition.long;
      const known = Object.entries(changes).filter(([key]) => key in own);
      const params = { ...own, ...Object.fromEntries(known) };
      return {
        name,
        params,
        shape: definition.shape(params),
        rules: definition.rules?.(params) ?? [],
        run: (world, tools) => definition.run(world, params, tools),
      };
    },
  };
}

/** What holds whatever is done to a cluster. */
export const ALWAYS: readonly Rule[] = [
  { figure: 'overlaps', atMost: 0, promise: 'P1' },
  { figure: 'zombieFrames', atMost: 0, promise: 'P1' },
  { figure: 'staleWrites', atMost: 0, promise: 'P2' },
  { figure: 'decryptFailures', atMost: 0, promise: 'P3' },
  { figure: 'lostSends', atMost: 0, promise: 'P4' },
  { figure: 'shownTwice', atMost: 0, promise: 'P6' },
  { figure: 'inversions', atMost: 0, promise: 'P7' },
  { figure: 'lostInbound', atMost: 0, promise: 'P8' },
  { figure: 'doubledInbound', atMost: 0, promise: 'P8' },
];

/** @returns what was broken, in words */
export function judge(figures: Figures, rules: readonly Rule[]): string[] {
  return rules.flatMap(({ figure, atMost, atLeast, promise }) => {
    const value = figures[figure];
    if (value === undefined) return [`${promise}: ${figure} was not measured`];
    const broken = (atMost !== undefined && value > atMost) || (atLeast !== undefined && value < atLeast);
    const bound = atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`;
    return broken ? [`${promise}: ${figure} is ${value}, ${bound} was promised`] : [];
  });
}
