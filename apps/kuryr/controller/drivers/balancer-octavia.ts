import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import {
  type Cloud,
  createLoadBalancer,
  createOnce,
  type FloatingIp,
  floatingIps,
  type LoadBalancer,
  loadBalancers,
  removeLoadBalancer,
  settled,
} from '@superfluidity/openstack';
import type { KuryrLoadBalancer } from '../../api/load-balancer.ts';
import { becomeTree, wholeTree } from './octavia-tree.ts';
import type { BalancerDriver, BalancerStatus } from './types.ts';
import '../errors.ts';

export interface OctaviaOptions {
  readonly cloud: Cloud;
  readonly tags: readonly string[];
  readonly serviceSubnet: string;
  /** L2: where pods are; members are reached there and not by a router. */
  readonly podSubnet?: string;
  readonly externalNetwork?: string;
  readonly provider?: string;
}

type Status = NonNullable<KuryrLoadBalancer['status']>;

/**
 * A load balancer of Octavia with its VIP on the subnet of Services; for each port of a Service a listener with a pool of its own.
 * Everything is found again by its description and its names: the status of the resource is what people read.
 */
export class OctaviaBalancer implements BalancerDriver {
  readonly kind = 'octavia';
  readonly #options: OctaviaOptions;

  constructor(options: OctaviaOptions) {
    this.#options = options;
  }

  async ensure(balancer: KuryrLoadBalancer, signal: AbortSignal): Promise<BalancerStatus> {
    const { cloud } = this.#options;
    const { namespace, name } = balancer.metadata;
    const { spec, status } = balancer;
    const doing = `balance service ${namespace}/${name}`;
    let found = await this.#find(balancer, signal);
    if (found !== undefined && (found.provisioning_status === 'ERROR' || found.vip_address !== spec.address)) {
      await removeLoadBalancer(cloud, found.id, signal);
      found = undefined;
    }
    const { id } = found ?? (await this.#create(balancer, signal));
    const { vip_port_id: portId, vip_address: address, provider } = await settled(cloud, id, doing, signal);
    await becomeTree({ ...this.#options, id, doing, signal }, spec);
    const external = await this.#external(balancer, portId ?? undefined, status?.external, signal);
    return {
      balancerId: id,
      provider,
      address,
      ...(portId === undefined || portId === null ? {} : { portId }),
      ...(external === undefined ? {} : { external }),
    };
  }

  async remove(balancer: KuryrLoadBalancer, signal: AbortSignal): Promise<void> {
    const { external } = balancer.status ?? {};
    if (external !== undefined) await this.#giveBack(external, signal);
    for (const left of await this.#ourAddresses(balancer, signal))
      await floatingIps.delete(this.#options.cloud, left.id, signal);
    for (let one = await this.#find(balancer, signal); one !== undefined; one = await this.#find(balancer, signal))
      await removeLoadBalancer(this.#options.cloud, one.id, signal);
  }

  /** On what belongs to this resource, and to none that had its name before. */
  #description({ metadata }: KuryrLoadBalancer): string {
    return `${this.#options.tags.at(-1)} balancer ${metadata.uid}`;
  }

  async #find(balancer: KuryrLoadBalancer, signal: AbortSignal): Promise<LoadBalancer | undefined> {
    const description = this.#description(balancer);
    const all = await loadBalancers.list(this.#options.cloud, [], { description }, signal);
    return all.find((one) => one.description === description && one.provisioning_status !== 'DELETED');
  }

  #create(balancer: KuryrLoadBalancer, signal: AbortSignal): Promise<LoadBalancer> {
    const { cloud, tags, serviceSubnet, provider } = this.#options;
    const { spec, metadata } = balancer;
    const fields = {
      name: `${metadata.namespace}/${metadata.name}`,
      description: this.#description(balancer),
      tags,
      vip_subnet_id: serviceSubnet,
      vip_address: spec.address,
      ...(provider === undefined ? {} : { provider }),
      ...(spec.project === '' ? {} : { project_id: spec.project }),
      ...(isTakenWhole(provider, spec) ? wholeTree(this.#options, spec) : {}),
    };
    return createOnce(cloud, {
      find: async () => {
        const found = await this.#find(balancer, signal);
        return found === undefined ? [] : [found];
      },
      create: () => createLoadBalancer(cloud, fields, signal),
      remove: async ({ id }) => void (await removeLoadBalancer(cloud, id, signal)),
      signal,
    });
  }

  async #external(
    balancer: KuryrLoadBalancer,
    portId: string | undefined,
    known: Status['external'],
    signal: AbortSignal,
  ): Promise<Status['external']> {
    const { cloud, externalNetwork } = this.#options;
    const { spec, metadata } = balancer;
    const isAsked = spec.type === 'LoadBalancer';
    const isAsKnown =
      spec.externalAddress === undefined ? known?.isOurs === true : spec.externalAddress === known?.address;
    if (known !== undefined && !(isAsked && isAsKnown)) await this.#giveBack(known, signal);
    if (!isAsked || portId === undefined) return undefined;
    const doing = `give service ${metadata.namespace}/${metadata.name} an external address`;
    if (spec.externalAddress !== undefined) {
      const floating_ip_address = spec.externalAddress;
      const theirs = await floatingIps.find(cloud, { floating_ip_address }, signal);
      if (theirs !== undefined) {
        if (theirs.port_id !== portId && (theirs.port_id ?? '') !== '')
          throw new SuperfluidityError('SF-KURYR-SERVICE', {
            doing,
            reason: `${floating_ip_address} belongs to port ${theirs.port_id}`,
          });
        if (theirs.port_id !== portId) await floatingIps.update(cloud, theirs.id, { port_id: portId }, signal);
        const isOurs = theirs.description === this.#description(balancer);
        return { id: theirs.id, address: floating_ip_address, isOurs };
      }
    }
    const [ours, ...surplus] = await this.#ourAddresses(balancer, signal);
    for (const one of surplus) await floatingIps.delete(cloud, one.id, signal);
    if (ours !== undefined) {
      if (ours.port_id !== portId) await floatingIps.update(cloud, ours.id, { port_id: portId }, signal);
      return { id: ours.id, address: ours.floating_ip_address, isOurs: true };
    }
    if (externalNetwork === undefined)
      throw new SuperfluidityError('SF-KURYR-SERVICE', { doing, reason: 'neutron.externalNetwork is not configured' });
    const made = await floatingIps.createOnce(
      cloud,
      {
        description: this.#description(balancer),
        floating_network_id: externalNetwork,
        port_id: portId,
        ...(spec.externalAddress === undefined ? {} : { floating_ip_address: spec.externalAddress }),
        ...(spec.project === '' ? {} : { project_id: spec.project }),
      },
      signal,
    );
    return { id: made.id, address: made.floating_ip_address, isOurs: true };
  }

  #ourAddresses(balancer: KuryrLoadBalancer, signal: AbortSignal): Promise<readonly FloatingIp[]> {
    return floatingIps.list(this.#options.cloud, { description: this.#description(balancer) }, signal);
  }

  /** What the user brought remains the user's. */
  async #giveBack({ id, isOurs }: NonNullable<Status['external']>, signal: AbortSignal): Promise<void> {
    const { cloud } = this.#options;
    if (isOurs) {
      await floatingIps.delete(cloud, id, signal);
      return;
    }
    try {
      await floatingIps.update(cloud, id, { port_id: null }, signal);
    } catch (error) {
      if (!isSuperfluidityError(error, 'SF-OPENSTACK-NOT-FOUND')) throw error;
    }
  }
}

/**
 * What is sure to be taken: with one thing that the provider has not, Octavia refuses all, where a balancer by itself is there for
 * what is changed later. The provider of amphorae leaves pools locked (seen with the laboratory's), and that of OVN was not tried.
 */
function isTakenWhole(provider: string | undefined, { ports }: KuryrLoadBalancer['spec']): boolean {
  return provider === 'superfluidity' && ports.every(({ protocol }) => protocol === 'TCP');
}
