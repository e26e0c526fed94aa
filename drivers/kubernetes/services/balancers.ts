import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import { type BalancerSpec, refuseUnsupported } from '@superfluidity/fabric';
import type { BalancerBackend } from '@superfluidity/model';
import { statusIn } from '../cluster.ts';
import { LIMITS } from '../config.ts';
import type { KubeObject } from '../objects.ts';
import { checkRoute, ensureRoute, removeRoute } from '../openshift/routes.ts';
import type { Right } from '../rights.ts';
import type { World } from '../world.ts';
import { SERVICE_NAME, type Service, SLICES, serviceOf, slicesOf } from './manifest.ts';

const INVALID = 422;
/** Roles of Kubernetes do not have it since a member may be any address (CVE-2021-25740): somebody has to give it. */
const RIGHTS: readonly Right[] = [
  { verb: 'patch', resource: 'services' },
  { verb: 'create', resource: 'endpointslices', group: 'discovery.k8s.io' },
  { verb: 'patch', resource: 'endpointslices', group: 'discovery.k8s.io' },
  { verb: 'delete', resource: 'endpointslices', group: 'discovery.k8s.io' },
];

/** Balancers as Services, which whoever serves Services in the cluster serves: kube-proxy, Kuryr, another network. */
export class Balancers {
  readonly #world: World;
  /** The last of each is waited for: two of one balancer would mix their members. */
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(world: World) {
    this.#world = world;
  }

  /** None for users who may not say which members a Service has. */
  async kinds(signal: AbortSignal): Promise<readonly BalancerBackend[]> {
    return (await this.#world.rights.all(RIGHTS, signal)) ? ['kubernetes service'] : [];
  }

  ensure(spec: BalancerSpec, signal: AbortSignal): Promise<void> {
    return this.#inTurn(spec.id, () => this.#ensure(spec, signal));
  }

  remove(id: string, signal: AbortSignal): Promise<void> {
    return this.#inTurn(id, () => this.#remove(id, signal));
  }

  async #ensure(spec: BalancerSpec, signal: AbortSignal): Promise<void> {
    const { cluster, name: site } = this.#world;
    const doing = `set balancer ${spec.name} of ${spec.service} at ${site}`;
    refuseUnsupported(doing, spec, await this.kinds(signal));
    await checkRoute(this.#world, spec, doing, signal);
    const service = serviceOf(this.#world, spec);
    const path = cluster.path('services', service.metadata.name);
    const known = await cluster.get<Service>(path, signal);
    // The address of a Service does not change.
    const wantedIp = service.spec?.clusterIP;
    if (known !== undefined && wantedIp !== undefined && known.spec?.clusterIP !== wantedIp)
      await this.#remove(spec.id, signal);
    await this.#apply(path, service, spec, doing, signal);
    await this.#setMembers(spec, signal);
    await this.#awaitAddress(path, spec, doing, signal);
    await ensureRoute(this.#world, spec, doing, signal);
  }

  async #apply(path: string, service: Service, spec: BalancerSpec, doing: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#world.cluster.apply(path, service, signal);
    } catch (error) {
      if (statusIn(error) !== INVALID || !isSuperfluidityError(error)) throw error;
      const { reason } = error.details;
      const isTaken = /already allocated/.test(reason);
      throw new SuperfluidityError(isTaken ? 'SF-SITE-ADDRESS-IN-USE' : 'SF-KUBE-SERVICE', {
        ...error.details,
        doing,
        reason: `the cluster does not give it ${spec.address}: ${reason}`,
        cause: error,
      });
    }
  }

  async #setMembers(spec: BalancerSpec, signal: AbortSignal): Promise<void> {
    const { cluster, marks } = this.#world;
    const wanted = slicesOf(this.#world, spec);
    const path = (name?: string) => cluster.path('endpointslices', name, SLICES);
    for (const slice of wanted) await cluster.apply(path(slice.metadata.name), slice, signal);
    const names = new Set(wanted.map(({ metadata }) => metadata.name));
    const labelSelector = `${marks.selector},${SERVICE_NAME}=${marks.balancerName(spec.id)}`;
    const { items } = await cluster.list<KubeObject>(path(), { labelSelector }, signal);
    for (const { metadata } of items)
      if (!names.has(metadata.name)) await cluster.delete(path(metadata.name), undefined, signal);
  }

  /** What gives addresses to Services of type LoadBalancer says when it has done so. */
  async #awaitAddress(path: string, spec: BalancerSpec, doing: string, signal: AbortSignal): Promise<void> {
    const { cluster, clock, config } = this.#world;
    if (config.services.addresses !== 'load-balancer') return;
    const limited = AbortSignal.any([signal, AbortSignal.timeout(LIMITS.outsideMs)]);
    for (;;) {
      const service = await cluster.get<Service>(path, limited);
      const given = (service?.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
      if (given.includes(spec.address)) return;
      if (given.length > 0 || limited.aborted) {
        const what =
          given.length === 0 ? 'gives it no address' : `gives it ${given.join(', ')} and not ${spec.address}`;
        throw new SuperfluidityError('SF-KUBE-SERVICE', { doing, reason: `the load balancer of the cluster ${what}` });
      }
      await clock.sleep(LIMITS.pauseMs, limited).catch(() => signal.throwIfAborted());
    }
  }

  async #remove(id: string, signal: AbortSignal): Promise<void> {
    const { cluster, marks, rights } = this.#world;
    await removeRoute(this.#world, id, signal);
    await cluster.delete(cluster.path('services', marks.balancerName(id)), undefined, signal);
    // Who may not write them has none.
    if (!(await rights.all(RIGHTS, signal))) return;
    const labelSelector = `${marks.selector},${SERVICE_NAME}=${marks.balancerName(id)}`;
    const slices = cluster.path('endpointslices', undefined, SLICES);
    const { items } = await cluster.list<KubeObject>(slices, { labelSelector }, signal);
    for (const { metadata } of items)
      await cluster.delete(cluster.path('endpointslices', metadata.name, SLICES), undefined, signal);
  }

  async #inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(id) ?? Promise.resolve();
    const done = before.catch(() => {}).then(work);
    this.#last.set(id, done);
    try {
      return await done;
    } finally {
      if (this.#last.get(id) === done) this.#last.delete(id);
    }
  }
}
