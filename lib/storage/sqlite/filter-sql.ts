import type { CheckedFilter, CheckedOptions, Test } from '../filter-syntax.ts';
import type { IndexedFields } from '../indexed-fields.ts';
import type { Scalar } from '../port.ts';

/**
 * Compiles checked filters to SQL with MongoDB's meaning: types never mix (a string never equals or compares with a
 * number), null equals missing, `$ne` and `$nin` hold for what is missing, a list matches when one element does.
 *
 * Fields that an index covers hold scalars only (the table sees to it) and have a column each, so that their tests stay
 * plain comparisons that SQLite can answer from the index without parsing a document; the others get a branch for lists.
 */
export interface Sql {
  text: string;
  params: (string | number)[];
}

const COMPARE = { $gt: '>', $gte: '>=', $lt: '<', $lte: '<=' } as const;
const NUMERIC = "('integer','real')";
/** lists of parameters are padded to a power of two, so that statements repeat and stay prepared */
const pad = <T>(values: readonly T[]): T[] => {
  const size = 2 ** Math.ceil(Math.log2(values.length));
  return [...values, ...Array<T>(size - values.length).fill(values.at(-1) as T)];
};

export function jsonPath(path: readonly string[]): string {
  return `'$${path.map((name) => `."${name}"`).join('')}'`;
}

/** The column that repeats an indexed field of the document. A name of ours never begins like that. */
export function columnName(field: string): string {
  return `"@${field}"`;
}

/** What a column holds: the scalar itself, but bytes for booleans, which SQLite would take for numbers. */
export function columnValue(value: Scalar): string | number | null | Uint8Array {
  return typeof value === 'boolean' ? Uint8Array.of(Number(value)) : value;
}

/** The expression whose value filters and sorts see. */
function fieldExpression(path: readonly string[], indexed: Pick<IndexedFields, 'has'>): string {
  const field = path.join('.');
  if (field === '_id') return '_id';
  return indexed.has(field) ? columnName(field) : `json_extract(doc,${jsonPath(path)})`;
}

const FALSE: Sql = { text: '0', params: [] };

function any(parts: readonly Sql[]): Sql {
  if (parts.length === 0) return FALSE;
  return { text: `(${parts.map((part) => part.text).join(' OR ')})`, params: parts.flatMap((part) => part.params) };
}

/** What a test looks at: the SQL of a value and of its JSON type. */
interface Operand {
  value: string;
  type: string;
  /** a column can be no list and no object, whose JSON text could pass for a string, and tells booleans from numbers */
  column: boolean;
}

function equalsAny({ value, type, column }: Operand, wanted: readonly Scalar[]): Sql[] {
  const matching = (list: readonly (string | number)[], guard: string): Sql[] => {
    if (list.length === 0) return [];
    const params = pad(list);
    const test = params.length === 1 ? '= ?' : `IN (${params.map(() => '?').join(',')})`;
    return [{ text: `(${value} ${test}${guard})`, params }];
  };
  const parts = matching(
    wanted.filter((one) => typeof one === 'string'),
    column ? '' : ` AND ${type} = 'text'`,
  );
  parts.push(
    ...matching(
      wanted.filter((one) => typeof one === 'number'),
      column ? '' : ` AND ${type} IN ${NUMERIC}`,
    ),
  );
  for (const one of wanted) {
    if (typeof one === 'boolean') {
      const test = column ? `x'0${Number(one)}'` : `${Number(one)} AND ${type} = '${one}'`;
      parts.push({ text: `(${value} = ${test})`, params: [] });
    }
  }
  return parts;
}

/** The test on one value that is there, in its positive form: `$ne` as `$eq`, `$nin` as `$in`. */
function valueTest(operand: Operand, test: Exclude<Test, { op: '$exists' }>): Sql[] {
  if ('values' in test) return equalsAny(operand, test.values);
  if (test.op === '$eq' || test.op === '$ne') return equalsAny(operand, test.value === null ? [] : [test.value]);
  const guard = typeof test.value === 'string' ? "= 'text'" : `IN ${NUMERIC}`;
  const text = `(${operand.value} ${COMPARE[test.op]} ? AND ${operand.type} ${guard})`;
  return [{ text, params: [test.value as string | number] }];
}

function fieldTest(test: Test, indexed: Pick<IndexedFields, 'has'>): Sql {
  const path = jsonPath(test.path);
  const column = indexed.has(test.path.join('.'));
  const value = fieldExpression(test.path, indexed);
  const jsonType = `json_type(doc,${path})`;
  if (test.op === '$exists') return { text: `${jsonType} IS ${test.value ? 'NOT ' : ''}NULL`, params: [] };
  const type = column ? `typeof(${value})` : jsonType;
  const wantsNull = 'values' in test ? test.values.includes(null) : test.value === null;
  const parts = valueTest({ value, type, column }, test);
  if (wantsNull) parts.push({ text: `${value} IS NULL`, params: [] });
  if (!column) {
    const inside = valueTest({ value: 'e.value', type: 'e.type', column: false }, test);
    if (wantsNull) inside.push({ text: "e.type = 'null'", params: [] });
    const element = any(inside);
    parts.push({
      text: `(${type} = 'array' AND EXISTS (SELECT 1 FROM json_each(doc,${path}) e WHERE ${element.text}))`,
      params: element.params,
    });
  }
  return any(parts);
}

/** `_id` is a column of text and always there. */
function idTest(test: Test): Sql {
  if (test.op === '$exists') return { text: test.value ? '1' : '0', params: [] };
  const wanted = ('values' in test ? test.values : [test.value]).filter((one) => typeof one === 'string');
  if (wanted.length === 0) return FALSE;
  if (test.op in COMPARE) return { text: `_id ${COMPARE[test.op as keyof typeof COMPARE]} ?`, params: wanted };
  return any(equalsAny({ value: '_id', type: '', column: true }, wanted));
}

function testSql(test: Test, indexed: Pick<IndexedFields, 'has'>): Sql {
  const sql = test.path.join('.') === '_id' ? idTest(test) : fieldTest(test, indexed);
  if (test.op !== '$ne' && test.op !== '$nin') return sql;
  return { text: `(${sql.text}) IS NOT TRUE`, params: sql.params };
}

/** @returns a boolean expression; `1` for the empty filter. */
export function filterSql(filter: CheckedFilter, indexed: Pick<IndexedFields, 'has'>): Sql {
  const parts = filter.tests.map((test) => testSql(test, indexed));
  for (const filters of filter.anyOf) parts.push(any(filters.map((one) => filterSql(one, indexed))));
  if (parts.length === 0) return { text: '1', params: [] };
  return { text: parts.map((part) => part.text).join(' AND '), params: parts.flatMap((part) => part.params) };
}

/** ` ORDER BY ... LIMIT ...`, with the _id as the last word, so that an order is always total. */
export function optionsSql(options: CheckedOptions, indexed: Pick<IndexedFields, 'has'>): Sql {
  const terms = options.sort.map(
    ([path, direction]) => `${fieldExpression(path, indexed)} ${direction === 1 ? 'ASC' : 'DESC'}`,
  );
  const last = options.sort.at(-1);
  if (last && !options.sort.some(([path]) => path.join('.') === '_id')) {
    terms.push(`_id ${last[1] === 1 ? 'ASC' : 'DESC'}`);
  }
  const order = terms.length > 0 ? ` ORDER BY ${terms.join(', ')}` : '';
  if (options.limit === null && options.skip === 0) return { text: order, params: [] };
  return { text: `${order} LIMIT ? OFFSET ?`, params: [options.limit ?? -1, options.skip] };
}

/** The statement that reads what matches. */
export function findSql(
  collection: string,
  filter: CheckedFilter,
  options: CheckedOptions,
  indexed: Pick<IndexedFields, 'has'>,
): Sql {
  const where = filterSql(filter, indexed);
  const rest = optionsSql(options, indexed);
  return {
    text: `SELECT _id, doc, bytes FROM "${collection}" WHERE ${where.text}${rest.text}`,
    params: [...where.params, ...rest.params],
  };
}
