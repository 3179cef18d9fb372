import type { CollectionSpec } from '../../../lib/storage/port.ts';

export const THINGS = 'things';
export const PAIRS = 'pairs';
export const LOG = 'log';

export const TEST_COLLECTIONS: readonly CollectionSpec[] = [
  {
    name: THINGS,
    indexes: [
      {
        fields: [
          ['owner', 1],
          ['createdAt', 1],
        ],
      },
      { fields: [['code', 1]], unique: true, whereExists: 'code' },
      { fields: [['indexed', 1]] },
      { fields: [['nested.indexed', 1]] },
    ],
  },
  {
    name: PAIRS,
    indexes: [
      {
        fields: [
          ['left', 1],
          ['right', 1],
        ],
        unique: true,
      },
    ],
  },
  { name: LOG, indexes: [{ fields: [['position', 1]] }], ordered: { sequencePer: 'stream' } },
];
