import type { SitePath } from '@superfluidity/fabric';
import { isNotFound, type Port, ports, securityGroups } from '@superfluidity/openstack';
import type { TrafficRule } from '@superfluidity/model';
import type { Networks } from '../neutron/networks.ts';
import type { SecurityGroups } from '../neutron/security-groups.ts';
import type { UnitPorts } from '../unit-ports.ts';
import type { World } from '../world.ts';

export interface LetInParts {
  readonly world: World;
  readonly networks: Networks;
  readonly groups: SecurityGroups;
  readonly ports: UnitPorts;
}

/**
 * A port without rules of its own lets in what comes from its network, and what comes by a chain that ends there: that has the
 * address of a user in another network. It gets one more security group for as long as the chain is there. A port with rules of its
 * own is asked nothing: they say who comes in, by a chain too.
 */
export async function letIn(parts: LetInParts, path: SitePath, signal: AbortSignal): Promise<void> {
  const rules = rulesOf(path);
  if (rules.length === 0) return;
  const { world, networks, groups } = parts;
  const { portId, network } = path.endpoints[0]!;
  const { spec } = await networks.get(network, signal);
  const port = await ports.show(world.cloud, await parts.ports.active(portId, signal), signal);
  if (!(await isOpen(world, port, spec.supernet, signal))) return;
  const group = await groups.of(rules, spec.supernet, signal);
  if (port.security_groups.includes(group)) return;
  await ports.update(world.cloud, port.id, { security_groups: [...port.security_groups, group] }, signal);
}

/** Takes back what `letIn` did, unless another chain that stays needs it. */
export async function shutOut(
  parts: LetInParts,
  path: SitePath,
  others: readonly SitePath[],
  signal: AbortSignal,
): Promise<void> {
  const rules = rulesOf(path);
  const { portId, network } = path.endpoints[0]!;
  const same = others.filter(({ endpoints }) => endpoints[0]?.portId === portId).map(rulesOf);
  if (rules.length === 0 || same.some((one) => JSON.stringify(one) === JSON.stringify(rules))) return;
  const { world, networks, groups } = parts;
  const known = await parts.ports.find(portId, signal);
  if (known === undefined) return;
  try {
    const [port, { spec }] = await Promise.all([ports.show(world.cloud, known, signal), networks.get(network, signal)]);
    const group = await groups.of(rules, spec.supernet, signal);
    const kept = port.security_groups.filter((one) => one !== group);
    if (kept.length === 0 || kept.length === port.security_groups.length) return;
    await ports.update(world.cloud, port.id, { security_groups: kept }, signal);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

function rulesOf({ steers }: SitePath): readonly TrafficRule[] {
  return steers.flatMap(({ match }) =>
    match.direction !== 'reverse'
      ? []
      : [
          {
            from: match.destination,
            ...(match.protocol === 'any' ? {} : { protocol: match.protocol }),
            ...(match.ports.length === 0 ? {} : { ports: [...match.ports] }),
          },
        ],
  );
}

/** Whether it lets in whatever comes from its network, which is what ports without rules do. */
async function isOpen(world: World, port: Port, supernet: string, signal: AbortSignal): Promise<boolean> {
  const known = await securityGroups.list(world.cloud, { id: port.security_groups }, signal);
  return known.some(({ security_group_rules: rules }) =>
    rules.some(
      (rule) =>
        rule.direction === 'ingress' &&
        rule.remote_ip_prefix === supernet &&
        (rule.protocol ?? undefined) === undefined,
    ),
  );
}
