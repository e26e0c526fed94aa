import { ApiError } from '@superfluidity/api';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useState } from 'react';
import { type Credential, forgetCredential, keepCredential, readCredential } from './data/credential.ts';
import { prefetchFor } from './data/prefetch.ts';
import { openSession, type Session, SessionProvider } from './data/session.tsx';
import { useStore } from './data/store.ts';
import { router } from './router.tsx';

const AccessPage = lazy(async () => ({ default: (await import('./access-page.tsx')).AccessPage }));
const SignInAgain = lazy(async () => ({ default: (await import('./sign-in/sign-in-again.tsx')).SignInAgain }));

const queryClient = new QueryClient({
  defaultOptions: { queries: { staleTime: 5_000, retry: mayHelp, refetchOnWindowFocus: false } },
});

/** The router is set to work before there is anybody whom its pages could tell that somebody leaves. */
let leaveNow = () => {};
const context = { leave: () => leaveNow() };

/** What is asked for before the page is drawn goes through the same session. */
let ahead: Session | undefined;

/** Brings what the first page is drawn from, so that it is drawn once and not bit by bit. */
export async function askAhead(): Promise<void> {
  const credential = readCredential();
  if (credential === undefined) return;
  ahead = openSession(credential);
  router.update({ ...router.options, context });
  await Promise.allSettled([router.load(), prefetchFor(location, queryClient, ahead.client)]);
}

/** A refusal is the same when it is asked for again. */
function mayHelp(failures: number, error: unknown): boolean {
  return failures < 1 && !(error instanceof ApiError && error.status < 500);
}

/** The console for whoever has signed in or has a token, and the way to that for everybody else. */
export function App() {
  const [session, setSession] = useState(() => {
    const credential = readCredential();
    return ahead ?? (credential === undefined ? undefined : openSession(credential));
  });
  const use = (credential: Credential) => {
    keepCredential(credential);
    queryClient.clear();
    setSession(openSession(credential));
  };
  const leave = () => {
    const credential = session?.credential.get();
    if (credential?.kind === 'session') void session?.client.call('signOut').catch(() => {});
    if (credential !== undefined) forgetCredential(credential);
    queryClient.clear();
    setSession(undefined);
  };
  useEffect(() => {
    leaveNow = leave;
  });
  return (
    <Suspense fallback={null}>
      {session === undefined ? (
        <AccessPage onDone={use} />
      ) : (
        <Console session={session} onCredential={use} onLeave={leave} />
      )}
    </Suspense>
  );
}

function Console({
  session,
  onCredential,
  onLeave,
}: {
  readonly session: Session;
  readonly onCredential: (credential: Credential) => void;
  readonly onLeave: () => void;
}) {
  const reachability = useStore(session.reachability);
  if (reachability === 'refused') return <AccessPage refused={session.credential.get()} onDone={onCredential} />;
  return (
    <SessionProvider value={session}>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} context={context} />
        {reachability === 'ended' && (
          <Suspense fallback={null}>
            <SignInAgain onDone={keepCredential} onLeave={onLeave} />
          </Suspense>
        )}
      </QueryClientProvider>
    </SessionProvider>
  );
}
