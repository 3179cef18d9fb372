import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient } from '../api-client.ts';

const TIMEOUT_MS = 60_000;
const POLL_MS = 50;
/** one question to each service: a gateway is ready before the bus has told it about everybody */
const QUESTIONS = ['/user/list', '/connection/list', '/message/list', '/webhook/list', '/cluster/nodes'];

/** Resolves when every service answers through the gateway. @throws after 60 s */
export async function untilUsable(api: ApiClient): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS;
  for (const path of QUESTIONS) {
    for (;;) {
      const answer = await api.call('GET', path).catch(() => null);
      if (answer?.status === 200) break;
      if (performance.now() > deadline) throw new Error(`${path} answers ${answer?.status} after ${TIMEOUT_MS} ms`);
      await delay(POLL_MS);
    }
  }
}
