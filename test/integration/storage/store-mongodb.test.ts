import { afterAll, beforeAll } from '@jest/globals';
import { type RunningServer, startMongo } from '../../../scripts/servers/index.ts';
import { temporaryMongoStore } from '../../helpers/temporary-mongo-store.ts';
import { storeConformance } from './store-conformance.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startMongo();
});
afterAll(() => server.stop());

storeConformance('MongoDB', async (collections) => {
  const opened = await temporaryMongoStore(server.url, collections);
  return {
    get store() {
      return opened.store;
    },
    another: () => opened.another(),
    reopen: () => opened.reopen(),
    dispose: () => opened.remove(),
  };
});
