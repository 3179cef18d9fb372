import { defineActions } from './action.ts';
import type { Role } from './entities.ts';

/** Where the dashboard's session lives in the browser: out of reach of its scripts. */
export const SESSION_COOKIE = 'castellan_session';

export interface SignedIn {
  userId: string;
  role: Role;
}

export interface DashboardActions {
  signIn: { params: { key: string }; result: SignedIn };
  signOut: { params: object; result: { signedOut: boolean } };
  session: { params: object; result: SignedIn };
}

/**
 * How a person comes in: an API key is exchanged for a cookie, which every route then takes in the key's place. The
 * gateway answers these by itself.
 */
export const dashboardContract = defineActions({
  signIn: {
    name: 'gateway.signIn',
    summary: "Exchange an API key for the dashboard's session cookie (HttpOnly, 12 h)",
    rest: 'POST //dashboard/sign-in',
    auth: 'public',
    params: { key: { type: 'string', min: 1, max: 255 } },
    result: 'SignedIn',
    session: 'begin',
  },
  signOut: {
    name: 'gateway.signOut',
    summary: 'End the session of the cookie; without one nothing happens',
    rest: 'POST //dashboard/sign-out',
    auth: 'public',
    params: {},
    result: 'SignedOut',
    session: 'end',
  },
  session: {
    name: 'gateway.session',
    summary: 'Who is signed in',
    rest: 'GET //dashboard/session',
    auth: 'user',
    params: {},
    result: 'SignedIn',
  },
});
