import type WebSocket from 'ws';
import { errorType } from '../../../lib/errors.ts';
import { installFrameGate } from '../../../lib/session/baileys/frame-gate.ts';
import type { JournalActivation } from '../../../lib/session/journal/activation.ts';

/** An activation whose entries become durable when the test says so. */
function makeActivation() {
  let entry: PromiseWithResolvers<void> | null = null;
  let listener: (error: Error) => void = () => {};
  return {
    get clean() {
      return entry === null;
    },
    flush: () => entry?.promise ?? Promise.resolve(),
    onFailure(fn: (error: Error) => void) {
      listener = fn;
      return () => {
        listener = () => {};
      };
    },
    stage() {
      entry = Promise.withResolvers<void>();
      return entry;
    },
    done() {
      entry?.resolve();
      entry = null;
    },
    fail(error: Error) {
      listener(error);
      entry?.reject(error);
      entry = null;
    },
  };
}

function makeRaw() {
  const frames: string[] = [];
  const raw = {
    frames,
    terminated: false,
    send(data: string, callback?: (error?: Error) => void) {
      frames.push(data);
      callback?.();
    },
    terminate() {
      raw.terminated = true;
    },
  };
  return raw;
}

/** A lease that is unproven until it is told. */
function makeLease() {
  let proof: PromiseWithResolvers<void> | null = null;
  return {
    doubt() {
      proof = Promise.withResolvers<void>();
    },
    prove() {
      proof?.resolve();
      proof = null;
    },
    standing: () => (proof ? ('unproven' as const) : ('mine' as const)),
    proven: () => proof?.promise ?? Promise.resolve(),
  };
}

function gated() {
  const raw = makeRaw();
  const activation = makeActivation();
  const lease = makeLease();
  const gate = installFrameGate(raw as unknown as WebSocket, activation as unknown as JournalActivation, lease);
  const outcomes: string[] = [];
  const send = (data: string) =>
    raw.send(data, (error) => outcomes.push(`${data} ${error ? (errorType(error) as string) : 'sent'}`));
  return { raw, activation, lease, gate, outcomes, send };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('the frame gate', () => {
  it('holds frames while the lease is unproven, and lets them go in order when it is proven', async () => {
    const { raw, lease, send } = gated();
    lease.doubt();
    send('a');
    send('b');
    await settle();
    expect(raw.frames).toEqual([]);
    expect(raw.terminated).toBe(false);
    lease.prove();
    send('c');
    await settle();
    expect(raw.frames).toEqual(['a', 'b', 'c']);
  });

  it('lets a frame through at once while nothing waits to become durable', () => {
    const { raw, send } = gated();
    send('a');
    expect(raw.frames).toEqual(['a']);
  });

  it('holds frames until the entries before them are durable, and keeps their order', async () => {
    const { raw, activation, send } = gated();
    activation.stage();
    send('a');
    send('b');
    await settle();
    expect(raw.frames).toEqual([]);
    activation.done();
    send('c');
    expect(raw.frames).toEqual([]);
    await settle();
    expect(raw.frames).toEqual(['a', 'b', 'c']);
  });

  it('does not let a frame wait for an entry that was staged after it', async () => {
    const { raw, activation, send } = gated();
    activation.stage();
    send('a');
    activation.done();
    activation.stage();
    send('b');
    await settle();
    expect(raw.frames).toEqual(['a']);
    activation.done();
    await settle();
    expect(raw.frames).toEqual(['a', 'b']);
  });

  it('after a failure terminates before anybody learns of it, and lets nothing out', async () => {
    const { raw, activation, outcomes, send } = gated();
    const entry = activation.stage();
    const order: string[] = [];
    entry.promise.catch(() => order.push(`rejected, terminated: ${raw.terminated}`));
    send('a');
    activation.fail(new Error('fenced'));
    send('b');
    await settle();
    expect(order).toEqual(['rejected, terminated: true']);
    expect(raw.frames).toEqual([]);
    expect(outcomes).toEqual(['a CONNECTION_CLOSED', 'b CONNECTION_CLOSED']);
  });

  it('refuses what waits when it is closed', async () => {
    const { raw, activation, gate, outcomes, send } = gated();
    activation.stage();
    send('a');
    gate.close();
    activation.done();
    await settle();
    expect(raw.frames).toEqual([]);
    expect(outcomes).toEqual(['a CONNECTION_CLOSED']);
  });
});
