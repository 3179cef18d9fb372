import { identitiesOf } from '../../../lib/messaging/identities.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type TemporaryStore, temporaryStore } from '../../helpers/temporary-store.ts';

const SCOPE = { connectionId: 'con_1', userId: 'usr_1' };
const LID = '100000000000001@lid';
const PN = '15550001111@s.whatsapp.net';

let temporary: TemporaryStore;
beforeEach(async () => {
  temporary = await temporaryStore();
});
afterEach(() => temporary.remove());

/** What another process has: the same rows, a memory of its own. */
const process = () => identitiesOf({ ...temporary.store });

test('a process soon sees what another one has learnt about a person that it knew half of', async () => {
  const [messages, node] = [process(), process()];
  /* a message goes to a number, and one comes from a LID that nobody connects with it */
  expect((await messages.meet(SCOPE, { lid: null, pn: PN })).id).toBe(PN);
  expect((await node.meet(SCOPE, { lid: LID, pn: null })).id).toBe(LID);
  /* then the node hears that they are one person, whose chat is the LID's from now on */
  expect((await node.meet(SCOPE, { lid: LID, pn: PN })).id).toBe(LID);
  await eventually(async () => expect((await messages.meet(SCOPE, { lid: null, pn: PN })).id).toBe(LID));
  expect((await messages.find(SCOPE.connectionId, PN))?.lid).toBe(LID);
});
