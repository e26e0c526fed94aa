import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import {
  getServer,
  getStack,
  listStackResources,
  listStacks,
  type Stack,
  stackFiles,
  type StackName,
  type StackResource,
  stackTemplate,
} from '@superfluidity/openstack';
import type { FoundStack } from '@superfluidity/site';
import type { Hosts } from '../hosts.ts';
import { OURS } from '../marks.ts';
import type { World } from '../world.ts';

/** Of no service of any control plane. */
export const isForeign = ({ tags }: Stack): boolean => !(tags ?? []).some((one) => one.split(':')[0] === OURS);

/** Undefined: it is gone. */
export async function stackById({ cloud }: World, which: StackName, signal: AbortSignal): Promise<Stack | undefined> {
  try {
    const stack = await getStack(cloud, which, signal);
    return stack.stack_status === 'DELETE_COMPLETE' ? undefined : stack;
  } catch (error) {
    if (isSuperfluidityError(error, 'SF-OPENSTACK-NOT-FOUND')) return undefined;
    throw error;
  }
}

export async function findForeign(world: World, idOrName: string, signal: AbortSignal): Promise<FoundStack> {
  const { cloud, name: site } = world;
  const doing = `find stack ${idOrName} at ${site}`;
  const all = await listStacks(cloud, {}, signal);
  const listed = all.find(({ id }) => id === idOrName) ?? all.find((one) => one.stack_name === idOrName);
  if (listed === undefined)
    throw new SuperfluidityError('SF-SITE-NO-STACK', { doing, reason: `the project of ${site} has no such stack` });
  const which = { name: listed.stack_name, id: listed.id };
  const [stack, template, files] = await Promise.all([
    getStack(cloud, which, signal),
    stackTemplate(cloud, which, signal),
    stackFiles(cloud, which, signal),
  ]);
  const refuse = (reason: string, hint: string) => new SuperfluidityError('SF-SITE-CONFLICT', { doing, reason, hint });
  if (!isForeign(stack)) throw refuse('it belongs to a service already', 'Change it through that service.');
  if (!stack.stack_status.endsWith('_COMPLETE')) {
    const reason = `it is ${stack.stack_status}: ${stack.stack_status_reason ?? 'no reason is given'}`;
    throw refuse(reason, 'Adopt it when it rests and nothing of it failed.');
  }
  return {
    ...which,
    template,
    files,
    tags: (stack.tags ?? []).filter((one) => one !== ''),
    parameters: Object.fromEntries(
      Object.entries(stack.parameters ?? {}).flatMap(([name, value]) =>
        name.startsWith('OS::') || isHidden(template, name) ? [] : [[name, String(value)]],
      ),
    ),
  };
}

/** Heat shows asterisks for them. */
function isHidden(template: FoundStack['template'], name: string): boolean {
  const { [name]: declared } = (template['parameters'] ?? {}) as Readonly<Record<string, { hidden?: unknown }>>;
  return String(declared?.hidden).toLowerCase() === 'true';
}

interface Parts {
  readonly world: World;
  readonly hosts: Hosts;
}

/** Where each server of the template is, as the site names its hosts. */
export async function hostsOf(
  { world, hosts }: Parts,
  { name, id }: FoundStack,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const { cloud, name: site } = world;
  const resources = await listStackResources(cloud, { name, id }, signal);
  const servers = resources.filter((one) => one.resource_type === 'OS::Nova::Server' && !isInside(one));
  const known = await hosts.list();
  const found = servers.map(async ({ resource_name: resource, physical_resource_id: server }) => {
    const running = await getServer(cloud, server ?? '', signal);
    const [host, zone] = [running['OS-EXT-SRV-ATTR:hypervisor_hostname'], running['OS-EXT-AZ:availability_zone']];
    const place = known.find(({ kind, host: { name: own } }) => own === (kind === 'zone' ? zone : host));
    if (place !== undefined) return [resource, place.host.name] as const;
    throw new SuperfluidityError('SF-SITE-NO-HOST', {
      doing: `find stack ${name} at ${site}`,
      reason: `server ${resource} is on ${host ?? zone ?? 'no host'}, which is none of the hosts that ${site} may use`,
    });
  });
  return Object.fromEntries(await Promise.all(found));
}

const isInside = ({ parent_resource: parent }: StackResource): boolean => (parent ?? '') !== '';
