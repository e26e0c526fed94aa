import { ApiError } from '@superfluidity/api';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useState } from 'react';
import { AccessPage } from './access-page.tsx';
import { forgetToken, keepToken, openSession, readToken, SessionProvider } from './data/session.tsx';
import { useStore } from './data/store.ts';
import { router } from './router.tsx';

const queryClient = new QueryClient({
  defaultOptions: { queries: { staleTime: 5_000, retry: mayHelp, refetchOnWindowFocus: false } },
});

/** A refusal is the same when it is asked for again. */
function mayHelp(failures: number, error: unknown): boolean {
  return failures < 1 && !(error instanceof ApiError && error.status < 500);
}

/** The console for whoever has a token, and the way to one for whoever has none. */
export function App() {
  const [token, setToken] = useState(readToken);
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
  const [session] = useState(() => openSession(props.token));
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
