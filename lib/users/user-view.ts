import { isoTime } from '../clock.ts';
import type { ApiKey, User } from '../contracts/entities.ts';
import type { ApiKeyDoc, UserDoc } from '../storage/collections.ts';

export function userView(doc: UserDoc): User {
  return {
    userId: doc._id,
    username: doc.username,
    email: doc.email,
    role: doc.role,
    createdAt: isoTime(doc.createdAt),
    updatedAt: isoTime(doc.updatedAt),
  };
}

/** Never the hash. */
export function apiKeyView(doc: ApiKeyDoc): ApiKey {
  return {
    keyId: doc._id,
    userId: doc.userId,
    name: doc.name,
    createdAt: isoTime(doc.createdAt),
    revokedAt: doc.revokedAt === null ? null : isoTime(doc.revokedAt),
  };
}
