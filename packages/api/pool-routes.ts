import { z } from 'zod';
import { pool } from './pool-schemas.ts';
import { byName } from './route.ts';

const byPool = byName.extend({ pool: z.string().min(1).max(400) });

/** Of what sites keep ready. A part of the table in routes.ts. */
export const poolRoutes = {
  getPool: {
    method: 'GET',
    path: '/api/v1/sites/:name/pools/:pool',
    summary: 'One pool of a site',
    tag: 'sites',
    params: byPool,
    reply: pool,
    status: 200,
    role: 'reader',
  },
  populatePool: {
    method: 'POST',
    path: '/api/v1/sites/:name/pools/:pool/populate',
    summary: 'Make so many more for the pool in the background, up to its maximum',
    tag: 'sites',
    params: byPool,
    body: z.object({ count: z.int().min(1).max(1_000) }),
    reply: pool,
    status: 202,
    role: 'admin',
  },
  freePool: {
    method: 'POST',
    path: '/api/v1/sites/:name/pools/:pool/free',
    summary: 'Give up what lies ready in the pool; it refills when somebody asks again',
    tag: 'sites',
    params: byPool,
    reply: pool,
    status: 200,
    role: 'admin',
  },
  freePools: {
    method: 'POST',
    path: '/api/v1/sites/:name/pools/free',
    summary: 'Give up what lies ready in all pools of the site; they refill when somebody asks again',
    tag: 'sites',
    params: byName,
    reply: z.array(pool),
    status: 200,
    role: 'admin',
  },
} as const;
