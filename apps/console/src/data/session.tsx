import { createClient, type Client } from '@superfluidity/api';
import { createContext, use } from 'react';
import { takeEarly } from './early-answers.ts';
import { createStore, type Store } from './store.ts';

/** Who talks to the control plane, and whether it answers. */
export interface Session {
  readonly client: Client;
  readonly reachability: Store<Reachability>;
}

/** `refused`: it answers, but not to this token. */
export type Reachability = 'connecting' | 'live' | 'silent' | 'refused';

export function openSession(token: string): Session {
  const reachability = createStore<Reachability>('connecting');
  const watched: typeof fetch = async (...request) => {
    try {
      const response = await (takeEarly(...request, token) ?? fetch(...request));
      reachability.set(response.status === 401 ? 'refused' : 'live');
      return response;
    } catch (error) {
      // A call that the console itself gave up says nothing about the server.
      if (!(error instanceof DOMException && error.name === 'AbortError')) reachability.set('silent');
      throw error;
    }
  };
  return { client: createClient({ server: location.origin, token, fetch: watched }), reachability };
}

const SessionContext = createContext<Session | undefined>(undefined);
export const SessionProvider = SessionContext.Provider;

export function useSession(): Session {
  const session = use(SessionContext);
  if (session === undefined) throw new Error('no session above this component');
  return session;
}

export const useClient = (): Client => useSession().client;
