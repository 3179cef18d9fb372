import type { Api } from './api.ts';
import type { TestCastellan } from './castellan.ts';
import { eventually } from './eventually.ts';

export interface Tenant {
  api: Api;
  /** one of everything that the tenant can own, by the names of the path params */
  ids: Record<string, string>;
}

/** A user with a connection, a message with its job, a webhook with a delivery, and a key. Needs ALLOW_PRIVATE_TARGETS. */
export async function newTenant(castellan: TestCastellan, username: string, webhookUrl: string): Promise<Tenant> {
  const { userId, keyId, api } = await castellan.newUser(username);
  const { connectionId } = must(await api.post('/v1/wa/connection/create', {}), 201);
  await seemPaired(castellan, api, connectionId);
  const message = { connectionId, content: 'hello', to: '15550001111' };
  const { messageId, jobId } = must(await api.post('/v1/wa/message/send', message), 202);
  const hook = { url: webhookUrl, eventTypes: ['message.received'] };
  const { webhookId } = must(await api.post('/v1/wa/webhook/create', hook), 201);
  const { deliveryId } = must(await api.post(`/v1/wa/webhook/${webhookId}/test`, {}), 200);
  return { api, ids: { userId, keyId, connectionId, messageId, jobId, webhookId, deliveryId, nodeId: 'node' } };
}

/** No phone is here: the row says what a pairing would have written, so that sends are taken and wait for the socket. */
async function seemPaired({ runtime }: TestCastellan, api: Api, connectionId: string): Promise<void> {
  const me = { id: '1@lid', lid: '1@lid', pn: '15550009999@s.whatsapp.net', name: null };
  await eventually(async () => {
    const { status } = (await api.get(`/v1/wa/connection/${connectionId}`)).body;
    if (status === 'created') throw new Error('The connection was not picked up.');
  });
  await runtime.store.collection('connections').updateOne({ _id: connectionId }, { $set: { me } });
}

// biome-ignore lint/suspicious/noExplicitAny: an answer's body
function must({ status, body, text }: { status: number; body: any; text: string }, wanted: number): any {
  if (status !== wanted) throw new Error(`expected ${wanted}, got ${status}: ${text}`);
  return body;
}
