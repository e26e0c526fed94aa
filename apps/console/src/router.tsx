import { createRootRouteWithContext, createRoute, createRouter } from '@tanstack/react-router';
import { OverviewPage } from './overview/overview-page.tsx';

/** What is chosen is in the URL, so that a page can be sent to a colleague. */
export interface OverviewSearch {
  readonly service?: string;
  readonly operation?: string;
}

const root = createRootRouteWithContext<{ readonly leave: () => void }>()({});

export const overviewRoute = createRoute({
  getParentRoute: () => root,
  path: '/',
  validateSearch: (search: Record<string, unknown>): OverviewSearch => ({
    ...(typeof search['service'] === 'string' ? { service: search['service'] } : {}),
    ...(typeof search['operation'] === 'string' ? { operation: search['operation'] } : {}),
  }),
  component: OverviewPage,
});

export const router = createRouter({
  routeTree: root.addChildren([overviewRoute]),
  context: { leave: () => {} },
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
