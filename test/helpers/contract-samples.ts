import type { Route } from '../../lib/contracts/route.ts';

/** Values that pass the contracts' rules, by the names of the params. Ids are given by the test. */
const SAMPLES: Record<string, unknown> = {
  username: 'sample',
  email: 'sample@example.org',
  phoneNumber: '15550001111',
  content: 'hello',
  chatId: '15550001111',
  url: 'https://example.org/hook',
  eventTypes: ['*'],
};

interface Rule {
  optional?: boolean;
}

/** @returns the body that a route needs at least: its required params, the given ones first */
export function sampleBody({ bodyParams, contract }: Route, given: Record<string, unknown>): Record<string, unknown> {
  const needed = bodyParams.filter((name) => name in given || (contract.params[name] as Rule).optional !== true);
  return Object.fromEntries(
    needed.map((name) => {
      const value = given[name] ?? SAMPLES[name];
      if (value === undefined) throw new Error(`There is no sample for "${name}" of ${contract.name}: add one here.`);
      return [name, value];
    }),
  );
}

/** @returns the path with its params filled in */
export function pathOf({ path }: Route, ids: Record<string, string>): string {
  return path.replace(/:(\w+)/g, (_, name: string) => {
    const value = ids[name];
    if (value === undefined) throw new Error(`There is no id for "${name}": make such a row in the test.`);
    return encodeURIComponent(value);
  });
}
