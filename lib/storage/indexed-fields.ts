import { badRequest, getAt } from './field-path.ts';
import type { CollectionSpec, Scalar } from './port.ts';

export interface IndexedFields {
  /** dotted, in a fixed order */
  readonly names: readonly string[];
  has(path: string): boolean;
  /** What a checked document has in these fields, in the order of `names`; missing is null. */
  valuesOf(doc: object): Scalar[];
  /** @throws BAD_REQUEST when the document holds a list, an object or bytes where an index looks */
  check(doc: object): void;
}

/** The fields that a collection's indexes cover. They hold scalars only, which keeps every test on them an index range. */
export function indexedFields(spec: CollectionSpec): IndexedFields {
  const paths = new Map(
    spec.indexes.flatMap(({ fields, whereExists }) =>
      [...fields.map(([field]) => field), ...(whereExists ? [whereExists] : [])].map((f) => [f, f.split('.')] as const),
    ),
  );
  return {
    names: [...paths.keys()],
    has: (path) => paths.has(path),
    valuesOf: (doc) => Array.from(paths.values(), (path) => (getAt(doc, path) ?? null) as Scalar),
    check(doc) {
      for (const [field, path] of paths) {
        const value = getAt(doc, path);
        if (typeof value === 'object' && value !== null)
          throw badRequest(`${field} is indexed: it takes scalars only.`);
      }
    },
  };
}
