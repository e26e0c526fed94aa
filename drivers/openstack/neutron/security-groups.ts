import { canonicalJson, isSuperfluidityError, shortName, Turns } from '@superfluidity/core';
import { prefixOf } from '@superfluidity/fabric';
import type { TrafficRule } from '@superfluidity/model';
import { type SecurityGroupRuleFields, securityGroupRules, securityGroups } from '@superfluidity/openstack';
import { LIMITS } from '../config.ts';
import type { World } from '../world.ts';

/** One group for each list of rules, shared by all ports of the site that have it: quotas of groups are small. */
export class SecurityGroups {
  readonly #world: World;
  readonly #turns = new Turns();
  readonly #known = new Map<string, string>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Id of the group that lets in what the rules say; without rules, what comes from the network. */
  async of(allow: readonly TrafficRule[] | undefined, supernet: string, signal: AbortSignal): Promise<string> {
    const rules = allow ?? [{ from: supernet }];
    const id = shortName('rules-', canonicalJson(rules), 16);
    return this.#known.get(id) ?? this.#turns.take(id, () => this.#ensure(id, rules, signal));
  }

  /** What makes ports, and does it once more with other groups where somebody deleted those that were known. */
  async again<T>(makePorts: () => Promise<T>): Promise<T> {
    try {
      return await makePorts();
    } catch (error) {
      if (!isSuperfluidityError(error) || error.details.data?.['type'] !== 'SecurityGroupNotFound') throw error;
      this.#known.clear();
      return makePorts();
    }
  }

  /** Those that nothing uses. */
  async removeUnused(signal: AbortSignal): Promise<readonly string[]> {
    const { cloud, marks } = this.#world;
    const found = (await securityGroups.list(cloud, {}, signal)).filter((one) => marks.isOurs(one));
    const removed: string[] = [];
    this.#known.clear();
    for (const { id, name } of found) {
      try {
        await securityGroups.delete(cloud, id, signal);
        removed.push(name);
      } catch (error) {
        if (!isSuperfluidityError(error, 'SF-OPENSTACK-CONFLICT')) throw error;
      }
    }
    return removed;
  }

  async #ensure(id: string, rules: readonly TrafficRule[], signal: AbortSignal): Promise<string> {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const { cloud, marks } = this.#world;
    const description = marks.description(id);
    signal.throwIfAborted();
    const lasting = AbortSignal.timeout(LIMITS.createMs);
    const wanted = rules.flatMap(fieldsOf);
    let [group] = await securityGroups.list(cloud, { description }, signal);
    // One whose rules are not all there was begun by somebody who did not come to the end.
    const complete = group?.security_group_rules.filter(({ direction }) => direction === 'ingress').length;
    if (group !== undefined && complete !== wanted.length) {
      await securityGroups.delete(cloud, group.id, lasting);
      group = undefined;
    }
    if (group === undefined) {
      group = await securityGroups.createOnce(cloud, { name: `superfluidity.${id}`, description }, lasting);
      const groupId = group.id;
      const fields = wanted.map((rule) => ({ ...rule, security_group_id: groupId }));
      await securityGroupRules.createMany(cloud, fields, lasting);
      await securityGroups.setTags(cloud, groupId, marks.tags(id), lasting);
    }
    this.#known.set(id, group.id);
    return group.id;
  }
}

type Rule = Omit<SecurityGroupRuleFields, 'security_group_id'>;

/** Neutron takes one range of ports of one protocol in a rule. */
function fieldsOf({ protocol, from, ports }: TrafficRule): readonly Rule[] {
  const base = {
    direction: 'ingress',
    ethertype: 'IPv4',
    ...(from === undefined ? {} : { remote_ip_prefix: prefixText(from) }),
  } as const;
  if (ports === undefined || ports.length === 0 || protocol === 'icmp') {
    return [protocol === undefined ? base : { ...base, protocol }];
  }
  const protocols = protocol === undefined ? (['tcp', 'udp'] as const) : [protocol];
  return protocols.flatMap((one) =>
    ports.map((port) => ({ ...base, protocol: one, port_range_min: port, port_range_max: port })),
  );
}

function prefixText(from: string): string {
  if (!from.includes('/')) return `${from}/32`;
  prefixOf(from);
  return from;
}
