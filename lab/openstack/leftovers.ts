import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../command.ts';
import { processesWith } from '../processes.ts';
import type { Lab } from './lab.ts';
import { sql } from './services/common.ts';
import { publicNamespace } from './services/routing.ts';

/** What agents of Neutron leave behind when they end, so that networks go on: namespaces, and programs in them. */
export interface Leftovers {
  readonly namespaces: readonly string[];
}

const NAMESPACES = `
  select concat('qrouter-', id) from neutron.routers union
  select concat('qdhcp-', id) from neutron.networks union
  select concat('ovnmeta-', id) from neutron.networks;
`;
const ENDED_WITHIN_MS = 200;

/** While the database still answers. */
export async function findLeftovers(lab: Lab): Promise<Leftovers> {
  const ours = new Set([publicNamespace(lab), ...(await sql(lab, NAMESPACES).catch(() => '')).split('\n')]);
  const known = (await run(['ip', 'netns', 'list']).catch(() => '')).split('\n').map((line) => line.split(' ')[0]!);
  return { namespaces: known.filter((name) => name !== '' && ours.has(name)) };
}

export async function removeLeftovers(lab: Lab, { namespaces }: Leftovers): Promise<void> {
  // dnsmasq, haproxy and their like.
  const helpers = processesWith(join(lab.paths.var, 'neutron/'));
  for (const pid of helpers) {
    try {
      process.kill(pid, 'SIGTERM');
    } catch {
      // It has ended meanwhile.
    }
  }
  if (helpers.length > 0) await sleep(ENDED_WITHIN_MS);
  for (const name of namespaces) await run(['ip', 'netns', 'delete', name]).catch(() => undefined);
}
