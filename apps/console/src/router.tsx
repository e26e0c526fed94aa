import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  type ErrorComponentProps,
  lazyRouteComponent,
  Link,
  useRouter,
} from '@tanstack/react-router';
import { Button, EmptyState, EmptyStateActions, EmptyStateBody, EmptyStateFooter } from '@patternfly/react-core';
import { PathMissingIcon } from '@patternfly/react-icons/dist/esm/icons/path-missing-icon';
import { OverviewPage } from './overview/overview-page.tsx';
import { Shell } from './shell/shell.tsx';
import { Failure } from './ui/failure.tsx';
import { keepKnown, parseSearch, stringifySearch } from './view-model/list-state.ts';

/** The map of the console. What a page shows is in its address; its code comes when it is asked for, but for the first one. */
const root = createRootRouteWithContext<{ readonly leave: () => void }>()({
  component: Shell,
  notFoundComponent: NothingHere,
});

/** What a list has in its address besides its own filters. */
const LIST = ['search', 'sort'] as const;

const knows =
  <const K extends string>(...names: readonly K[]) =>
  (search: Record<string, unknown>) =>
    keepKnown(search, names);

const overview = createRoute({
  getParentRoute: () => root,
  path: '/',
  validateSearch: knows('service', 'operation'),
  component: OverviewPage,
});

const services = createRoute({
  getParentRoute: () => root,
  path: '/services',
  validateSearch: knows(...LIST, 'state', 'healthy', 'busy', 'site'),
  component: lazyRouteComponent(() => import('./services/services-page.tsx'), 'ServicesPage'),
});
const service = createRoute({
  getParentRoute: () => root,
  path: '/services/$name',
  validateSearch: knows(
    ...LIST,
    'tab',
    'unit',
    'show',
    'do',
    'state',
    'site',
    'environment',
    'kind',
    'layer',
    'selected',
    'at',
    'network',
  ),
  component: lazyRouteComponent(() => import('./services/service-page.tsx'), 'ServicePage'),
});

const operations = createRoute({
  getParentRoute: () => root,
  path: '/operations',
  validateSearch: knows(...LIST, 'state', 'kind', 'automatic', 'service'),
  component: lazyRouteComponent(() => import('./operations/operations-page.tsx'), 'OperationsPage'),
});
const operation = createRoute({
  getParentRoute: () => root,
  path: '/operations/$id',
  validateSearch: knows('tab'),
  component: lazyRouteComponent(() => import('./operations/operation-page.tsx'), 'OperationPage'),
});

const catalogue = createRoute({
  getParentRoute: () => root,
  path: '/catalogue',
  validateSearch: knows(...LIST, 'format', 'operationalState', 'usageState', 'do'),
  component: lazyRouteComponent(() => import('./catalogue/catalogue-page.tsx'), 'CataloguePage'),
});
const descriptor = createRoute({
  getParentRoute: () => root,
  path: '/catalogue/$id',
  component: lazyRouteComponent(() => import('./catalogue/descriptor-page.tsx'), 'DescriptorPage'),
});

const deploy = createRoute({
  getParentRoute: () => root,
  path: '/deploy',
  validateSearch: knows('descriptor', 'name'),
  component: lazyRouteComponent(() => import('./deploy/deploy-page.tsx'), 'DeployPage'),
});

const designer = createRoute({
  getParentRoute: () => root,
  path: '/designer',
  validateSearch: knows('descriptor', 'template', 'in', 'selected', 'file', 'do', 'against', 'format'),
  component: lazyRouteComponent(() => import('./designer/designer-page.tsx'), 'DesignerPage'),
});

const verification = createRoute({
  getParentRoute: () => root,
  path: '/verification',
  validateSearch: knows('service', 'plane', 'policy', 'from', 'to', 'packet'),
  component: lazyRouteComponent(() => import('./verification/verification-page.tsx'), 'VerificationPage'),
});

const infrastructure = createRoute({
  getParentRoute: () => root,
  path: '/infrastructure',
  validateSearch: knows(
    ...LIST,
    'tab',
    'by',
    'kind',
    'tier',
    'healthy',
    'site',
    'environment',
    'schedulable',
    'state',
    'of',
    'layer',
    'selected',
    'at',
    'service',
    'rack',
  ),
  component: lazyRouteComponent(() => import('./infrastructure/infrastructure-page.tsx'), 'InfrastructurePage'),
});
const site = createRoute({
  getParentRoute: () => root,
  path: '/infrastructure/$site',
  validateSearch: knows(...LIST, 'environment', 'schedulable', 'do'),
  component: lazyRouteComponent(() => import('./infrastructure/site-page.tsx'), 'SitePage'),
});

const insight = createRoute({
  getParentRoute: () => root,
  path: '/insight',
  validateSearch: knows(...LIST, 'tab', 'service', 'unit', 'outcome', 'of'),
  component: lazyRouteComponent(() => import('./insight/insight-page.tsx'), 'InsightPage'),
});

const characterisation = createRoute({
  getParentRoute: () => root,
  path: '/insight/characterisations/$name',
  component: lazyRouteComponent(() => import('./insight/characterisation-page.tsx'), 'CharacterisationPage'),
});

const events = createRoute({
  getParentRoute: () => root,
  path: '/events',
  validateSearch: knows(...LIST, 'kind', 'severity', 'service', 'by', 'since', 'until'),
  component: lazyRouteComponent(() => import('./events/events-page.tsx'), 'EventsPage'),
});

const settings = createRoute({
  getParentRoute: () => root,
  path: '/settings',
  validateSearch: knows(...LIST, 'tab', 'do', 'of', 'role', 'user', 'disabled', 'kind', 'tier', 'healthy'),
  component: lazyRouteComponent(() => import('./settings/settings-page.tsx'), 'SettingsPage'),
});

export const router = createRouter({
  routeTree: root.addChildren([
    overview,
    services,
    service,
    operations,
    operation,
    catalogue,
    descriptor,
    designer,
    deploy,
    verification,
    infrastructure,
    site,
    insight,
    characterisation,
    events,
    settings,
  ]),
  context: { leave: () => {} },
  parseSearch,
  stringifySearch,
  // Code of the page under the pointer is fetched before it is pressed.
  defaultPreload: 'intent',
  defaultErrorComponent: Broken,
});

function NothingHere() {
  return (
    <EmptyState titleText="Nothing is at this address" headingLevel="h1" icon={PathMissingIcon} data-failure="address">
      <EmptyStateBody>The link may be of another version of the console, or mistyped.</EmptyStateBody>
      <EmptyStateFooter>
        <EmptyStateActions>
          <Button component={(props: object) => <Link to="/" {...props} />}>To the overview</Button>
        </EmptyStateActions>
      </EmptyStateFooter>
    </EmptyState>
  );
}

/** A defect of the console itself, or code that could not be fetched because another version has taken its place. */
function Broken({ error }: ErrorComponentProps) {
  const router = useRouter();
  return <Failure isPage error={error} what="this page" onRetry={() => void router.invalidate()} />;
}

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
