import type { User } from '../../../lib/contracts/entities.ts';
import { post } from '../../api/client.ts';
import { type Draft, NEW_OWNER } from './connection-draft.ts';

/**
 * @param onMade remembers the user, so that a second try after an error does not make another one
 * @returns the id of the user who shall own the connection, made first if it is a new one
 */
export async function ownerOf(draft: Draft, onMade: (userId: string) => void): Promise<string> {
  if (draft.owner !== NEW_OWNER) return draft.owner;
  const { userId } = await post<User>('/user/create', { username: draft.username.trim(), email: draft.email.trim() });
  onMade(userId);
  return userId;
}
