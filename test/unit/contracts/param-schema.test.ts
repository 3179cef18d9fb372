import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import FastestValidator from 'fastest-validator';
import { ALL_ACTIONS } from '../../../lib/contracts/index.ts';
import { paramsSchema } from '../../../lib/contracts/param-schema.ts';
import { VALIDATOR_OPTIONS } from '../../../lib/contracts/validator.ts';

const Validator = FastestValidator as unknown as new (
  options: object,
) => { compile(schema: object): (value: unknown) => true | object[] };
const ajv = new Ajv2020({ strict: false });
const optional = { optional: true };

/** One of each kind of rule that contracts use. */
const PARAMS = {
  text: { type: 'string', min: 1, max: 5, pattern: /^[a-c]*$/ },
  count: { type: 'number', integer: true, min: 0, max: 3, ...optional },
  flag: { type: 'boolean', ...optional },
  state: { type: 'enum', values: ['on', 'off'], ...optional },
  list: { type: 'array', min: 1, max: 2, unique: true, items: { type: 'enum', values: ['x', 'y'] }, ...optional },
  nullable: { type: 'string', nullable: true, ...optional },
  record: { type: 'record', key: { type: 'string', max: 2 }, value: { type: 'string' }, ...optional },
  inner: { type: 'object', props: { a: { type: 'string' }, b: { type: 'boolean', ...optional } }, ...optional },
  open: { type: 'object', strict: false, props: { a: { type: 'string' } }, ...optional },
  union: {
    type: 'multi',
    rules: [
      { type: 'string', max: 2 },
      { type: 'object', props: { kind: { type: 'equal', value: 'z', strict: true } } },
    ],
    ...optional,
  },
};

const leaf = fc.constantFrom<unknown>('', 'a', 'abc', 'abcabc', 'x', 'on', 'z', 0, 1, 2.5, 4, true, false, null);
const value = fc.oneof(
  { weight: 3, arbitrary: leaf },
  fc.array(fc.constantFrom('x', 'y', 'q', 1), { maxLength: 3 }),
  fc.dictionary(fc.constantFrom('a', 'b', 'kind', 'abc'), leaf, { maxKeys: 3 }),
);
/* a required text that passes, and up to two others of any kind: enough is taken, enough is refused */
const names = fc.constantFrom(...Object.keys(PARAMS), 'unknown');
const params = fc.dictionary(names, value, { maxKeys: 2 }).map((fields) => ({ text: 'abc', ...fields }));

test('what the description allows and what the validator takes are the same', () => {
  const check = new Validator(VALIDATOR_OPTIONS).compile({ $$strict: true, ...PARAMS });
  const described = ajv.compile(paramsSchema(PARAMS));
  const seed = Date.now() % 2 ** 31;
  process.stdout.write(`param-schema seed ${seed}\n`);
  let taken = 0;
  fc.assert(
    fc.property(params, (given) => {
      const valid = described(given);
      if (valid) taken += 1;
      expect({ given, taken: check(structuredClone(given)) === true }).toEqual({ given, taken: valid });
    }),
    { seed, numRuns: 10_000 },
  );
  expect(taken).toBeGreaterThan(500);
});

test('every contract compiles in both', () => {
  const validator = new Validator(VALIDATOR_OPTIONS);
  for (const { name, params } of ALL_ACTIONS) {
    expect(() => ajv.compile(paramsSchema(params))).not.toThrow();
    expect([name, typeof validator.compile({ $$strict: true, ...structuredCloneOfRules(params) })]).toEqual([
      name,
      'function',
    ]);
  }
});

/** The validator changes what it compiles. */
function structuredCloneOfRules(rules: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(rules).map(([name, rule]) => [name, Array.isArray(rule) ? rule : { ...(rule as object) }]),
  );
}
