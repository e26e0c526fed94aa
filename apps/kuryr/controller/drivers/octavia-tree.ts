import { canonicalJson } from '@superfluidity/core';
import {
  balancerListeners,
  balancerPools,
  type Cloud,
  type LoadBalancerListener,
  poolMembers,
  replaceMembers,
  settled,
} from '@superfluidity/openstack';
import type { KuryrLoadBalancer } from '../../api/load-balancer.ts';

type Spec = KuryrLoadBalancer['spec'];
type Port = Spec['ports'][number];
type Fields = Readonly<Record<string, unknown>>;

/** What all things below a load balancer are made with. */
interface Ways {
  /** L2: where pods are; members are reached there and not by a router. */
  readonly podSubnet?: string;
  readonly provider?: string;
}

interface Place extends Ways {
  readonly cloud: Cloud;
  /** Of the load balancer. */
  readonly id: string;
  readonly doing: string;
  readonly signal: AbortSignal;
}

/** With the timeouts that the Service asked for: the description of its listener. */
const TIMED = 'timeouts of the Service:';

/**
 * What is below a new load balancer, as its creation takes it: one change, where one after the other each thing waits until the
 * provider has done the one before. Names of pools say which of them a listener leads to.
 */
export function wholeTree(ways: Ways, { ports, affinitySeconds, timeouts }: Spec): Fields {
  const isAffine = affinitySeconds !== undefined;
  return {
    pools: ports.map((port) => ({
      name: nameOf(port),
      ...given(poolFields(ways, port, isAffine)),
      members: memberFields(ways, port),
    })),
    listeners: ports.map((port) => ({
      name: nameOf(port),
      protocol: port.protocol,
      protocol_port: port.port,
      default_pool: { name: nameOf(port) },
      ...given(timedFields(port, timeouts)),
    })),
  };
}

/** From the listeners, pools and members that are there to those that are wanted. */
export async function becomeTree(place: Place, spec: Spec): Promise<void> {
  await new Tree(place).become(spec);
}

const nameOf = ({ protocol, port }: Pick<Port, 'protocol' | 'port'>): string => `${protocol}:${port}`;

function poolFields({ provider }: Ways, { protocol }: Port, isAffine: boolean) {
  // The provider of OVN knows this one alone.
  const lb_algorithm = provider === 'ovn' ? 'SOURCE_IP_PORT' : 'ROUND_ROBIN';
  return { protocol, lb_algorithm, session_persistence: isAffine ? { type: 'SOURCE_IP' } : null };
}

function memberFields({ podSubnet }: Ways, { members }: Port) {
  return members.map(({ address, port, pod }) => ({
    address,
    protocol_port: port,
    ...(pod === undefined ? {} : { name: `${pod}:${port}`.slice(0, 255) }),
    ...(podSubnet === undefined ? {} : { subnet_id: podSubnet }),
  }));
}

/** Octavia has timeouts of TCP alone. Null: as it has them by itself. */
function timedFields({ protocol }: Port, timeouts: Spec['timeouts']) {
  const { clientMs = null, memberMs = null } = (protocol === 'TCP' ? timeouts : undefined) ?? {};
  const isTimed = clientMs !== null || memberMs !== null;
  // Written down at the listener, so that it is known what to take back when it is no longer asked for.
  const description = isTimed ? `${TIMED} ${clientMs ?? '-'} ${memberMs ?? '-'}` : '';
  return { description, timeout_client_data: clientMs, timeout_member_data: memberMs };
}

/** Null and nothing are for changes alone. */
function given(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== ''));
}

interface Listening {
  readonly port: Port;
  readonly poolId: string;
  readonly timeouts: Spec['timeouts'];
}

/** Each change locks the load balancer, until its provider has carried that out. */
class Tree {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  async become({ ports, affinitySeconds, timeouts }: Spec): Promise<void> {
    const { cloud, id, signal } = this.#place;
    const below = { loadbalancer_id: id };
    const wanted = new Map(ports.map((port) => [nameOf(port), port]));
    const listeners = await balancerListeners.list(cloud, [], below, signal);
    for (const one of listeners)
      if (!wanted.has(nameOf({ protocol: one.protocol as Port['protocol'], port: one.protocol_port })))
        await this.#change(() => balancerListeners.delete(cloud, [], one.id, signal));
    const pools = await balancerPools.list(cloud, [], below, signal);
    const isAffine = affinitySeconds !== undefined;
    for (const [name, port] of wanted) {
      const { session_persistence, ...fixed } = poolFields(this.#place, port, isAffine);
      let pool = pools.find((one) => one.name === name);
      if (pool !== undefined && (pool.session_persistence?.type === 'SOURCE_IP') !== isAffine)
        await this.#change(() => balancerPools.update(cloud, [], pool!.id, { session_persistence }, signal));
      const fields = { name, ...below, ...fixed, session_persistence };
      pool ??= await this.#change(() => balancerPools.create(cloud, [], fields, signal));
      await this.#members(pool.id, port);
      const listener = listeners.find((one) => one.protocol === port.protocol && one.protocol_port === port.port);
      await this.#listen(listener, { port, poolId: pool.id, timeouts });
    }
    for (const one of pools)
      if (!wanted.has(one.name)) await this.#change(() => balancerPools.delete(cloud, [], one.id, signal));
  }

  async #listen(listener: LoadBalancerListener | undefined, { port, poolId, timeouts }: Listening): Promise<void> {
    const { cloud, id, signal } = this.#place;
    const timed = timedFields(port, timeouts);
    const pooled = { default_pool_id: poolId };
    if (listener === undefined) {
      const place = { name: nameOf(port), loadbalancer_id: id, protocol: port.protocol, protocol_port: port.port };
      const fields = { ...place, ...pooled, ...given(timed) };
      await this.#change(() => balancerListeners.create(cloud, [], fields, signal));
      return;
    }
    const before = listener.description?.startsWith(TIMED) === true ? listener.description : '';
    const { description, timeout_client_data: clientMs, timeout_member_data: memberMs } = timed;
    const isKept =
      before === description &&
      (clientMs ?? listener.timeout_client_data) === listener.timeout_client_data &&
      (memberMs ?? listener.timeout_member_data) === listener.timeout_member_data;
    const fields = { ...(listener.default_pool_id === poolId ? {} : pooled), ...(isKept ? {} : timed) };
    if (Object.keys(fields).length === 0) return;
    await this.#change(() => balancerListeners.update(cloud, [], listener.id, fields, signal));
  }

  async #members(poolId: string, port: Port): Promise<void> {
    const { cloud, signal } = this.#place;
    const word = (address: string, at: number) => `${address}:${at}`;
    const there = await poolMembers.list(cloud, [poolId], {}, signal);
    const now = there.map((one) => word(one.address, one.protocol_port)).toSorted();
    const wanted = port.members.map((one) => word(one.address, one.port)).toSorted();
    if (canonicalJson(now) === canonicalJson(wanted)) return;
    await this.#change(() => replaceMembers(cloud, poolId, memberFields(this.#place, port), signal));
  }

  async #change<T>(work: () => Promise<T>): Promise<T> {
    const { cloud, id, doing, signal } = this.#place;
    const made = await work();
    await settled(cloud, id, doing, signal);
    return made;
  }
}
