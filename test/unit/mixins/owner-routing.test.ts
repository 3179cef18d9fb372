import { CastellanError } from '../../../lib/errors.ts';
import type { CallContext } from '../../../mixins/define-service.ts';
import { createOwnerRouting } from '../../../mixins/owner-routing.mixin.ts';

const CONNECTION = 'con_one';
const gone = () => Object.assign(new Error('gone'), { type: 'SERVICE_NOT_FOUND' });

interface Called {
  action: string;
  options: { nodeID?: string; timeout: number };
}

/** Holders as they are found, one look after the other, and what each call answers. */
function routing(holders: (string | null)[], answers: (() => unknown)[]) {
  const called: Called[] = [];
  const locks = { holderOf: async () => holders.shift() ?? null };
  const ctx = {
    async call(action: string, _params: object, options: Called['options']) {
      called.push({ action, options });
      return answers.shift()?.();
    },
  } as unknown as CallContext;
  const { callOwner } = createOwnerRouting({ locks, timeoutMs: 1_000 });
  const call = (orAnyone?: boolean) => callOwner(ctx, CONNECTION, 'session-node.logout', {}, orAnyone);
  return { call, called };
}

const fail = (error: Error) => () => {
  throw error;
};

describe('calling the node that runs a connection', () => {
  it('names the node, whose id may contain colons', async () => {
    const { call, called } = routing(['node:7:incarnation'], [() => 'done']);
    expect(await call()).toBe('done');
    expect(called).toEqual([{ action: 'session-node.logout', options: { nodeID: 'node:7', timeout: 1_000 } }]);
  });

  it.each([gone(), new CastellanError('NO_OWNER')])('looks the owner up once more after %s', async (error) => {
    const { call, called } = routing(['a:1', 'b:2'], [fail(error), () => 'done']);
    expect(await call()).toBe('done');
    expect(called.map(({ options }) => options.nodeID)).toEqual(['a', 'b']);
  });

  it('gives up after the second look', async () => {
    const { call, called } = routing(['a:1', 'b:2', 'c:3'], [fail(gone()), fail(gone()), () => 'never']);
    await expect(call()).rejects.toMatchObject({ type: 'NO_OWNER' });
    expect(called).toHaveLength(2);
  });

  it('takes a timeout as an unknown outcome and does not repeat the call', async () => {
    const timeout = Object.assign(new Error('late'), { type: 'REQUEST_TIMEOUT' });
    const { call, called } = routing(['a:1', 'a:1'], [fail(timeout), () => 'never']);
    await expect(call()).rejects.toMatchObject({ type: 'OUTCOME_UNKNOWN' });
    expect(called).toHaveLength(1);
  });

  it('passes on what the action throws', async () => {
    const { call } = routing(['a:1', 'a:1'], [fail(new CastellanError('WRONG_STATE'))]);
    await expect(call()).rejects.toMatchObject({ type: 'WRONG_STATE' });
  });

  it('has nobody to call where nobody runs it, unless anyone may answer', async () => {
    await expect(routing([null], []).call()).rejects.toMatchObject({ type: 'NO_OWNER' });
    const anyone = routing([null], [() => 'done']);
    expect(await anyone.call(true)).toBe('done');
    expect(anyone.called[0]?.options.nodeID).toBeUndefined();
  });
});
