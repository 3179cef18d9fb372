import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type AuthenticationCreds,
  BufferJSON,
  generateMessageIDV2,
  makeWASocket,
  type SignalDataTypeMap,
  type SignalKeyStore,
  type UserFacingSocketConfig,
  WA_CERT_DETAILS,
  type WASocket,
} from '@whiskeysockets/baileys';
import { pino } from 'pino';
import type { BareBaileysInput } from './subjects/bare-baileys.ts';

/*
 * The yardstick: Baileys as a program of few lines would use it, with the cheapest store there is. It takes orders over
 * HTTP, one request for a whole run, so that what is measured is Baileys.
 *
 *   POST /send/N       N texts in each chat, one after the other; answers when the last is acknowledged
 *   POST /received/N   answers when N messages more have been received than were waited for before
 */

interface Client {
  sock: WASocket;
  chats: readonly string[];
  acks: Map<string, () => void>;
}

let received = 0;
let waitedFor = 0;
let onReceived = (): void => {};

// libsignal prints whole sessions, private keys included
console.info = () => undefined;

function memoryKeys(keys: Record<string, Record<string, unknown>>): SignalKeyStore {
  const values = new Map<string, unknown>();
  for (const [type, byId] of Object.entries(keys)) {
    for (const [id, value] of Object.entries(byId)) values.set(`${type} ${id}`, value);
  }
  return {
    async get<T extends keyof SignalDataTypeMap>(type: T, ids: string[]) {
      const found: Record<string, SignalDataTypeMap[T]> = {};
      for (const id of ids) {
        const value = values.get(`${type} ${id}`);
        if (value !== undefined) found[id] = value as SignalDataTypeMap[T];
      }
      return found;
    },
    async set(data) {
      for (const [type, byId] of Object.entries(data)) {
        for (const [id, value] of Object.entries(byId ?? {})) {
          if (value === null || value === undefined) values.delete(`${type} ${id}`);
          else values.set(`${type} ${id}`, value);
        }
      }
    },
  };
}

function connect(url: string, { creds, keys, chats }: BareBaileysInput['accounts'][number]): Promise<Client> {
  const authCreds = creds as AuthenticationCreds;
  const sock = makeWASocket({
    waWebSocketUrl: url,
    auth: { creds: authCreds, keys: memoryKeys(keys) },
    logger: pino({ level: 'silent' }) as unknown as NonNullable<UserFacingSocketConfig['logger']>,
  });
  const client: Client = { sock, chats, acks: new Map() };
  sock.ev.on('creds.update', (update) => void Object.assign(authCreds, update));
  sock.ev.on('messages.upsert', ({ messages }) => {
    received += messages.filter(({ key }) => !key.fromMe).length;
    onReceived();
  });
  sock.ws.on('CB:ack,class:message', ({ attrs }: { attrs: Record<string, string> }) => {
    client.acks.get(attrs.id ?? '')?.();
    client.acks.delete(attrs.id ?? '');
  });
  return new Promise((resolve, reject) => {
    sock.ev.on('connection.update', ({ connection, lastDisconnect }) => {
      if (connection === 'open') resolve(client);
      if (connection === 'close') reject(lastDisconnect?.error ?? new Error('closed'));
    });
  });
}

/** One message under way in each chat, as the outbox does it. */
async function sendInChat({ sock, acks }: Client, chat: string, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const messageId = generateMessageIDV2(sock.user?.id);
    const acked = new Promise<void>((resolve) => acks.set(messageId, resolve));
    await sock.sendMessage(chat, { text: `message ${n}` }, { messageId });
    await acked;
  }
}

function untilReceived(count: number): Promise<void> {
  waitedFor += count;
  return new Promise((resolve) => {
    onReceived = () => {
      if (received >= waitedFor) resolve();
    };
    onReceived();
  });
}

const input = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'), BufferJSON.reviver) as BareBaileysInput;
WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(input.rootPublicKey, 'hex');
const clients = await Promise.all(input.accounts.map((account) => connect(input.url, account)));
input.accounts = [];

const server = createServer(async (request, response) => {
  const [, order, count] = (request.url ?? '').split('/');
  if (order === 'send') {
    const chats = clients.flatMap((client) => client.chats.map((chat) => sendInChat(client, chat, Number(count))));
    await Promise.all(chats);
  } else await untilReceived(Number(count));
  response.end();
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`open http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
