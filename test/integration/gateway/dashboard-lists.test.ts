import { proto } from '@whiskeysockets/baileys';
import { startTestCastellan, type TestCastellan } from '../../helpers/castellan.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type HttpReceiver, httpReceiver } from '../../helpers/http-receiver.ts';
import { signIn } from '../../helpers/signed-in.ts';
import { newTenant, type Tenant } from '../../helpers/tenant.ts';

const ME = { id: '1@lid', lid: '1@lid', pn: '15550009999@s.whatsapp.net', name: null };

let castellan: TestCastellan;
let receiver: HttpReceiver;
let owner: Tenant;
let stranger: Tenant;

beforeAll(async () => {
  castellan = await startTestCastellan({ allowPrivateTargets: true });
  receiver = await httpReceiver();
  owner = await newTenant(castellan, 'owner', receiver.url);
  stranger = await newTenant(castellan, 'stranger', receiver.url);
});
afterAll(async () => {
  await castellan.end();
  await receiver.close();
});

let count = 0;
/** As the owner of the connection would apply it. */
async function receive({ ids }: Tenant, from: string, text: string): Promise<void> {
  count += 1;
  const { connectionId = '', userId = '' } = ids;
  const plaintext = proto.Message.encode({ conversation: text }).finish();
  const attrs = { id: `IN${count}`, from, notify: `Name of ${from}` };
  const record = { kind: 'inbound' as const, cipherHash: `${count}`, plaintext, attrs, at: Date.now() };
  await castellan.runtime.applier.apply([record], { connectionId, userId, epoch: 1_000, me: ME });
}

describe('the list of chats', () => {
  const LIST = '/v1/wa/chat/list';

  test('runs newest first, with the last message and what is unread', async () => {
    await receive(owner, '501@lid', 'first');
    await receive(owner, '502@lid', '<script>alert(1)</script>');
    await receive(owner, '501@lid', 'third');
    const { body } = await owner.api.get(`${LIST}?connectionId=${owner.ids.connectionId}`);
    expect(body.items).toMatchObject([
      { chatId: '501@lid', name: 'Name of 501@lid', unread: 2, lastMessage: { content: { text: 'third' } } },
      { chatId: '502@lid', unread: 1, lastMessage: { content: { text: '<script>alert(1)</script>' } } },
      { pn: '15550001111@s.whatsapp.net', unread: 0, lastMessage: { messageId: owner.ids.messageId } },
    ]);
    const sent = { connectionId: owner.ids.connectionId, content: 'answer', to: '502@lid' };
    const { messageId } = await eventually(async () => {
      /* as after a pairing: the connection has dialled in vain since, and may have said that nobody is paired */
      const connections = castellan.runtime.store.collection('connections');
      await connections.updateOne({ _id: String(owner.ids.connectionId) }, { $set: { me: ME } });
      const { status, body } = await owner.api.post('/v1/wa/message/send', sent);
      expect(status).toBe(202);
      return body;
    });
    const [newest] = (await owner.api.get(LIST)).body.items;
    expect(newest).toMatchObject({ chatId: '502@lid', unread: 0, lastMessage: { messageId, direction: 'outbound' } });
  });

  test('shows everybody its own', async () => {
    await receive(stranger, '601@lid', 'for the stranger');
    const chatsOf = async (api: Tenant['api'], query = '') =>
      (await api.get(LIST + query)).body.items.map(({ chatId }: { chatId: string }) => chatId);
    expect(await chatsOf(stranger.api)).toContain('601@lid');
    expect(await chatsOf(stranger.api)).not.toContain('501@lid');
    expect(await chatsOf(owner.api)).not.toContain('601@lid');
    expect(await chatsOf(castellan.admin)).toEqual(expect.arrayContaining(['501@lid', '601@lid']));
    const foreign = await stranger.api.get(`${LIST}?connectionId=${owner.ids.connectionId}`);
    expect([foreign.status, foreign.body.error.type]).toEqual([404, 'NOT_FOUND']);
  });

  test.each([
    ['an unknown filter', '?chatId=501@lid'],
    ['a connection of no form', '?connectionId=1'],
    ['a limit too large', '?limit=201'],
    ['a cursor of nobody', '?after=bm9wZQ'],
    ['a filter given twice', '?limit=1&limit=2'],
  ])('%s is 400', async (_, query) => {
    expect((await owner.api.get(LIST + query)).status).toBe(400);
  });

  test('a chat that was seen has nothing unread', async () => {
    const chat = { connectionId: owner.ids.connectionId, chatId: '501@lid' };
    expect((await owner.api.post('/v1/wa/chat/seen', chat)).body).toMatchObject({ chatId: '501@lid', unread: 0 });
    const again = (await owner.api.get(LIST)).body.items;
    expect(again.find(({ chatId }: { chatId: string }) => chatId === '501@lid').unread).toBe(0);
    for (const [body, status] of [
      [{ ...chat, chatId: '999@lid' }, 404],
      [{ ...chat, chatId: 'nobody' }, 400],
      [{ ...chat, upTo: 1 }, 400],
      [{ connectionId: chat.connectionId }, 400],
    ] as const) {
      expect((await owner.api.post('/v1/wa/chat/seen', body)).status).toBe(status);
    }
  });

  test('a deleted connection takes its chats with it, and what was known of their people', async () => {
    const gone = await newTenant(castellan, 'gone', receiver.url);
    await receive(gone, '701@lid', 'forget me');
    const { connectionId } = gone.ids;
    const left = async () => {
      const rows = (name: string) =>
        castellan.runtime.store.collection(name).count({ connectionId: String(connectionId) });
      return Promise.all(['chats', 'identities', 'messages'].map(rows));
    };
    expect(Math.min(...(await left()))).toBeGreaterThan(0);
    await gone.api.delete(`/v1/wa/connection/${connectionId}`);
    await eventually(async () => expect(await left()).toEqual([0, 0, 0]));
    expect((await owner.api.get(LIST)).body.items.length).toBeGreaterThan(0);
  });
});

describe('the list of keys', () => {
  test('shows neither a key nor a hash of one, revoked ones included', async () => {
    const holder = await castellan.newUser('holder');
    const path = `/v1/wa/user/${holder.userId}/key`;
    const second = (await castellan.admin.post(`${path}/create`, { name: 'laptop' })).body;
    await castellan.admin.delete(`${path}/${second.keyId}`);
    const rows = await castellan.runtime.store.collection('apiKeys').find({ userId: holder.userId });
    const { page } = await signIn(castellan.url, castellan.adminKey);
    const { body, text, status } = await page.get(`${path}/list`);
    expect(status).toBe(200);
    expect(body.items).toEqual([
      {
        keyId: second.keyId,
        userId: holder.userId,
        name: 'laptop',
        createdAt: second.createdAt,
        revokedAt: expect.any(String),
      },
      expect.objectContaining({ keyId: holder.keyId, name: null, revokedAt: null }),
    ]);
    expect(rows).toHaveLength(2);
    const secrets = [holder.key, second.key, ...rows.map((row) => (row as unknown as { hash: string }).hash)];
    for (const secret of secrets) expect(text).not.toContain(secret);
    expect((await holder.api.get(`${path}/list`)).status).toBe(403);
  });
});
