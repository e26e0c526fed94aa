import { canonicalJson, isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import {
  balancerListeners,
  balancerPools,
  type Cloud,
  createOnce,
  type FloatingIp,
  floatingIps,
  type LoadBalancer,
  type LoadBalancerListener,
  loadBalancers,
  poolMembers,
  removeLoadBalancer,
  replaceMembers,
  settled,
} from '@superfluidity/openstack';
import type { KuryrLoadBalancer } from '../../api/load-balancer.ts';
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

type Port = KuryrLoadBalancer['spec']['ports'][number];
type Status = NonNullable<KuryrLoadBalancer['status']>;

const nameOf = ({ protocol, port }: Pick<Port, 'protocol' | 'port'>): string => `${protocol}:${port}`;

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
    await new Tree(this.#options, id, doing, signal).become(spec);
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
    };
    return createOnce(cloud, {
      find: async () => {
        const found = await this.#find(balancer, signal);
        return found === undefined ? [] : [found];
      },
      create: () => loadBalancers.create(cloud, [], fields, signal),
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

/** With the timeouts that the Service asked for: the description of its listener. */
const TIMED = 'timeouts of the Service:';

interface Listening {
  readonly name: string;
  readonly port: Port;
  readonly poolId: string;
  readonly timeouts: KuryrLoadBalancer['spec']['timeouts'];
}

/** Listeners, pools and members below a load balancer. Each change locks it, until its provider has carried that out. */
class Tree {
  readonly #options: OctaviaOptions;
  readonly #id: string;
  readonly #doing: string;
  readonly #signal: AbortSignal;

  constructor(options: OctaviaOptions, id: string, doing: string, signal: AbortSignal) {
    this.#options = options;
    this.#id = id;
    this.#doing = doing;
    this.#signal = signal;
  }

  async become({ ports, affinitySeconds, timeouts }: KuryrLoadBalancer['spec']): Promise<void> {
    const { cloud } = this.#options;
    const below = { loadbalancer_id: this.#id };
    const wanted = new Map(ports.map((port) => [nameOf(port), port]));
    const listeners = await balancerListeners.list(cloud, [], below, this.#signal);
    for (const one of listeners)
      if (!wanted.has(nameOf({ protocol: one.protocol as Port['protocol'], port: one.protocol_port })))
        await this.#change(() => balancerListeners.delete(cloud, [], one.id, this.#signal));
    const pools = await balancerPools.list(cloud, [], below, this.#signal);
    const isAffine = affinitySeconds !== undefined;
    for (const [name, port] of wanted) {
      let pool = pools.find((one) => one.name === name);
      if (pool !== undefined && (pool.session_persistence?.type === 'SOURCE_IP') !== isAffine) {
        const persistence = isAffine ? { type: 'SOURCE_IP' } : null;
        await this.#change(() =>
          balancerPools.update(cloud, [], pool!.id, { session_persistence: persistence }, this.#signal),
        );
      }
      pool ??= await this.#change(() =>
        balancerPools.create(cloud, [], this.#pool(name, port, isAffine), this.#signal),
      );
      await this.#members(pool.id, port);
      const listener = listeners.find((one) => one.protocol === port.protocol && one.protocol_port === port.port);
      await this.#listen(listener, { name, port, poolId: pool.id, timeouts });
    }
    for (const one of pools)
      if (!wanted.has(one.name)) await this.#change(() => balancerPools.delete(cloud, [], one.id, this.#signal));
  }

  async #listen(
    listener: LoadBalancerListener | undefined,
    { name, port, poolId, timeouts }: Listening,
  ): Promise<void> {
    const { cloud } = this.#options;
    // Octavia has timeouts of TCP alone. Null: as it has them by itself.
    const asked = port.protocol === 'TCP' ? timeouts : undefined;
    const { clientMs = null, memberMs = null } = asked ?? {};
    const isTimed = clientMs !== null || memberMs !== null;
    // Written down at the listener, so that it is known what to take back when it is no longer asked for.
    const description = isTimed ? `${TIMED} ${clientMs ?? '-'} ${memberMs ?? '-'}` : '';
    const timed = { description, timeout_client_data: clientMs, timeout_member_data: memberMs };
    const pooled = { default_pool_id: poolId };
    if (listener === undefined) {
      const { protocol, port: protocol_port } = port;
      const place = { name, loadbalancer_id: this.#id, protocol, protocol_port };
      // A null is for changes alone.
      const set = Object.entries(timed).filter(([, value]) => value !== null && value !== '');
      const fields = { ...place, ...pooled, ...Object.fromEntries(set) };
      await this.#change(() => balancerListeners.create(cloud, [], fields, this.#signal));
      return;
    }
    const before = listener.description?.startsWith(TIMED) === true ? listener.description : '';
    const isKept =
      before === description &&
      (clientMs ?? listener.timeout_client_data) === listener.timeout_client_data &&
      (memberMs ?? listener.timeout_member_data) === listener.timeout_member_data;
    const fields = { ...(listener.default_pool_id === poolId ? {} : pooled), ...(isKept ? {} : timed) };
    if (Object.keys(fields).length === 0) return;
    await this.#change(() => balancerListeners.update(cloud, [], listener.id, fields, this.#signal));
  }

  #pool(name: string, { protocol }: Port, isAffine: boolean) {
    // The provider of OVN knows this one alone.
    const lb_algorithm = this.#options.provider === 'ovn' ? 'SOURCE_IP_PORT' : 'ROUND_ROBIN';
    const session_persistence = isAffine ? { type: 'SOURCE_IP' } : null;
    return { name, loadbalancer_id: this.#id, protocol, lb_algorithm, session_persistence };
  }

  async #members(poolId: string, { members }: Port): Promise<void> {
    const { cloud, podSubnet } = this.#options;
    const word = (address: string, port: number) => `${address}:${port}`;
    const there = await poolMembers.list(cloud, [poolId], {}, this.#signal);
    const now = there.map((one) => word(one.address, one.protocol_port)).toSorted();
    const wanted = members.map((one) => word(one.address, one.port)).toSorted();
    if (canonicalJson(now) === canonicalJson(wanted)) return;
    const fields = members.map(({ address, port, pod }) => ({
      address,
      protocol_port: port,
      ...(pod === undefined ? {} : { name: `${pod}:${port}`.slice(0, 255) }),
      ...(podSubnet === undefined ? {} : { subnet_id: podSubnet }),
    }));
    await this.#change(() => replaceMembers(cloud, poolId, fields, this.#signal));
  }

  async #change<T>(work: () => Promise<T>): Promise<T> {
    const made = await work();
    await settled(this.#options.cloud, this.#id, this.#doing, this.#signal);
    return made;
  }
}
