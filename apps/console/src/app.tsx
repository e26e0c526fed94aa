import { ApiError } from '@superfluidity/api';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useState } from 'react';
import { AccessPage } from './access-page.tsx';
import { prefetchFor } from './data/prefetch.ts';
import { openSession, type Session, SessionProvider } from './data/session.tsx';
import { useStore } from './data/store.ts';
import { forgetToken, keepToken, readToken } from './data/kept-token.ts';
import { router } from './router.tsx';

const queryClient = new QueryClient({
  defaultOptions: { queries: { staleTime: 5_000, retry: mayHelp, refetchOnWindowFocus: false } },
});

/** One for each token: what is asked for before the page is drawn goes through the same. */
const sessions = new Map<string, Session>();
function openedSession(token: string): Session {
  const open = sessions.get(token) ?? openSession(token);
  sessions.clear();
  sessions.set(token, open);
  return open;
}

/** Brings what the first page is drawn from, so that it is drawn once and not bit by bit. */
export async function askAhead(): Promise<void> {
  const token = readToken();
  if (token === undefined) return;
  await Promise.allSettled([router.load(), prefetchFor(location, queryClient, openedSession(token).client)]);
}

/** A refusal is the same when it is asked for again. */
function mayHelp(failures: number, error: unknown): boolean {
  return failures < 1 && !(error instanceof ApiError && error.status < 500);
}

/** The console for whoever has a token, and the way to one for whoever has none. */
export function App() {
  const [token, setToken] = useState(() => readToken());
  const use = (next: string) => {
    keepToken(next);
    queryClient.clear();
    setToken(next);
  };
  const leave = () => {
    forgetToken();
    queryClient.clear();
    setToken(undefined);
  };
  return token === undefined ? (
    <AccessPage onToken={use} />
  ) : (
    <Console key={token} token={token} onToken={use} onLeave={leave} />
  );
}

function Console(props: {
  readonly token: string;
  readonly onToken: (token: string) => void;
  readonly onLeave: () => void;
}) {
  const [session] = useState(() => openedSession(props.token));
  const reachability = useStore(session.reachability);
  if (reachability === 'refused') return <AccessPage refused onToken={props.onToken} />;
  return (
    <SessionProvider value={session}>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} context={{ leave: props.onLeave }} />
      </QueryClientProvider>
    </SessionProvider>
  );
}
