import { afterAll, describe, expect, it } from '@jest/globals';
import { planned, runVersion } from '../../scripts/chaos/runner.ts';
import type { Scenario } from '../../scripts/chaos/scenario.ts';
import { SCENARIOS } from '../../scripts/chaos/scenarios/index.ts';
import { startWorld, type World } from '../../scripts/chaos/world/world.ts';

const START_TIMEOUT_MS = 180_000;
const SCENARIO_TIMEOUT_MS = 240_000;

/** What a scenario harms, or that it has promises about time: then nothing else runs beside it. */
export type FaultKind = 'nodes' | 'servers' | 'timed';

const TIMED = new Set(['failover', 'rolling-restart', 'scale-out', 'scale-from-one']);

function kindOf({ name }: Scenario): FaultKind {
  if (TIMED.has(name)) return 'timed';
  return /^(nats|redis|mongo)-/.test(name) ? 'servers' : 'nodes';
}

/**
 * Tests of the short versions of all scenarios of a kind. The long ones, and one at a time:
 * npm run chaos -- --scenario NAME (docs/promises.md).
 */
export function testFaults(kind: FaultKind): void {
  const scenarios = SCENARIOS.filter((scenario) => kindOf(scenario) === kind);
  describe.each(planned(scenarios, { short: true }))('a cluster of processes, harmed under traffic', (...group) => {
    let world: World | null = null;

    afterAll(async () => world?.end(), START_TIMEOUT_MS);

    it.each(group.map((version) => [version.name, version.covers, version] as const))(
      '%s (%s): every promise holds',
      async (_name, _covers, version) => {
        const options = { short: true, seed: 'short version', log: () => undefined };
        world ??= await startWorld(version.shape, options.seed, options.log);
        const report = await runVersion(world, version, options);
        if (report.broken.length > 0) {
          /* whatever it left behind must not break the next one too */
          await world.end();
          world = null;
        }
        expect(report.broken).toEqual([]);
      },
      START_TIMEOUT_MS + SCENARIO_TIMEOUT_MS,
    );
  });
}
