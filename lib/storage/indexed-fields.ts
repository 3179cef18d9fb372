import { badRequest, getAt } from './field-path.ts';
import type { CollectionSpec } from './port.ts';

export interface IndexedFields {
  has(path: string): boolean;
  /** @throws BAD_REQUEST when the document holds a list, an object or bytes where an index looks */
  check(doc: object): void;
}

/** The fields that a collection's indexes cover. They hold scalars only, which keeps every test on them an index range. */
export function indexedFields(spec: CollectionSpec): IndexedFields {
  const paths = new Map(
    spec.indexes.flatMap(({ fields }) => fields.map(([field]) => [field, field.split('.')] as const)),
  );
  return {
    has: (path) => paths.has(path),
    check(doc) {
      for (const [field, path] of paths) {
        const value = getAt(doc, path);
        if (typeof value === 'object' && value !== null)
          throw badRequest(`${field} is indexed: it takes scalars only.`);
      }
    },
  };
}
