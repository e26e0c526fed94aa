import { isSuperfluidityError } from '@superfluidity/core';
import { addQosRule, qosPolicies } from '@superfluidity/openstack';
import { LIMITS } from '../config.ts';
import { OURS } from '../marks.ts';
import { Turns } from '../turns.ts';
import type { World } from '../world.ts';

/** One policy for each bandwidth, shared by the ports of the site that have it. Found again by name: its place in the API has no description. */
export class PortQos {
  readonly #world: World;
  readonly #turns = new Turns();
  readonly #known = new Map<string, string>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Id of the policy that lets so much through in each direction. Most clouds let administrators make one only. */
  async of(bandwidthMbps: number, signal: AbortSignal): Promise<string> {
    const kbps = Math.max(1, Math.round(bandwidthMbps * 1_000));
    const name = `${this.#prefix}${kbps}`;
    return this.#known.get(name) ?? this.#turns.take(name, () => this.#ensure(name, kbps, signal));
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
    return `${OURS}.${this.#world.siteId}.kbps-`;
  }

  async #ensure(name: string, kbps: number, signal: AbortSignal): Promise<string> {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const { cloud } = this.#world;
    const there = await qosPolicies.find(cloud, { name }, signal);
    signal.throwIfAborted();
    const lasting = AbortSignal.timeout(LIMITS.createMs);
    const policy = there ?? (await qosPolicies.create(cloud, { name }, lasting));
    for (const direction of ['egress', 'ingress'] as const) {
      const has = policy.rules.some((rule) => rule.type === 'bandwidth_limit' && rule['direction'] === direction);
      if (!has) {
        await addQosRule(cloud, policy.id, { kind: 'bandwidth_limit', direction, max_kbps: kbps }, lasting);
      }
    }
    this.#known.set(name, policy.id);
    return policy.id;
  }
}
