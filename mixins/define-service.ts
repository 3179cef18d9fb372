import type { Context, Service, ServiceSchema } from 'moleculer';
import type { ActionContract, CallMeta } from '../lib/contracts/action.ts';

/** What a service's actions take and answer, by their short names: see `UsersActions`. */
export type ActionTypes<T> = { [K in keyof T]: { params: object; result: unknown } };

export type CallContext = Context<unknown, CallMeta & Record<string, unknown>>;

export type Handlers<T extends ActionTypes<T>> = {
  [K in keyof T]: (params: T[K]['params'], ctx: CallContext) => Promise<T[K]['result']> | T[K]['result'];
};

export interface ServiceDefinition<T extends ActionTypes<T>> {
  name: string;
  contract: { [K in keyof T]: ActionContract };
  actions: Handlers<T>;
  /** what other processes broadcast; never its own */
  events?: Record<string, () => void>;
  mixins?: Partial<ServiceSchema>[];
  started?: () => Promise<void> | void;
  stopped?: () => Promise<void> | void;
}

/**
 * A Moleculer service from its contract: one handler for each action, held to the contract's types (Moleculer's own
 * schema type checks neither), params strict at the top level (the broker's validator is strict below), actions without
 * a route callable inside of the cluster only.
 */
export function defineService<T extends ActionTypes<T>>(definition: ServiceDefinition<T>): ServiceSchema {
  const { name, contract, actions, events = {}, mixins = [], started, stopped } = definition;
  const names = Object.keys(contract) as (keyof T & string)[];
  return {
    name,
    mixins,
    actions: Object.fromEntries(names.map((action) => [action, toAction(contract[action], actions[action])])),
    events: Object.fromEntries(Object.entries(events).map(([event, handler]) => [event, fromOthers(handler)])),
    started: started && ((): Promise<void> => Promise.resolve(started())),
    stopped: stopped && ((): Promise<void> => Promise.resolve(stopped())),
  } as ServiceSchema;
}

/** A broadcast comes back to the process that sent it, too. */
export function fromOthers(handler: () => void) {
  return (ctx: Context): void => {
    if (ctx.nodeID !== ctx.broker.nodeID) handler();
  };
}

function toAction<P extends object, R>(contract: ActionContract, handler: (params: P, ctx: CallContext) => R) {
  return {
    /* Moleculer clones and compiles it; `$$strict` makes unknown top-level fields an error */
    params: { $$strict: true, ...contract.params },
    visibility: contract.rest ? 'published' : 'public',
    handler(this: Service, ctx: CallContext): R {
      return handler(ctx.params as P, ctx);
    },
  };
}
