import type { Condition } from '../../ir/expression.ts';
import { compare, constant, meta, read } from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { branch, drop, type Instruction } from '../../ir/instruction.ts';
import type { Match } from '../../ir/table.ts';
import { type Range, rangeOf, widthOf } from '../../readers/netfilter/addresses.ts';
import type {
  FloatingIp,
  IpFamily,
  NeutronDeployment,
  NeutronNetwork,
  NeutronPort,
  NeutronRouter,
  NeutronSubnet,
  Prefix,
} from '../../readers/neutron/deployment.ts';

/** A deployment with its references resolved, and a name for each of its boxes. */
export interface Plan {
  readonly deployment: NeutronDeployment;
  readonly networks: ReadonlyMap<string, NeutronNetwork>;
  readonly subnets: ReadonlyMap<string, NeutronSubnet>;
  readonly routers: ReadonlyMap<string, NeutronRouter>;
  readonly portsOfNetwork: ReadonlyMap<string, readonly NeutronPort[]>;
  readonly portsOfRouter: ReadonlyMap<string, readonly NeutronPort[]>;
  /** Of networks, routers and ports, by their identifiers. */
  name(id: string): string;
}

export function planOf(deployment: NeutronDeployment): Plan {
  const byId = <T extends { readonly id: string }>(all: readonly T[]) => new Map(all.map((one) => [one.id, one]));
  const { networks, subnets, routers, ports } = deployment;
  const names = namesOf([...ports, ...routers, ...networks]);
  return {
    deployment,
    networks: byId(networks),
    subnets: byId(subnets),
    routers: byId(routers),
    portsOfNetwork: Map.groupBy(ports, ({ network }) => network),
    portsOfRouter: Map.groupBy(ports.filter(isOfRouter), ({ device }) => device),
    name: (id) => names.get(id) ?? id,
  };
}

/** Names that only one of them has; others go by their identifiers. */
function namesOf(all: readonly { readonly id: string; readonly name: string }[]): ReadonlyMap<string, string> {
  const written = ({ name }: { readonly name: string }) => name.replaceAll(/[\s:]/g, '-');
  const times = new Map<string, number>();
  for (const one of all)
    for (const name of new Set([written(one), one.id])) times.set(name, (times.get(name) ?? 0) + 1);
  return new Map(
    all.map((one) => [one.id, written(one) !== '' && times.get(written(one)) === 1 ? written(one) : one.id]),
  );
}

export const isGateway = ({ owner }: NeutronPort) => owner === 'network:router_gateway';

/** A floating address that stands for something: then the gateway of its router has it. */
export const isServed = ({ fixed, forwardings }: FloatingIp) => fixed !== undefined || forwardings.length > 0;

/** Interfaces of routers: centralised, distributed, and highly available ones. */
export function isOfRouter(port: NeutronPort): boolean {
  return isGateway(port) || /^network:(?:router_interface|ha_router_replicated_interface)/.test(port.owner);
}

/** The port of a server, or one that waits for a server. */
export const isOfServer = ({ owner }: NeutronPort) => !owner.startsWith('network:');

/** The address to which a packet is sent next, as a host that asks for neighbours sees it. */
export const nextHop = (family: IpFamily) => meta(`next hop ${family}`);

export const addressField = (family: IpFamily, side: 'src' | 'dst') =>
  field(family === 'ip' ? `IPv4.${side}` : `IPv6.${side}`);

export const isFrame: Condition = { kind: 'exists', at: field('Ether.dst') };

export function byFamily(of: (family: IpFamily) => Instruction): Instruction {
  const version = field('IPv4.version');
  const is = (number: bigint) => compare(read(version), '==', constant(number, 4));
  const other = drop('only IP packets are modelled: neighbours are known without being asked');
  return branch({ kind: 'exists', at: version }, branch(is(4n), of('ip'), branch(is(6n), of('ip6'), other)), other);
}

export function prefixMatch({ address, length }: Prefix): Match {
  return { kind: 'prefix', value: address, length };
}

export function prefixRange(prefix: Prefix): Range {
  return rangeOf(prefixMatch(prefix), widthOf(prefix.family))!;
}

export const host = (family: IpFamily, address: bigint): Prefix => ({ family, address, length: widthOf(family) });
