import { Alert, Page, SkipToContent } from '@patternfly/react-core';
import { useQueryClient } from '@tanstack/react-query';
import { Outlet, useLocation, useNavigate, useRouteContext } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useEffect, useState } from 'react';
import { EventsProvider, useLiveEvents } from '../data/live.ts';
import { useSession } from '../data/session.tsx';
import { useStore } from '../data/store.ts';
import { preload } from '../ui/preload.ts';
import { ConfirmProvider } from '../ui/confirm.tsx';
import { pageAt, pages } from '../view-model/pages.ts';
import { ShellMasthead } from './masthead.tsx';
import { Navigation } from './navigation.tsx';

const loadPalette = () => import('./command-palette.tsx');
const CommandPalette = lazy(loadPalette);
const PRELOAD_MS = 2_000;

const LEADER_MS = 1_200;

/** What all pages stand in. It follows the events, so that every page is fresh without doing anything. */
export function Shell() {
  const events = useLiveEvents(useQueryClient());
  const { leave } = useRouteContext({ from: '__root__' });
  const [palette, setPalette] = useState(false);
  const openPalette = useCallback(() => setPalette(true), []);
  const pathname = useLocation({ select: (at) => at.pathname });
  useKeys(openPalette);
  // Who presses Ctrl-K types on at once.
  useEffect(() => {
    const timer = setTimeout(() => preload(loadPalette), PRELOAD_MS);
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => {
    document.title = `${pageAt(pathname)?.title ?? 'Nothing here'} · Superfluidity`;
  }, [pathname]);
  return (
    <EventsProvider value={events}>
      <ConfirmProvider>
        <Page
          className="sf-page"
          mainContainerId="main"
          mainAriaLabel="Content"
          skipToContent={<SkipToContent href="#main">Skip to the content</SkipToContent>}
          masthead={<ShellMasthead onPalette={openPalette} onLeave={leave} />}
          sidebar={<Navigation />}
          isManagedSidebar
        >
          <Silence />
          <Suspense fallback={null}>
            <Outlet />
          </Suspense>
        </Page>
        {palette && (
          <Suspense fallback={null}>
            <CommandPalette onClose={() => setPalette(false)} />
          </Suspense>
        )}
      </ConfirmProvider>
    </EventsProvider>
  );
}

function Silence() {
  const reachability = useStore(useSession().reachability);
  if (reachability !== 'silent') return null;
  return (
    <Alert isInline variant="warning" title="The control plane does not answer" className="sf-silence">
      What is shown is from before. The console goes on by itself when the control plane is back: npm start
    </Alert>
  );
}

/** Ctrl-K opens the palette, `/` goes to the search of a list, and `g` with a letter to a page. */
function useKeys(openPalette: () => void): void {
  const navigate = useNavigate();
  useEffect(() => {
    let leaderAtMs = -Infinity;
    const press = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        openPalette();
        return;
      }
      const { target } = event;
      const writes = target instanceof Element && target.closest('input, textarea, select, [role="dialog"]') !== null;
      if (writes || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === '/') {
        const search = document.querySelector<HTMLInputElement>('.sf-list__search input');
        if (search === null) return;
        event.preventDefault();
        search.focus();
      } else if (event.key === 'g') leaderAtMs = event.timeStamp;
      else if (event.timeStamp - leaderAtMs < LEADER_MS) {
        leaderAtMs = -Infinity;
        const page = pages.find(({ key }) => key === event.key);
        if (page !== undefined) void navigate({ to: page.to });
      }
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [navigate, openPalette]);
}
