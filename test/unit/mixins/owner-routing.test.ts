import type { ServiceBroker } from 'moleculer';
import { CastellanError } from '../../../lib/errors.ts';
import type { Store } from '../../../lib/storage/port.ts';
import type { CallContext } from '../../../mixins/define-service.ts';
import { createOwnerRouting } from '../../../mixins/owner-routing.mixin.ts';
import { eventually } from '../../helpers/eventually.ts';
import { createManualClock } from '../../helpers/manual-clock.ts';

const CONNECTION = 'con_one';
const ofType = (type: string) => Object.assign(new Error(type), { type });
const gone = () => ofType('SERVICE_NOT_FOUND');
const away = new CastellanError('STORE_UNAVAILABLE');

interface Called {
  action: string;
  params: object;
  options: { nodeID?: string; timeout: number };
}

const fail = (error: Error) => () => {
  throw error;
};

/** Holders as they are found, one look after the other, and what each call answers. `row`: the node that the row names. */
function routing(holders: (string | null | Error)[], answers: (() => unknown)[], row: string | null = null) {
  const called: Called[] = [];
  let looks = 0;
  const locks = {
    async holderOf() {
      looks += 1;
      const holder = holders.shift() ?? null;
      if (holder instanceof Error) throw holder;
      return holder;
    },
  };
  const worker = row === null ? null : { nodeId: row };
  const store = { collection: () => ({ findOne: async () => ({ _id: CONNECTION, worker }) }) } as unknown as Store;
  const broker = {
    async call(action: string, params: object, options: Called['options']) {
      called.push({ action, params, options });
      return answers.shift()?.();
    },
  } as unknown as ServiceBroker;
  const clock = createManualClock();
  const { callOwner, wake, wakeOutbox } = createOwnerRouting({ locks, store, clock, timeoutMs: 1_000 });
  const call = (orAnyone?: boolean) =>
    callOwner(broker as unknown as CallContext, CONNECTION, 'session-node.logout', {}, orAnyone);
  return {
    call,
    called,
    clock,
    looks: () => looks,
    wake: () => wake(broker, CONNECTION),
    wakeOutbox: () => wakeOutbox(broker, CONNECTION),
  };
}

const nodes = (called: Called[]) => called.map(({ options }) => options.nodeID);

describe('calling the node that runs a connection', () => {
  it('names the node, whose id may contain colons', async () => {
    const { call, called } = routing(['node:7:incarnation'], [() => 'done']);
    expect(await call()).toBe('done');
    expect(called).toMatchObject([{ action: 'session-node.logout', options: { nodeID: 'node:7', timeout: 1_000 } }]);
  });

  it.each([gone(), new CastellanError('NO_OWNER')])('looks the owner up once more after %s', async (error) => {
    const { call, called } = routing(['a:1', 'b:2'], [fail(error), () => 'done']);
    expect(await call()).toBe('done');
    expect(nodes(called)).toEqual(['a', 'b']);
  });

  it('gives up after the second look', async () => {
    const { call, called } = routing(['a:1', 'b:2', 'c:3'], [fail(gone()), fail(gone()), () => 'never']);
    await expect(call()).rejects.toMatchObject({ type: 'NO_OWNER' });
    expect(called).toHaveLength(2);
  });

  it.each(['REQUEST_TIMEOUT', 'REQUEST_REJECTED'])(
    'takes %s as an unknown outcome and repeats nothing',
    async (type) => {
      const { call, called } = routing(['a:1', 'a:1'], [fail(ofType(type)), () => 'never']);
      await expect(call()).rejects.toMatchObject({ type: 'OUTCOME_UNKNOWN' });
      expect(called).toHaveLength(1);
    },
  );

  it.each(['WRONG_STATE', 'SERVICE_UNAVAILABLE'] as const)('passes %s on', async (type) => {
    const { call } = routing(['a:1', 'a:1'], [fail(new CastellanError(type))]);
    await expect(call()).rejects.toMatchObject({ type });
  });

  it('has nobody to call where nobody runs it, unless anyone may answer', async () => {
    await expect(routing([null], []).call()).rejects.toMatchObject({ type: 'NO_OWNER' });
    const anyone = routing([null], [() => 'done']);
    expect(await anyone.call(true)).toBe('done');
    expect(nodes(anyone.called)).toEqual([undefined]);
  });

  it('believes the row while the locks cannot be reached, and asks them again after a second', async () => {
    const { call, called, clock, looks } = routing([away, 'new:1'], [() => 1, () => 2, () => 3], 'old');
    await call();
    await call();
    expect([nodes(called), looks()]).toEqual([['old', 'old'], 1]);
    await clock.advance(1_000);
    await call();
    expect([nodes(called), looks()]).toEqual([['old', 'old', 'new'], 2]);
  });
});

describe('waking the node that runs a connection', () => {
  it('goes to the holder, or to anybody where there is none', async () => {
    const { wake, called } = routing(['a:1', null], []);
    await wake();
    await wake();
    expect(nodes(called)).toEqual(['a', undefined]);
    expect(called[0]?.params).toEqual({ connectionId: CONNECTION, reason: 'connection' });
  });

  it.each([gone(), ofType('REQUEST_TIMEOUT'), away])('is lost in silence after %s', async (error) => {
    const { wake, called } = routing(['a:1', 'b:1'], [fail(error)]);
    await wake();
    expect(nodes(called)).toEqual(['a']);
  });

  it('makes one call of many that come while another is under way', async () => {
    const first = Promise.withResolvers<void>();
    const { wakeOutbox, called } = routing(['a:1', 'a:1', 'a:1'], [() => first.promise]);
    for (let n = 0; n < 100; n++) wakeOutbox();
    await eventually(() => expect(called).toHaveLength(1));
    first.resolve();
    await eventually(() => expect(called).toHaveLength(2));
    await new Promise(setImmediate);
    wakeOutbox();
    await eventually(() => expect(called).toHaveLength(3));
    expect(called[2]?.params).toEqual({ connectionId: CONNECTION, reason: 'outbox' });
  });
});
