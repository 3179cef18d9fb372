import { createMemoryStore, type MemoryStore } from '../../helpers/schedules/memory-store.ts';
import { type OpenStore, storeConformance } from './store-conformance.ts';

/* not a part of the product: the schedules of test/schedules run on it, so it must mean what the real ones mean */
const openMemory: OpenStore = async (collections) => {
  const store: MemoryStore = createMemoryStore(collections);
  return {
    store,
    another: async () => store,
    async reopen() {
      store.reopen();
      return store;
    },
    async dispose() {},
  };
};

storeConformance('The memory store of the schedules', openMemory);
