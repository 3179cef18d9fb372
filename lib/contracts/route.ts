import type { ActionContract } from './action.ts';

export const API_BASE = '/v1/wa';

/** One contract as the outside sees it. */
export interface Route {
  method: string;
  /** full path with `:names` */
  path: string;
  contract: ActionContract;
  pathParams: readonly string[];
  queryParams: readonly string[];
  bodyParams: readonly string[];
}

/** @returns the routes of all contracts that have one */
export function routesOf(actions: readonly ActionContract[]): Route[] {
  return actions.filter((action) => action.rest !== undefined).map(toRoute);
}

function toRoute(contract: ActionContract): Route {
  const [method = '', rest = ''] = (contract.rest ?? '').split(' ');
  const path = rest.startsWith('//') ? rest.slice(1) : API_BASE + rest;
  const pathParams = [...path.matchAll(/:(\w+)/g)].map((match) => match[1] as string);
  const queryParams = contract.query ?? [];
  const elsewhere = new Set([...pathParams, ...queryParams]);
  const bodyParams = Object.keys(contract.params).filter((name) => !elsewhere.has(name) && !name.startsWith('$$'));
  return { method, path, contract, pathParams, queryParams, bodyParams };
}
