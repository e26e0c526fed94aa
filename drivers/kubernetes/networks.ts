import { canonicalJson, SuperfluidityError } from '@superfluidity/core';
import { type NetworkSegment, type NetworkSpec, type PortSpec, prefixOf } from '@superfluidity/fabric';
import { parseIpv4, prefixHas } from '@superfluidity/model';
import type { UnitSpec } from '@superfluidity/site';
import { z } from 'zod';
import { ANNOTATIONS, LABELS } from './marks.ts';
import type { ConfigMap } from './objects.ts';
import { networkPolicyOf, POLICIES, unitPolicyOf } from './policies.ts';
import { Segments } from './segments.ts';
import type { World } from './world.ts';

const content = z.object({
  id: z.string(),
  service: z.string(),
  name: z.string(),
  prefix: z.string(),
  supernet: z.string(),
  mtu: z.number(),
});
const segmentContent = z.object({ network: z.string(), subnet: z.string() });

/** As it was asked for, and what the site that makes it calls it. */
interface KnownNetwork {
  readonly spec: NetworkSpec;
  readonly segment: NetworkSegment | undefined;
}

/**
 * Networks of services on the one flat network of the cluster. What a network keeps apart here is who may talk to whom:
 * a NetworkPolicy, which holds where the network of the cluster enforces it. Addresses are the cluster's. Where the site is in the
 * networks of a cloud, one of them is that of all its pods.
 */
export class Networks {
  readonly #world: World;
  readonly #segments: Segments;

  constructor(world: World) {
    this.#world = world;
    this.#segments = new Segments(world);
  }

  async list(signal: AbortSignal): Promise<readonly NetworkSpec[]> {
    const { cluster, marks } = this.#world;
    const labelSelector = `${marks.selector},${LABELS.network},!${LABELS.unit}`;
    const { items } = await cluster.list<ConfigMap>(cluster.path('configmaps'), { labelSelector }, signal);
    return items.flatMap((item) => specOf(item) ?? []);
  }

  /** Before a unit is made in it. What somebody took away of what it needs is there again afterwards. */
  async check(id: string, doing: string, signal: AbortSignal): Promise<void> {
    const known = await this.#get(id, signal);
    if (known === undefined) {
      throw new SuperfluidityError('SF-SITE-NO-NETWORK', {
        doing,
        reason: `there is no network ${id} at ${this.#world.name}`,
        data: { network: id },
      });
    }
    if (known.segment !== undefined) await this.#segments.write(id, known.segment, signal);
  }

  /** Refuses a pod that is elsewhere, where its network is one of a cloud. */
  async checkAddress(id: string, address: string | undefined, doing: string, signal: AbortSignal): Promise<void> {
    if (this.#world.config.kuryr === undefined) return;
    const prefix = (await this.#get(id, signal))?.spec.prefix;
    const at = parseIpv4(address ?? '');
    if (prefix === undefined || (at !== undefined && prefixHas(prefixOf(prefix), at))) return;
    throw new SuperfluidityError('SF-KUBE-KURYR', {
      doing,
      reason: `its pod has the address ${address ?? 'none'}, which is none of ${prefix}, the prefix of network ${id}`,
      data: { network: id, prefix, address: address ?? '' },
    });
  }

  async ensure(spec: NetworkSpec, segment: NetworkSegment | undefined, signal: AbortSignal): Promise<void> {
    const { cluster, marks, name: site, config } = this.#world;
    const doing = `create network ${spec.name} at ${site}`;
    const known = await this.#get(spec.id, signal);
    if (known !== undefined && canonicalJson(known.spec) !== canonicalJson(spec)) {
      throw new SuperfluidityError('SF-SITE-CONFLICT', {
        doing,
        reason: `network ${spec.id} exists with another specification`,
      });
    }
    if (config.kuryr !== undefined && segment === undefined) {
      throw new SuperfluidityError('SF-KUBE-NETWORK', {
        doing,
        reason: `site ${config.kuryr.site} does not say which of its networks it is`,
      });
    }
    // First: it is refused where the namespace is in another one, and then nothing is made.
    if (segment !== undefined) await this.#segments.write(spec.id, segment, signal);
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
        annotations: {
          [ANNOTATIONS.spec]: JSON.stringify(spec),
          ...(segment === undefined ? {} : { [ANNOTATIONS.segment]: JSON.stringify(segment) }),
        },
      },
    };
    await cluster.apply(cluster.path('configmaps', name), object, signal);
  }

  async remove(id: string, signal: AbortSignal): Promise<void> {
    const { cluster, marks, config } = this.#world;
    const name = marks.networkName(id);
    if (config.kuryr !== undefined) await this.#segments.clear(id, signal);
    await cluster.delete(cluster.path('networkpolicies', name, POLICIES), undefined, signal);
    await cluster.delete(cluster.path('configmaps', name), undefined, signal);
  }

  /** What may come to the port, where the unit says it. */
  async ensureRules(spec: UnitSpec, port: PortSpec, signal: AbortSignal): Promise<void> {
    if (port.allow === undefined) return;
    const { cluster, marks, config } = this.#world;
    const network = config.kuryr === undefined ? undefined : (await this.#get(port.network, signal))?.spec;
    const policy = unitPolicyOf(this.#world, spec, network ?? { id: port.network }, port.allow);
    await cluster.apply(cluster.path('networkpolicies', marks.rulesName(spec.id), POLICIES), policy, signal);
  }

  async removeRules(unitId: string, signal: AbortSignal): Promise<void> {
    if (!this.#world.config.policies) return;
    const { cluster, marks } = this.#world;
    await cluster.delete(cluster.path('networkpolicies', marks.rulesName(unitId), POLICIES), undefined, signal);
  }

  async #get(id: string, signal: AbortSignal): Promise<KnownNetwork | undefined> {
    const { cluster, marks } = this.#world;
    const found = await cluster.get<ConfigMap>(cluster.path('configmaps', marks.networkName(id)), signal);
    const spec = found === undefined ? undefined : specOf(found);
    return spec === undefined ? undefined : { spec, segment: annotated(found!, ANNOTATIONS.segment, segmentContent) };
  }
}

function annotated<T>(object: ConfigMap, annotation: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.parse(JSON.parse(object.metadata.annotations?.[annotation] ?? ''));
  } catch {
    return undefined;
  }
}

const specOf = (object: ConfigMap): NetworkSpec | undefined => annotated(object, ANNOTATIONS.spec, content);
