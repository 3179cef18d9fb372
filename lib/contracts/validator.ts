/**
 * How params are validated, wherever: unknown fields are errors at every depth, and null is a value of its own, allowed
 * only where a rule says `nullable: true` (fastest-validator's own default lets null pass for any optional field).
 */
const REFUSE_NULL = [
  'any',
  'array',
  'boolean',
  'custom',
  'date',
  'email',
  'enum',
  'equal',
  'multi',
  'number',
  'record',
  'string',
  'tuple',
  'url',
  'uuid',
];

export const VALIDATOR_OPTIONS = {
  considerNullAsAValue: true,
  useNewCustomCheckerFunction: true,
  defaults: {
    object: { strict: true, nullable: false },
    ...Object.fromEntries(REFUSE_NULL.map((type) => [type, { nullable: false }])),
  },
};
