import type { BinaryNode } from '@whiskeysockets/baileys';
import { collectionNames } from '../app-state-store.ts';
import { accountJid } from '../directory.ts';
import { badRequest } from '../iq-error.ts';
import { child, children, node, unixSeconds } from '../stanzas.ts';
import type { World } from '../world.ts';
import type { IqHandler, IqRequest } from './handler.ts';

export const answerAppState: IqHandler = (request, world) => {
  const collections = children(child(request.iq, 'sync'), 'collection');
  if (collections.length === 0) throw badRequest();
  return [
    node(
      'sync',
      {},
      collections.map((collection) => answerCollection(request, collection, world)),
    ),
  ];
};

function answerCollection(request: IqRequest, collection: BinaryNode, world: World): BinaryNode {
  const { name = '', version = '0', return_snapshot: wantsSnapshot } = collection.attrs;
  const known = Number(version);
  if (!collectionNames.includes(name) || !Number.isInteger(known) || known < 0) throw badRequest();
  const patches = patchesIn(collection);
  if (patches.length > 0) return patchCollection(request, name, known, patches, world);
  const { pn } = request.from;
  const snapshot = wantsSnapshot === 'true' ? world.appState.snapshot(pn, name) : undefined;
  const content = snapshot
    ? [node('snapshot', {}, world.sealSnapshot(snapshot))]
    : [patchesNode(world.appState.patchesAfter(pn, name, known))];
  return node(
    'collection',
    { name, version: String(world.appState.version(pn, name)), has_more_patches: 'false' },
    content,
  );
}

const patchesIn = (collection: BinaryNode): Uint8Array[] =>
  [...children(collection, 'patch'), ...children(child(collection, 'patches'), 'patch')].map(({ content }) => {
    if (!(content instanceof Uint8Array)) throw badRequest();
    return content;
  });

const patchesNode = (patches: Uint8Array[]): BinaryNode =>
  node(
    'patches',
    {},
    patches.map((patch) => node('patch', {}, Buffer.from(patch))),
  );

function patchCollection(request: IqRequest, name: string, basedOn: number, patches: Uint8Array[], world: World) {
  const { pn } = request.from;
  let version = basedOn;
  for (const patch of patches) {
    const outcome = world.appState.append(pn, name, version, patch);
    if (!outcome.accepted) return conflict(pn, name, basedOn, world);
    version = outcome.version;
  }
  request.afterwards(() => tellOthers(request, name, version, world));
  return node('collection', { name, version: String(version) });
}

/** Somebody else was faster: the client gets what it lacks and tries again. */
function conflict(pn: string, name: string, basedOn: number, world: World): BinaryNode {
  const attrs = { name, version: String(world.appState.version(pn, name)), type: 'error', has_more_patches: 'false' };
  return node('collection', attrs, [
    node('error', { code: '409', text: 'conflict' }),
    patchesNode(world.appState.patchesAfter(pn, name, basedOn)),
  ]);
}

function tellOthers({ from }: IqRequest, name: string, version: number, world: World): void {
  const account = world.directory.account(from.pn);
  if (!account) return;
  const attrs = { from: accountJid(from, 'pn'), id: world.nextId(), type: 'server_sync', t: unixSeconds() };
  const changed = node('collection', { name, version: String(version) });
  world.post.deliverToAccount(account, node('notification', attrs, [changed]), from);
}
