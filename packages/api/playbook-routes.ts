import { z } from 'zod';
import { inventory, playbookRun } from './playbook-schemas.ts';
import { accepted } from './route.ts';
import { name } from './schemas.ts';

const params = z.object({ name });

/** A part of the table in routes.ts. */
export const playbookRoutes = {
  listPlaybooks: {
    method: 'GET',
    path: '/api/v1/playbooks',
    summary: 'The playbooks that this server can run over the units of a service',
    tag: 'services',
    reply: z.array(z.string()),
    status: 200,
    role: 'reader',
  },
  getInventory: {
    method: 'GET',
    path: '/api/v1/services/:name/inventory',
    summary: 'The units of a service as an inventory of Ansible: hosts by function, unit and site',
    tag: 'services',
    params,
    reply: inventory,
    status: 200,
    role: 'reader',
  },
  runPlaybook: {
    method: 'POST',
    path: '/api/v1/services/:name/playbook',
    summary: 'Run a playbook over the units of a service, by an operation that follows its tasks and can be cancelled',
    tag: 'services',
    params,
    body: playbookRun,
    reply: accepted,
    status: 202,
    role: 'admin',
  },
} as const;
