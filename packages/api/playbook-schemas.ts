import { z } from 'zod';

/** Of playbooks of Ansible that the server runs over the units of a service. */

/** A name of a host in an inventory, or of a group. */
const limit = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,127}$/);

export const playbookRun = z
  .strictObject({
    playbook: z
      .string()
      .max(256)
      .regex(/^(?:[a-z0-9][a-z0-9_-]*\/){0,4}[a-z0-9][a-z0-9_-]*\.ya?ml$/, 'a path like cluster/site.yml')
      .meta({ description: 'In the folder of playbooks of the server (`--playbooks`): cluster/site.yml' }),
    vars: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/), z.unknown())
      .default({})
      .meta({ description: 'Variables of the playbook. A text `secret:NAME` stands for a secret of the server' }),
    user: z
      .string()
      .regex(/^[a-z_][a-z0-9_-]{0,31}$/)
      .optional()
      .meta({ description: 'As whom to sign in on the machines; without it, root' }),
    key: z
      .string()
      .regex(/^secret:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'secret:NAME')
      .optional()
      .meta({ description: 'The secret that holds the private key of that user' }),
    limit: z.array(limit).max(1_000).optional().meta({ description: 'Only these hosts or groups' }),
    check: z.boolean().default(false).meta({ description: 'Tell what would be changed, and change nothing' }),
    site: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
      .optional()
      .meta({
        description: 'Name of a site of kind kubernetes to add: of the cluster whose credentials the playbook left',
      }),
    timeoutMs: z.int().min(1_000).max(86_400_000).default(3_600_000),
  })
  .meta({ id: 'PlaybookRun' });

export const inventory = z
  .record(z.string(), z.unknown())
  .meta({ id: 'Inventory', description: 'As Ansible reads it (plugin yaml): `all` with its children and hosts' });
