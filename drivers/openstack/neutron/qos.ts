import { isSuperfluidityError, Turns } from '@superfluidity/core';
import { type PortQuality, qualitiesOf } from '@superfluidity/model';
import { addQosRule, qosPolicies, type QosPolicy, type QosRule } from '@superfluidity/openstack';
import { LIMITS } from '../config.ts';
import { OURS } from '../marks.ts';
import type { World } from '../world.ts';

/** One policy for each quality, shared by the ports of the site that have it. Found again by name: its place in the API has no description. */
export class PortQos {
  readonly #world: World;
  readonly #turns = new Turns();
  readonly #known = new Map<string, string>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Id of the policy that treats packets so; undefined where nothing is asked. Most clouds let administrators make one only. */
  async of(port: PortQuality, signal: AbortSignal): Promise<string | undefined> {
    if (qualitiesOf(port).length === 0) return undefined;
    const rules = qosRules(port);
    const name = `${this.#prefix}${rules.map(ruleName).join('-')}`;
    return this.#known.get(name) ?? this.#turns.take(name, () => this.#ensure(name, rules, signal));
  }

  /** Those that nothing uses. */
  async removeUnused(signal: AbortSignal): Promise<readonly string[]> {
    const { cloud } = this.#world;
    this.#known.clear();
    const removed: string[] = [];
    for (const { id, name } of await qosPolicies.list(cloud, {}, signal)) {
      if (!name.startsWith(this.#prefix)) continue;
      try {
        if (await qosPolicies.delete(cloud, id, signal)) removed.push(name);
      } catch (error) {
        if (!isSuperfluidityError(error, 'SF-OPENSTACK-CONFLICT')) throw error;
      }
    }
    return removed;
  }

  get #prefix(): string {
    return qosPrefix(this.#world.siteId);
  }

  async #ensure(name: string, rules: readonly QosRule[], signal: AbortSignal): Promise<string> {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const { cloud } = this.#world;
    const there = await qosPolicies.find(cloud, { name }, signal);
    signal.throwIfAborted();
    const lasting = AbortSignal.timeout(LIMITS.createMs);
    const policy = there ?? (await qosPolicies.create(cloud, { name }, lasting));
    for (const rule of rules) if (!has(policy, rule)) await addQosRule(cloud, policy.id, rule, lasting);
    this.#known.set(name, policy.id);
    return policy.id;
  }
}

/** By this policies of a site are found again. */
export const qosPrefix = (siteId: string): string => `${OURS}.${siteId}.qos-`;

const DIRECTIONS = ['egress', 'ingress'] as const;
const kbpsOf = (mbps: number): number => Math.max(1, Math.round(mbps * 1_000));

export function qosRules({ bandwidthMbps, guaranteedMbps, dscp }: PortQuality): readonly QosRule[] {
  const limit = (direction: (typeof DIRECTIONS)[number]): QosRule[] =>
    bandwidthMbps === undefined ? [] : [{ kind: 'bandwidth_limit', direction, max_kbps: kbpsOf(bandwidthMbps) }];
  const guarantee = (direction: (typeof DIRECTIONS)[number]): QosRule[] =>
    guaranteedMbps === undefined ? [] : [{ kind: 'minimum_bandwidth', direction, min_kbps: kbpsOf(guaranteedMbps) }];
  return [
    ...DIRECTIONS.flatMap(limit),
    ...DIRECTIONS.flatMap(guarantee),
    ...(dscp === undefined ? [] : [{ kind: 'dscp_marking' as const, dscp_mark: dscp }]),
  ];
}

function ruleName(rule: QosRule): string {
  switch (rule.kind) {
    case 'bandwidth_limit':
      return `max-${rule.direction}-${rule.max_kbps}`;
    case 'minimum_bandwidth':
      return `min-${rule.direction}-${rule.min_kbps}`;
    case 'dscp_marking':
      return `dscp-${rule.dscp_mark}`;
  }
}

function has({ rules }: QosPolicy, { kind, ...rule }: QosRule): boolean {
  return rules.some(({ type, direction }) => type === kind && (!('direction' in rule) || direction === rule.direction));
}
