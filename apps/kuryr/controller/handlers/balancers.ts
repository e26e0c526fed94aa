import { canonicalJson, sha256 } from '@superfluidity/core';
import { BALANCER_FINALIZER, type KuryrLoadBalancer } from '../../api/load-balancer.ts';
import type { BalancerDriver } from '../drivers/types.ts';
import { nameIn, namespaceIn, type Service, type Subject, subjectOf } from '../../kubernetes/objects.ts';
import type { Stored } from '../resource-store.ts';
import type { Handler, World } from '../world.ts';
import { Compared } from './compared.ts';

/** A KuryrLoadBalancer becomes a balancer of the cloud or of the nodes, and is compared with it now and then. */
export class BalancerHandler implements Handler {
  readonly name = 'balancers';
  readonly #world: World;
  readonly #driver: BalancerDriver;
  readonly #compared: Compared;

  constructor(world: World, driver: BalancerDriver) {
    this.#world = world;
    this.#compared = new Compared(world.clock);
    this.#driver = driver;
  }

  async handle(key: string, signal: AbortSignal): Promise<number | undefined> {
    const { balancers, events } = this.#world;
    const balancer = balancers.get(key);
    if (balancer === undefined) return undefined;
    const uid = balancer.metadata.uid!;
    if (balancer.metadata.deletionTimestamp !== undefined) {
      await this.#driver.remove(balancer as KuryrLoadBalancer & Stored<KuryrLoadBalancer>, signal);
      this.#compared.forget(uid);
      await balancers.finish(balancer, BALANCER_FINALIZER, signal);
      return undefined;
    }
    const { spec, status } = balancer;
    const observed = sha256(canonicalJson(spec)).slice(0, 16);
    const isFresh = this.#compared.isFresh(uid);
    if (status?.observed === observed && isFresh) return undefined;
    this.#compared.forget(uid);
    const made = await this.#driver.ensure(balancer as KuryrLoadBalancer & Stored<KuryrLoadBalancer>, signal);
    const members = spec.ports.reduce((sum, port) => sum + port.members.length, 0);
    const written = await balancers.write(balancer, { status: { ...made, observed, members } }, signal);
    if (written === undefined) return undefined;
    this.#compared.done(uid);
    const service = this.#world.services.get(key);
    if (service === undefined) return undefined;
    await this.#tellAddress(key, service, made.external?.address, spec.type, signal);
    if (status === undefined || status.balancerId !== made.balancerId)
      events.tell(subjectOf('v1', 'Service', service), {
        reason: status === undefined ? 'KuryrBalancerReady' : 'KuryrBalancerReplaced',
        message: `${made.provider} balances ${spec.address} to ${members} endpoints`,
      });
    return undefined;
  }

  subject(key: string): Subject | undefined {
    const service = this.#world.services.get(key);
    return service === undefined ? undefined : subjectOf('v1', 'Service', service);
  }

  /** Where a Service of type LoadBalancer can be reached from outside stands in its status. */
  async #tellAddress(
    key: string,
    service: Service,
    address: string | undefined,
    type: 'ClusterIP' | 'LoadBalancer',
    signal: AbortSignal,
  ): Promise<void> {
    const told = service.status?.loadBalancer?.ingress?.[0]?.ip;
    // Of a class that is not ours, somebody else writes it.
    if (told === address || (type !== 'LoadBalancer' && service.spec.type === 'LoadBalancer')) return;
    const path = `/api/v1/namespaces/${namespaceIn(key)}/services/${nameIn(key)}/status`;
    const loadBalancer = { ingress: address === undefined ? null : [{ ip: address }] };
    await this.#world.cluster.merge(
      path,
      { metadata: { uid: service.metadata.uid }, status: { loadBalancer } },
      signal,
    );
  }
}
