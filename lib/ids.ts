import { createHash, randomFillSync } from 'node:crypto';
import { encodeTime, monotonicFactory } from 'ulid';

/** Every id of Castellan is `<prefix>_<ULID>`; this file is the only place that makes or parses one. */
export const ID_PREFIXES = {
  user: 'usr',
  connection: 'con',
  message: 'msg',
  job: 'job',
  webhook: 'whk',
  event: 'evt',
  delivery: 'dlv',
  auth: 'aut',
  worker: 'wrk',
  key: 'key',
  schedule: 'sch',
} as const;

export type IdKind = keyof typeof ID_PREFIXES;
export type Id<K extends IdKind> = string & { readonly __kind?: K };

/** 26 characters of Crockford's base 32, as the ULID specification has them. */
const ULID_PATTERN = '[0-9A-HJKMNP-TV-Z]{26}';
/* the library asks for one byte at a time, 16 for an id; a call into the crypto library costs more than its bytes */
const randomPool = new Uint8Array(1024);
let randomUsed = randomPool.length;

function randomFraction(): number {
  if (randomUsed === randomPool.length) {
    randomFillSync(randomPool);
    randomUsed = 0;
  }
  return (randomPool[randomUsed++] ?? 0) / 256;
}

const monotonic = monotonicFactory(randomFraction);

/** @returns a new id; ids made later in one process sort later. */
export function newId<K extends IdKind>(kind: K): Id<K> {
  return `${ID_PREFIXES[kind]}_${monotonic()}` as Id<K>;
}

/** The whole-string pattern of one kind of id, for parameter schemas. */
export function idPattern(kind: IdKind): RegExp {
  return new RegExp(`^${ID_PREFIXES[kind]}_${ULID_PATTERN}$`);
}

/** The same ULID under another prefix: two rows that are made together and must find each other again. */
export function siblingId<K extends IdKind>(kind: K, id: string): Id<K> {
  return `${ID_PREFIXES[kind]}_${id.slice(id.indexOf('_') + 1)}` as Id<K>;
}

const BASE32 = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_CHARACTERS = 10;
const RANDOM_CHARACTERS = 16;

/**
 * The id of something that may be recorded more than once (a replay): the same time and name always give the same id.
 * @param timeMs when it happened, milliseconds since the epoch
 * @param name what it is, unique among things of that time
 */
export function derivedId<K extends IdKind>(kind: K, timeMs: number, name: string): Id<K> {
  const digest = createHash('sha256').update(name).digest();
  const random = Array.from({ length: RANDOM_CHARACTERS }, (_, i) => BASE32.charAt((digest[i] ?? 0) % BASE32.length));
  return `${ID_PREFIXES[kind]}_${encodeTime(timeMs, TIME_CHARACTERS)}${random.join('')}` as Id<K>;
}

/** A caller's own user id: no prefix of ours, so that the two kinds can never be taken for each other. */
export const OWN_USER_ID_PATTERN = new RegExp(`^(?!(?:${Object.values(ID_PREFIXES).join('|')})_)[A-Za-z0-9_-]{1,64}$`);

/**
 * The id of something that a request creates. With an Idempotency-Key the gateway has set a ULID aside
 * (`ctx.meta.idempotency.reservedUlid`), so that a repeat after a crash makes the same id and meets a DUPLICATE_KEY.
 */
export function reservedId<K extends IdKind>(kind: K, reservedUlid: string | undefined): Id<K> {
  return reservedUlid === undefined ? newId(kind) : (`${ID_PREFIXES[kind]}_${reservedUlid}` as Id<K>);
}

/** @returns a bare ULID, to be set aside for `reservedId` */
export function newUlid(): string {
  return monotonic();
}
