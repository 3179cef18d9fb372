/*
 * A real client in a process of its own, because trust in the media host's certificate is a variable that Node reads at
 * its start. Sends a picture, waits for one, says what it read as JSON on its last line.
 */
import { readFile } from 'node:fs/promises';
import { downloadMediaMessage } from '@whiskeysockets/baileys';
import { BaileysClient } from '../helpers/baileys-client.ts';
import { eventually } from '../helpers/eventually.ts';

const [settings = ''] = process.argv.slice(2);
const { url, rootPublicKey, auth, to, document, inbound } = JSON.parse(await readFile(settings, 'utf8'));
const client = new BaileysClient({ url, rootPublicKey }, { auth });
await client.open();
await client.sock.sendMessage(to, { document: Buffer.from(document), mimetype: 'text/plain', fileName: 'a.txt' });
const received = await eventually(() => {
  const message = client.received.find(({ message }) => message?.imageMessage);
  if (!message) throw new Error('no picture yet');
  return message;
});
const bytes = await downloadMediaMessage(received, 'buffer', {});
process.stdout.write(
  `${JSON.stringify({ caption: received.message?.imageMessage?.caption, same: bytes.toString() === inbound })}\n`,
);
await client.close();
process.exit(0);
