import { proto } from '@whiskeysockets/baileys';

/*
 * App state: an account's settings as encrypted mutations in five collections. The server cannot read them, but it
 * orders them: a patch must build on the latest version, gets the next one written into it, and otherwise the client
 * gets 409 and the patches that it lacks. A patch carries the MAC of the state after it, so the server can also fold
 * patches into a snapshot.
 */

export const collectionNames = ['critical_block', 'critical_unblock_low', 'regular_high', 'regular_low', 'regular'];

interface Collection {
  version: number;
  patches: { version: number; encoded: Uint8Array }[];
  /** value and key by index blob (hex) */
  records: Map<string, proto.ISyncdRecord>;
  mac?: Uint8Array;
  keyId?: proto.IKeyId;
}

export type PatchOutcome = { accepted: true; version: number } | { accepted: false; version: number };

export class AppStateStore {
  private readonly collections = new Map<string, Collection>();
  private readonly snapshotAfter: number;

  /** @param snapshotAfter with more patches than this, a client that starts from nothing gets a snapshot instead */
  constructor(snapshotAfter: number) {
    this.snapshotAfter = snapshotAfter;
  }

  version(pn: string, name: string): number {
    return this.of(pn, name).version;
  }

  /** @param basedOn the version that the client patched */
  append(pn: string, name: string, basedOn: number, encoded: Uint8Array): PatchOutcome {
    const collection = this.of(pn, name);
    if (basedOn !== collection.version) return { accepted: false, version: collection.version };
    const patch = proto.SyncdPatch.decode(encoded);
    const version = collection.version + 1;
    patch.version = { version };
    collection.version = version;
    collection.patches.push({ version, encoded: proto.SyncdPatch.encode(patch).finish() });
    fold(collection, patch);
    return { accepted: true, version };
  }

  /** The patches after a version, oldest first. */
  patchesAfter(pn: string, name: string, version: number): Uint8Array[] {
    return this.of(pn, name)
      .patches.filter((patch) => patch.version > version)
      .map(({ encoded }) => encoded);
  }

  /** A snapshot for a client that starts from nothing, once the patches are many. */
  snapshot(pn: string, name: string): Uint8Array | undefined {
    const { patches, records, version, mac, keyId } = this.of(pn, name);
    if (patches.length <= this.snapshotAfter || !mac || !keyId) return undefined;
    return proto.SyncdSnapshot.encode({ version: { version }, records: [...records.values()], mac, keyId }).finish();
  }

  private of(pn: string, name: string): Collection {
    const key = `${pn} ${name}`;
    const known = this.collections.get(key);
    if (known) return known;
    const collection: Collection = { version: 0, patches: [], records: new Map() };
    this.collections.set(key, collection);
    return collection;
  }
}

function fold(collection: Collection, patch: proto.SyncdPatch): void {
  for (const { operation, record } of patch.mutations) {
    const index = record?.index?.blob;
    if (!record || !index) continue;
    const key = Buffer.from(index).toString('hex');
    if (operation === proto.SyncdMutation.SyncdOperation.REMOVE) collection.records.delete(key);
    else collection.records.set(key, record);
  }
  if (patch.snapshotMac) collection.mac = patch.snapshotMac;
  if (patch.keyId) collection.keyId = patch.keyId;
}
