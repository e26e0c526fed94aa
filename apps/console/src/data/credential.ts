import { takeToken } from '../view-model/token.ts';

/**
 * With what the console asks: a token, kept for this tab, or the session of the browser. The session is a cookie that no
 * script reads; that there is one is remembered by the name of who has signed in.
 */
export type Credential =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'session'; readonly user: string };

const TOKEN_KEY = 'superfluidity.token';
const USER_KEY = 'superfluidity.user';

/** The token of the address, else what the tab or the browser has. */
export function readCredential(hash = ''): Credential | undefined {
  const token = takeToken(hash).token ?? sessionStorage.getItem(TOKEN_KEY);
  if (token !== null) return { kind: 'token', token };
  const user = localStorage.getItem(USER_KEY);
  return user === null ? undefined : { kind: 'session', user };
}

export function keepCredential(credential: Credential): void {
  if (credential.kind === 'token') {
    sessionStorage.setItem(TOKEN_KEY, credential.token);
    return;
  }
  sessionStorage.removeItem(TOKEN_KEY);
  localStorage.setItem(USER_KEY, credential.user);
}

export function forgetCredential(credential: Credential): void {
  if (credential.kind === 'token') sessionStorage.removeItem(TOKEN_KEY);
  else localStorage.removeItem(USER_KEY);
}
