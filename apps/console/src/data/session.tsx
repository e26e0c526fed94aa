import { createClient, type Client, SESSION_HEADER } from '@superfluidity/api';
import { createContext, use } from 'react';
import { takeEarly } from './early-answers.ts';
import { createStore, type Store } from './store.ts';
import type { Credential } from './credential.ts';

/** Who talks to the control plane, and whether it answers. */
export interface Session {
  readonly client: Client;
  readonly reachability: Store<Reachability>;
  readonly credential: Store<Credential>;
  /**
   * In the middle of work: what was refused meanwhile is asked again with this one, and goes on. What would change
   * something goes on for the same user only.
   */
  renew(credential: Credential, isSameUser: boolean): void;
}

/**
 * `refused`: it answers, but not to this token, and never did. `ended`: it did, so that there is something on the page
 * that must not be lost.
 */
export type Reachability = 'connecting' | 'live' | 'silent' | 'refused' | 'ended';

export function openSession(first: Credential): Session {
  const reachability = createStore<Reachability>('connecting');
  const credential = createStore<Credential>(first);
  let lived = false;
  let isSame = true;

  /** A request that is refused after others were answered waits until somebody has signed in again. */
  const watched: typeof fetch = async (url, init) => {
    for (;;) {
      const shown = credential.get();
      const response = await seen(() => takeEarly(url, init, shown) ?? fetch(url, withCredential(init, shown)));
      if (response.status !== 401) {
        lived = true;
        reachability.set('live');
        return response;
      }
      if (credential.get() === shown) reachability.set(lived ? 'ended' : 'refused');
      if (!lived || !(await renewed(credential, shown, init?.signal))) return response;
      if (!isSame && init?.method !== 'GET') return response;
    }
  };

  async function seen(ask: () => Promise<Response>): Promise<Response> {
    try {
      return await ask();
    } catch (error) {
      // A call that the console itself gave up says nothing about the server.
      if (!(error instanceof DOMException && error.name === 'AbortError')) reachability.set('silent');
      throw error;
    }
  }

  return {
    client: createClient({ server: location.origin, fetch: watched }),
    reachability,
    credential,
    renew(next, isSameUser) {
      isSame = isSameUser;
      reachability.set('connecting');
      credential.set(next);
    },
  };
}

/** True when there is another credential; false when nobody waits for the answer any more. */
function renewed(
  store: Store<Credential>,
  shown: Credential,
  signal: AbortSignal | null | undefined,
): Promise<boolean> {
  if (store.get() !== shown) return Promise.resolve(true);
  return new Promise((resolve) => {
    const stop = store.subscribe(() => done(true));
    const done = (again: boolean) => {
      stop();
      signal?.removeEventListener('abort', gone);
      resolve(again);
    };
    const gone = () => done(false);
    signal?.addEventListener('abort', gone);
    if (signal?.aborted === true) gone();
  });
}

function withCredential(init: RequestInit | undefined, credential: Credential): RequestInit {
  const headers = new Headers(init?.headers);
  headers.delete(SESSION_HEADER);
  if (credential.kind === 'token') headers.set('authorization', `Bearer ${credential.token}`);
  else headers.set(SESSION_HEADER, '1');
  return { ...init, headers };
}

const SessionContext = createContext<Session | undefined>(undefined);
export const SessionProvider = SessionContext.Provider;

export function useSession(): Session {
  const session = use(SessionContext);
  if (session === undefined) throw new Error('no session above this component');
  return session;
}

export const useClient = (): Client => useSession().client;
