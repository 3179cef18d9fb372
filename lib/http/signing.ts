import type { Caller, SessionMeta } from '../contracts/action.ts';
import type { SignedIn } from '../contracts/dashboard.contract.ts';
import { CastellanError } from '../errors.ts';
import type { Authenticator } from './authenticator.ts';
import { type DashboardSessions, SESSION_LIFETIME_MS } from './dashboard-sessions.ts';
import type { RateLimit } from './rate-limit.ts';
import { sessionCookie } from './session-cookie.ts';

/** An answer, and the `Set-Cookie` that goes with it. */
export interface Signed<T> {
  result: T;
  cookie: string | null;
}

export interface Signing {
  /** Ends the session that the browser had. @throws UNAUTHORIZED when it is nobody's key, TOO_MANY_REQUESTS */
  signIn(key: string, session: SessionMeta): Promise<Signed<SignedIn>>;
  signOut(session: SessionMeta): Promise<Signed<{ signedOut: boolean }>>;
}

export interface SigningParts {
  authenticator: Pick<Authenticator, 'byKey'>;
  sessions: Pick<DashboardSessions, 'begin' | 'end'>;
  rateLimit: RateLimit;
}

export function createSigning({ authenticator, sessions, rateLimit }: SigningParts): Signing {
  return {
    async signIn(key, { token: former, secure }) {
      const { caller, keyHash } = await authenticator.byKey(key);
      const retryAfterSeconds = caller.role === 'admin' ? 0 : rateLimit.take(caller.userId);
      if (retryAfterSeconds > 0) throw new CastellanError('TOO_MANY_REQUESTS', undefined, { retryAfterSeconds });
      const token = await sessions.begin(caller, keyHash);
      if (former !== null) await sessions.end(former);
      return { result: signedInView(caller), cookie: sessionCookie(token, SESSION_LIFETIME_MS / 1000, secure) };
    },

    async signOut({ token, secure }) {
      if (token === null) return { result: { signedOut: false }, cookie: null };
      await sessions.end(token);
      return { result: { signedOut: true }, cookie: sessionCookie('', 0, secure) };
    },
  };
}

export function signedInView({ userId, role }: Caller): SignedIn {
  return { userId, role };
}
