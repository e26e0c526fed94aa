import { isSuperfluidityError, SuperfluidityError, Turns } from '@superfluidity/core';
import { type BalancerSpec, refuseUnsupported } from '@superfluidity/fabric';
import { type BalancerBackend, objectionsTo, parseIpv4, parseIpv4Prefix, prefixHas } from '@superfluidity/model';
import {
  balancerProviders,
  createLoadBalancer,
  createOnce,
  type LoadBalancer,
  loadBalancers,
  removeLoadBalancer,
  settled,
} from '@superfluidity/openstack';
import type { Networks } from '../neutron/networks.ts';
import type { World } from '../world.ts';
import { reconcile } from './reconcile.ts';
import { type WantedBalancer, wantedBalancer } from './wanted.ts';
import { wholeTree } from './whole-tree.ts';

/** Names of providers as clouds enable them, and which of our kinds of balancers each is. The first that can is taken. */
const PROVIDERS: readonly (readonly [provider: string, kind: BalancerBackend])[] = [
  ['superfluidity', 'octavia superfluidity'],
  ['amphora', 'octavia amphora'],
  ['amphorav2', 'octavia amphora'],
  ['octavia', 'octavia amphora'],
  ['ovn', 'octavia ovn'],
];

/** Balancers as load balancers of Octavia, which keeps all of it. Ours are found again by their tags. */
export class OctaviaBalancers {
  readonly #world: World;
  readonly #networks: Pick<Networks, 'get'>;
  readonly #turns = new Turns();

  constructor(world: World, networks: Pick<Networks, 'get'>) {
    this.#world = world;
    this.#networks = networks;
  }

  /** Kinds of balancers that the cloud has for these credentials: Octavia wants a role of its own. */
  async kinds(signal: AbortSignal): Promise<readonly BalancerBackend[]> {
    return [...new Set((await orNone(this.#providers(signal))).map(([, kind]) => kind))];
  }

  ensure(spec: BalancerSpec, signal: AbortSignal): Promise<void> {
    return this.#turns.take(spec.id, async () => {
      const { cloud } = this.#world;
      const doing = `set balancer ${spec.name} of ${spec.service} at ${this.#world.name}`;
      const wanted = wantedBalancer(spec, doing);
      let found = await this.#find(spec.id, signal);
      if (found !== undefined && !(await this.#isUsable(found, spec, signal))) {
        await removeLoadBalancer(cloud, found.id, signal);
        found = undefined;
      }
      const { id } = found ?? (await this.#create(spec, wanted, doing, signal));
      await settled(cloud, id, doing, signal);
      await reconcile(cloud, id, wanted, doing, signal);
    });
  }

  remove(id: string, signal: AbortSignal): Promise<void> {
    return this.#turns.take(id, async () => {
      for (let found = await this.#find(id, signal); found !== undefined; found = await this.#find(id, signal))
        await removeLoadBalancer(this.#world.cloud, found.id, signal);
    });
  }

  /** All of the site. Their names. */
  async purge(signal: AbortSignal): Promise<readonly string[]> {
    const { cloud, marks } = this.#world;
    if ((await cloud.endpoint('load-balancer')) === undefined) return [];
    const all = await orNone(loadBalancers.list(cloud, [], { tags: marks.siteTag }, signal));
    const ours = all.filter((one) => marks.isOurs(one));
    for (const { id } of ours) await removeLoadBalancer(cloud, id, signal);
    return ours.map(({ name }) => name);
  }

  async #find(id: string, signal: AbortSignal): Promise<LoadBalancer | undefined> {
    const { cloud, marks } = this.#world;
    const all = await loadBalancers.list(cloud, [], { description: marks.description(id) }, signal);
    return all.find((one) => one.description === marks.description(id) && one.provisioning_status !== 'DELETED');
  }

  /** One that failed is made anew, and so is one whose address or provider is another now. */
  async #isUsable(found: LoadBalancer, spec: BalancerSpec, signal: AbortSignal): Promise<boolean> {
    if (found.provisioning_status === 'ERROR' || found.vip_address !== spec.address) return false;
    const kind = (await this.#providers(signal)).find(([provider]) => provider === found.provider)?.[1];
    return kind === undefined || objectionsTo(spec, kind).length === 0;
  }

  async #create(spec: BalancerSpec, wanted: WantedBalancer, doing: string, signal: AbortSignal): Promise<LoadBalancer> {
    const { cloud, marks } = this.#world;
    const { subnetId, spec: network } = await this.#networks.get(spec.network, signal);
    const prefix = parseIpv4Prefix(network.prefix);
    const address = parseIpv4(spec.address);
    if (prefix === undefined || address === undefined || !prefixHas(prefix, address)) {
      throw new SuperfluidityError('SF-CLOUD-BALANCER', {
        doing,
        reason: `the address ${spec.address} is none of ${network.prefix}, which network ${network.name} has here`,
        hint: 'In a cloud the address of a balancer is one of its network: give it one of the part that this site has.',
      });
    }
    const [provider, kind] = await this.#provider(spec, doing, signal);
    const find = async () => {
      const found = await this.#find(spec.id, signal);
      return found === undefined ? [] : [found];
    };
    const fields = {
      name: `${spec.service}.${spec.name}`,
      description: marks.description(spec.id),
      tags: marks.tags(spec.id),
      vip_subnet_id: subnetId,
      vip_address: spec.address,
      provider,
      // That of amphorae leaves pools locked (seen with the laboratory's), and that of OVN was not tried.
      ...(kind === 'octavia superfluidity' ? wholeTree(wanted) : {}),
    };
    const create = () => createLoadBalancer(cloud, fields, signal);
    const remove = async (surplus: LoadBalancer) => void (await removeLoadBalancer(cloud, surplus.id, signal));
    return createOnce(cloud, { find, create, remove, signal });
  }

  async #provider(spec: BalancerSpec, doing: string, signal: AbortSignal): Promise<(typeof PROVIDERS)[number]> {
    const all = await this.#providers(signal);
    refuseUnsupported(
      doing,
      spec,
      all.map(([, kind]) => kind),
    );
    return all.find(([, kind]) => objectionsTo(spec, kind).length === 0)!;
  }

  async #providers(signal: AbortSignal): Promise<typeof PROVIDERS> {
    const { cloud } = this.#world;
    if ((await cloud.endpoint('load-balancer')) === undefined) return [];
    const enabled = new Set((await balancerProviders(cloud, signal)).map(({ name }) => name));
    return PROVIDERS.filter(([name]) => enabled.has(name));
  }
}

/** Nothing where the role for it is missing: then nothing of ours is there either. */
async function orNone<T>(asked: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await asked;
  } catch (error) {
    if (isSuperfluidityError(error, 'SF-OPENSTACK-FORBIDDEN')) return [];
    throw error;
  }
}
