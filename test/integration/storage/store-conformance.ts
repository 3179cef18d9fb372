import { describe } from '@jest/globals';
import type { OpenStore } from './conformance-kit.ts';
import { documentConformance } from './document-conformance.ts';
import { filterConformance } from './filter-conformance.ts';
import { groupConformance } from './group-conformance.ts';
import { orderedConformance } from './ordered-conformance.ts';
import { updateConformance } from './update-conformance.ts';

export type { OpenedStore, OpenStore } from './conformance-kit.ts';

/** Every statement of `lib/storage/port.ts`, held against one adapter. */
export function storeConformance(name: string, open: OpenStore): void {
  describe(`${name} is a document store`, () => {
    documentConformance(open);
    filterConformance(open);
    updateConformance(open);
    groupConformance(open);
    orderedConformance(open);
  });
}
