import type { JsonSchema } from './schemas.ts';

/** The part of fastest-validator's rule language that contracts may use; anything else is an error at start. */
interface Rule {
  type: string;
  optional?: boolean;
  nullable?: boolean;
  description?: string;
  min?: number;
  max?: number;
  length?: number;
  pattern?: RegExp;
  integer?: boolean;
  values?: readonly unknown[];
  value?: unknown;
  key?: unknown;
  items?: unknown;
  unique?: boolean;
  rules?: readonly unknown[];
  /** false: further fields may come */
  strict?: boolean;
  props?: Record<string, unknown>;
  properties?: Record<string, unknown>;
  maxJsonBytes?: number;
}

type Translate = (rule: Rule) => JsonSchema;

/**
 * Translates what a param must be into JSON Schema (2020-12), as strictly as the validator sees it: unknown fields are
 * refused at every depth, null only where it is allowed, a union is any of its rules.
 * @throws Error for a rule outside of the language
 */
export function paramSchema(given: unknown): JsonSchema {
  const rule = toRule(given);
  const translate = TRANSLATIONS[rule.type];
  if (!translate) throw new Error(`A contract uses the rule "${rule.type}", which has no translation.`);
  const schema = defined({ ...translate(rule), description: rule.description });
  return rule.nullable === true ? { anyOf: [schema, { type: 'null' }] } : schema;
}

/** @returns one object of several params; those without `optional` are required */
export function paramsSchema(params: Record<string, unknown>): JsonSchema {
  const entries = Object.entries(params).filter(([name]) => !name.startsWith('$$'));
  const required = entries.filter(([, rule]) => isRequired(rule)).map(([name]) => name);
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, rule]) => [name, paramSchema(rule)])),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

export function isRequired(rule: unknown): boolean {
  return toRule(rule).optional !== true;
}

/** An array of rules is short for a union. */
function toRule(given: unknown): Rule {
  if (Array.isArray(given)) return { type: 'multi', rules: given };
  const rule = given as Partial<Rule> | null;
  if (typeof rule !== 'object' || rule === null || typeof rule.type !== 'string') {
    throw new Error(`A contract uses a rule without a type: ${JSON.stringify(given)}`);
  }
  return rule as Rule;
}

const TRANSLATIONS: Record<string, Translate> = {
  any: () => ({}),
  boolean: () => ({ type: 'boolean' }),
  string: ({ min, max, length, pattern }) => ({
    type: 'string',
    minLength: length ?? min,
    maxLength: length ?? max,
    pattern: pattern?.source,
  }),
  number: ({ integer, min, max }) => ({ type: integer ? 'integer' : 'number', minimum: min, maximum: max }),
  enum: ({ values = [] }) => ({ enum: [...values] }),
  equal: ({ value }) => ({ const: value }),
  array: ({ items, min, max, unique }) => ({
    type: 'array',
    items: items === undefined ? {} : paramSchema(items),
    minItems: min,
    maxItems: max,
    uniqueItems: unique,
  }),
  object: ({ props, properties, strict }) => ({
    ...paramsSchema(props ?? properties ?? {}),
    additionalProperties: strict === false,
  }),
  record: ({ key, value, maxJsonBytes }) => ({
    type: 'object',
    propertyNames: key === undefined ? undefined : paramSchema(key),
    additionalProperties: value === undefined ? {} : paramSchema(value),
    description: maxJsonBytes === undefined ? undefined : `at most ${maxJsonBytes} bytes of JSON`,
  }),
  multi: ({ rules = [] }) => ({ anyOf: rules.map(paramSchema) }),
};

function defined(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([, value]) => value !== undefined));
}
