import { randomUUID } from 'node:crypto';
import { type AuthenticationCreds, BufferJSON, type SignalDataSet } from '@whiskeysockets/baileys';
import type { Runtime } from '../../lib/runtime.ts';
import { createBaileysState } from '../../lib/session/baileys/auth-state.ts';
import { ownParty } from '../../lib/session/baileys/identity.ts';
import { encodeBinary } from '../../lib/session/journal/binary-codec.ts';
import { journalActivation } from '../../lib/session/journal/session-store.ts';
import type { PreparedAccount } from '../../simulator/devices/prepare.ts';

/** Stores the login of a prepared account as the session of a connection that nobody runs. */
export async function importAccount(
  { sessions }: Pick<Runtime, 'sessions'>,
  { connectionId, userId }: { connectionId: string; userId: string },
  account: PreparedAccount,
): Promise<void> {
  const revive = <T>(value: unknown) => JSON.parse(JSON.stringify(value), BufferJSON.reviver) as T;
  const owner = { nodeId: 'import', incarnation: randomUUID() };
  const activation = journalActivation(await sessions.takeOver(connectionId, userId, owner));
  const creds = revive<AuthenticationCreds>(account.creds);
  activation.stage({
    credentials: { bytes: encodeBinary(creds), registered: true, me: creds.me ? ownParty(creds.me) : null },
  });
  await createBaileysState(activation).auth.keys.set(revive<SignalDataSet>(account.keys));
  await activation.flush();
  await activation.close({ release: true });
}
