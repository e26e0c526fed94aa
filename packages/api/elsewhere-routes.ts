import { workflowRun } from './elsewhere-schemas.ts';
import { accepted } from './route.ts';

/** Of what the sites' own orchestrators do. A part of the table in routes.ts. */
export const elsewhereRoutes = {
  runWorkflow: {
    method: 'POST',
    path: '/api/v1/workflows',
    summary: 'Run a workflow on a site, by an operation that follows its tasks and can be cancelled',
    tag: 'sites',
    body: workflowRun,
    reply: accepted,
    status: 202,
    role: 'admin',
  },
} as const;
