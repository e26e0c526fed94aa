import { canonicalJson, SuperfluidityError } from '@superfluidity/core';
import type { NetworkSpec, PortSpec } from '@superfluidity/fabric';
import type { UnitSpec } from '@superfluidity/site';
import { z } from 'zod';
import { ANNOTATIONS, LABELS } from './marks.ts';
import type { ConfigMap } from './objects.ts';
import { networkPolicyOf, POLICIES, unitPolicyOf } from './policies.ts';
import type { World } from './world.ts';

const content = z.object({
  id: z.string(),
  service: z.string(),
  name: z.string(),
  prefix: z.string(),
  supernet: z.string(),
  mtu: z.number(),
});

/**
 * Networks of services on the one flat network of the cluster. What a network keeps apart here is who may talk to whom:
 * a NetworkPolicy, which holds where the network of the cluster enforces it. Addresses are the cluster's.
 */
export class Networks {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  async list(signal: AbortSignal): Promise<readonly NetworkSpec[]> {
    const { cluster, marks } = this.#world;
    const labelSelector = `${marks.selector},${LABELS.network},!${LABELS.unit}`;
    const { items } = await cluster.list<ConfigMap>(cluster.path('configmaps'), { labelSelector }, signal);
    return items.flatMap((item) => specOf(item) ?? []);
  }

  async check(id: string, doing: string, signal: AbortSignal): Promise<void> {
    if ((await this.#get(id, signal)) !== undefined) return;
    throw new SuperfluidityError('SF-SITE-NO-NETWORK', {
      doing,
      reason: `there is no network ${id} at ${this.#world.name}`,
      data: { network: id },
    });
  }

  async ensure(spec: NetworkSpec, signal: AbortSignal): Promise<void> {
    const { cluster, marks, name: site } = this.#world;
    const known = await this.#get(spec.id, signal);
    if (known !== undefined && canonicalJson(known) !== canonicalJson(spec)) {
      throw new SuperfluidityError('SF-SITE-CONFLICT', {
        doing: `create network ${spec.name} at ${site}`,
        reason: `network ${spec.id} exists with another specification`,
      });
    }
    const name = marks.networkName(spec.id);
    const policy = networkPolicyOf(this.#world, spec);
    await cluster.apply(cluster.path('networkpolicies', name, POLICIES), policy, signal);
    const object: ConfigMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name,
        namespace: cluster.namespace,
        labels: marks.labels({ [LABELS.service]: spec.service, [LABELS.network]: spec.id }),
        annotations: { [ANNOTATIONS.spec]: JSON.stringify(spec) },
      },
    };
    await cluster.apply(cluster.path('configmaps', name), object, signal);
  }

  async remove(id: string, signal: AbortSignal): Promise<void> {
    const { cluster, marks } = this.#world;
    const name = marks.networkName(id);
    await cluster.delete(cluster.path('networkpolicies', name, POLICIES), undefined, signal);
    await cluster.delete(cluster.path('configmaps', name), undefined, signal);
  }

  /** What may come to the port, where the unit says it. */
  async ensureRules(spec: UnitSpec, port: PortSpec, signal: AbortSignal): Promise<void> {
    if (port.allow === undefined) return;
    const { cluster, marks } = this.#world;
    const policy = unitPolicyOf(this.#world, spec, port.network, port.allow);
    await cluster.apply(cluster.path('networkpolicies', marks.rulesName(spec.id), POLICIES), policy, signal);
  }

  async removeRules(unitId: string, signal: AbortSignal): Promise<void> {
    if (!this.#world.config.policies) return;
    const { cluster, marks } = this.#world;
    await cluster.delete(cluster.path('networkpolicies', marks.rulesName(unitId), POLICIES), undefined, signal);
  }

  async #get(id: string, signal: AbortSignal): Promise<NetworkSpec | undefined> {
    const { cluster, marks } = this.#world;
    const found = await cluster.get<ConfigMap>(cluster.path('configmaps', marks.networkName(id)), signal);
    return found === undefined ? undefined : specOf(found);
  }
}

function specOf(object: ConfigMap): NetworkSpec | undefined {
  try {
    return content.parse(JSON.parse(object.metadata.annotations?.[ANNOTATIONS.spec] ?? ''));
  } catch {
    return undefined;
  }
}
