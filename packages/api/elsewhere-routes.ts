import { z } from 'zod';
import { workflowRun } from './elsewhere-schemas.ts';
import { accepted } from './route.ts';
import * as s from './schemas.ts';

const adoption = z
  .object({
    site: s.name,
    stack: z.string().min(1).max(255).meta({ description: 'Its id or name in the project of the site' }),
    name: s.name
      .optional()
      .meta({ description: 'Of the service; without it, what the template or the name of the stack says' }),
  })
  .meta({ id: 'Adoption' });

/** Of what the sites' own orchestrators do. A part of the table in routes.ts. */
export const elsewhereRoutes = {
  planAdoption: {
    method: 'POST',
    path: '/api/v1/adoptions/plan',
    summary: 'Which service a stack would be that somebody else made at a site, and what would be changed of it: marks',
    tag: 'services',
    body: adoption,
    reply: s.plan,
    status: 200,
    role: 'reader',
  },
  adoptStack: {
    method: 'POST',
    path: '/api/v1/adoptions',
    summary: 'Make a service of a stack that somebody else made at a site: every resource goes on as it is',
    tag: 'services',
    body: adoption,
    reply: accepted,
    status: 202,
    role: 'admin',
  },
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
