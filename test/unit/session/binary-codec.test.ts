import fc from 'fast-check';
import { decodeBinary, encodeBinary } from '../../../lib/session/journal/binary-codec.ts';

/** JSON values with bytes anywhere, and with keys that look like the codec's own marks. */
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.string(),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.array(tie('value')),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('$', '__proto__', 'constructor', 'toString')), tie('value')),
  ),
}));

describe('the binary codec', () => {
  it('gives back what it was given', () => {
    fc.assert(
      fc.property(value, (given) => {
        expect(decodeBinary(encodeBinary(given))).toEqual(plain(given));
      }),
      { numRuns: 500 },
    );
  });

  it('takes an object for a reference only when it wrote one', () => {
    for (const given of [{ $: [0, 4] }, { $: { $: 1 } }, { $: null }, { a: { $: [0, 1] }, b: Buffer.from('x') }]) {
      expect(decodeBinary(encodeBinary(given))).toEqual(given);
    }
  });

  it('never sets a prototype', () => {
    const given = JSON.parse('{"__proto__": {"polluted": true}}');
    const back = decodeBinary<Record<string, unknown>>(encodeBinary({ given, bytes: Buffer.from('x') }));
    expect(Object.getPrototypeOf(back.given)).toBe(Object.prototype);
    expect(Object.keys(back.given as object)).toEqual(['__proto__']);
  });

  it('stores bytes as they are: no base64', () => {
    expect(encodeBinary({ key: Buffer.alloc(10_000) }).length).toBeLessThan(10_050);
  });

  it('uses toJSON, leaves undefined out and refuses what it would lose', () => {
    expect(decodeBinary(encodeBinary({ a: undefined, b: { toJSON: () => ({ c: 1 }) }, d: [undefined] }))).toEqual({
      b: { c: 1 },
      d: [null],
    });
    expect(() => encodeBinary({ n: 1n })).toThrow(TypeError);
  });

  it('refuses a reference past the end', () => {
    const encoded = encodeBinary({ key: Buffer.alloc(10) });
    expect(() => decodeBinary(encoded.subarray(0, -1))).toThrow(RangeError);
  });
});

/** fast-check makes dictionaries without a prototype */
function plain(given: unknown): unknown {
  if (typeof given !== 'object' || given === null || given instanceof Uint8Array) return given;
  if (Array.isArray(given)) return given.map(plain);
  const copy = {};
  for (const [key, item] of Object.entries(given)) {
    Object.defineProperty(copy, key, { value: plain(item), enumerable: true, configurable: true, writable: true });
  }
  return copy;
}
