import { signal } from '@preact/signals';
import type { Role } from '../../lib/contracts/entities.ts';
import { toApiError } from './api-error.ts';
import { call, whenUnauthorized } from './client.ts';

export interface Session {
  userId: string;
  role: Role;
}

/** Who is signed in; null = nobody, undefined = not known yet. */
export const session = signal<Session | null | undefined>(undefined);
/** Castellan did not answer when it was asked who is signed in. */
export const sessionUnknown = signal(false);

whenUnauthorized(() => {
  session.value = null;
});

export function isAdmin(): boolean {
  return session.value?.role === 'admin';
}

/** Asks who the cookie stands for. Never rejects. */
export async function loadSession(): Promise<void> {
  try {
    session.value = await call<Session>('GET', '//dashboard/session');
    sessionUnknown.value = false;
  } catch (thrown) {
    sessionUnknown.value = toApiError(thrown).status !== 401;
  }
}

/** @throws ApiError UNAUTHORIZED for a wrong key */
export async function signIn(key: string): Promise<void> {
  session.value = await call<Session>('POST', '//dashboard/sign-in', { body: { key } });
}

/** The cookie is gone even when Castellan cannot be told: the page forgets first. */
export async function signOut(): Promise<void> {
  await call('POST', '//dashboard/sign-out', { body: {} });
  session.value = null;
}
