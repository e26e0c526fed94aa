import {
  all,
  any,
  compare,
  type Condition,
  constant,
  type Expr,
  fresh,
  negation,
  read,
  within,
} from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { assign, block, branch, constrain, drop, forward, nothing, type Instruction } from '../../ir/instruction.ts';
import type { Rule } from '../../ir/table.ts';
import type { PortId } from '../../network.ts';
import type { IpFamily, NeutronNetwork, NeutronPort, Prefix } from '../../readers/neutron/deployment.ts';
import { exactly, type Range, setOf, union, widthOf } from '../../readers/netfilter/addresses.ts';
import { groupAddresses } from '../group-addresses.ts';
import { firewallOfServer } from './firewall.ts';
import { flood, groupRanges, sentBy, sentFromOutside } from './flood.ts';
import {
  addressField,
  byFamily,
  isFrame,
  isGateway,
  isServed,
  isOfRouter,
  isOfServer,
  nextHop,
  type Plan,
  prefixMatch,
} from './plan.ts';
import { security } from './security.ts';
import { longestFirst, table } from './table.ts';
import { arrive } from './trunk.ts';

/** RFC 919, RFC 5771, RFC 4291. */
const BROADCAST: Prefix = { family: 'ip', address: 0xffff_ffffn, length: 32 };
const MULTICAST: Prefix = { family: 'ip', address: 0xe000_0000n, length: 4 };
const MULTICAST6: Prefix = { family: 'ip6', address: 0xffn << 120n, length: 8 };

/** Who has an address in a network, and is asked for it. */
interface Owner {
  readonly address: bigint;
  readonly ports: readonly NeutronPort[];
}

/** A network: frames go to the port with their address; packets without a frame, to the port with that of the next hop. */
export function domainPrograms(network: NeutronNetwork, plan: Plan): ReadonlyMap<PortId, Instruction> {
  const name = plan.name(network.id);
  const ports = (plan.portsOfNetwork.get(network.id) ?? []).filter(({ owner }) => owner !== 'network:floatingip');
  const programs = new Map<PortId, Instruction>();
  const macs: Rule[] = ports.map((port, i) => ({ match: [exactly(port.mac)], behaviour: i, source: port.source }));
  const outside = network.external
    ? forward(`${name}:outside:out`)
    : drop('no port of the network has that address', network.source);
  const everybody = flood(network, plan, (port) => deliver(port, plan));
  const frames: Instruction = table(`${name} MAC addresses`, read(field('Ether.dst')), 48, {
    rules: [...macs, { match: [setOf(groupAddresses)], behaviour: ports.length }],
    behaviours: [...ports.map((port) => deliver(port, plan)), everybody],
    miss: outside,
  });
  const packets = byFamily((family) => {
    const owners = ownersOf(network, plan, family);
    return table(`${name} addresses`, read(nextHop(family)), widthOf(family), {
      rules: [
        { match: [setOf(groupRanges(network, plan, family))], behaviour: owners.length },
        ...owners.map(({ address }, i) => ({ match: [exactly(address)], behaviour: i })),
      ],
      behaviours: [...owners.map(({ ports: some }) => choice(some.map((port) => deliver(port, plan)))), everybody],
      miss: outside,
    });
  });
  const up = network.up ? nothing : drop('the network is down', network.source);
  programs.set(
    `${name}:in`,
    block(
      up,
      branch(
        isFrame,
        block(
          byFamily(() => nothing),
          frames,
        ),
        packets,
      ),
    ),
  );
  if (network.external) programs.set(`${name}:outside:in`, fromOutside(network, plan));
  return programs;
}

function deliver(port: NeutronPort, plan: Plan): Instruction {
  const name = plan.name(port.id);
  if (!port.up) return drop('the port is down', port.source);
  if (isOfRouter(port)) return forward(`${plan.name(port.device)}:${name}:in`, port.source);
  if (!isOfServer(port)) return forward(`${name}:out`, port.source);
  return { op: 'call', routine: `${name}/ingress` };
}

/** What the security groups do before a packet gets to a server. */
export function ingressRoutine(port: NeutronPort, plan: Plan): Instruction {
  return block(
    byFamily((family) =>
      block(firewallOfServer(port, 'ingress', plan, family), security(port, 'ingress', plan, family)),
    ),
    arrive(port, plan),
  );
}

/** A server sends: what port security and the groups let through goes to its subnet, or to the gateway. */
export function serverProgram(port: NeutronPort, plan: Plan): Instruction {
  if (!port.up) return drop('the port is down', port.source);
  return block(
    byFamily((family) =>
      block(
        security(port, 'egress', plan, family),
        firewallOfServer(port, 'egress', plan, family),
        branch(isFrame, toAnother(port), hostRoutes(port, plan, family)),
      ),
    ),
    sentBy(port, plan),
    forward(`${plan.name(port.network)}:in`),
  );
}

/** A network sends nothing back to where it came from, and whoever sends from an address is where that address is. */
function toAnother({ mac, portSecurity, allowed }: NeutronPort): Instruction {
  const to = read(field('Ether.dst'));
  const others: Condition = compare(to, '!=', constant(mac, 48));
  const sendsAsOthers = !portSecurity || allowed.some((pair) => pair.mac !== undefined && pair.mac !== mac);
  const another = sendsAsOthers ? all(others, compare(to, '!=', read(field('Ether.src')))) : others;
  return constrain(another, 'a frame to its own sender');
}

/**
 * Frames of which the tenants said something: those for a port of the network. Where a frame goes that is for nobody, to
 * everybody or to none, is up to who realises it; what is for groups is as well. Of fragments rules speak as of the whole.
 */
export function forSomebody({ network }: NeutronPort, plan: Plan): Condition {
  const macs = (plan.portsOfNetwork.get(network) ?? []).map(({ mac }): Range => [mac, mac]);
  const more: Expr = { kind: 'slice', of: read(field('IPv4.flags')), high: 0, low: 0 };
  const offset = read(field('IPv4.fragment'));
  const whole = any(
    negation({ kind: 'exists', at: field('IPv4.fragment') }),
    all(compare(offset, '==', constant(0, 13)), compare(more, '==', constant(0, 1))),
  );
  return all(within(read(field('Ether.dst')), union(macs)), whole);
}

/** A host without a frame of its own: attached subnets, the routes that DHCP told it, and the gateway of its first subnet. */
function hostRoutes(port: NeutronPort, plan: Plan, family: IpFamily): Instruction {
  const hop = nextHop(family);
  const destination = read(addressField(family, 'dst'));
  const behaviours: Instruction[] = [assign(hop, destination)];
  const rules: Rule[] = [];
  const via = (address: bigint) => behaviours.push(assign(hop, constant(address, widthOf(family)))) - 1;
  const subnets = port.addresses
    .filter((one) => one.family === family)
    .flatMap(({ subnet }) => plan.subnets.get(subnet) ?? []);
  for (const { cidr, hostRoutes: routes } of subnets) {
    rules.push({ match: [prefixMatch(cidr)], behaviour: 0 });
    for (const { to, through, source } of routes) {
      if (to.family === family) rules.push({ match: [prefixMatch(to)], behaviour: via(through), source });
    }
  }
  const gateway = subnets.find((each) => each.gateway !== undefined)?.gateway;
  if (gateway !== undefined) {
    const all = { family, address: 0n, length: 0 };
    rules.push({ match: [prefixMatch(all)], behaviour: via(gateway), source: subnets[0]!.source });
  }
  for (const group of family === 'ip' ? [BROADCAST, MULTICAST] : [MULTICAST6]) {
    rules.push({ match: [prefixMatch(group)], behaviour: 0 });
  }
  return table(`${plan.name(port.id)} routes`, destination, widthOf(family), {
    rules: longestFirst(rules),
    behaviours,
    miss: drop('the server has no route there', port.source),
  });
}

/** Outside are hosts of the external subnets; what lies behind them is not known to them. */
function fromOutside(network: NeutronNetwork, plan: Plan): Instruction {
  const known = (family: IpFamily) =>
    table(`${plan.name(network.id)} outside`, read(addressField(family, 'dst')), widthOf(family), {
      rules: plan.deployment.subnets
        .filter((subnet) => subnet.network === network.id && subnet.cidr.family === family)
        .map(({ cidr, source }) => ({ match: [prefixMatch(cidr)], behaviour: 0, source })),
      behaviours: [assign(nextHop(family), read(addressField(family, 'dst')))],
      miss: drop('hosts outside know no way to tenants', network.source),
    });
  return block(branch(isFrame, nothing, byFamily(known)), sentFromOutside, forward(`${plan.name(network.id)}:in`));
}

/** Routers know the neighbours that the service knows; the address of anybody else outside may be anything but theirs. */
export function neighbours(network: NeutronNetwork, plan: Plan, family: IpFamily): Instruction {
  const owners = ownersOf(network, plan, family);
  const to = field('Ether.dst');
  const resolved = table(`${plan.name(network.id)} neighbours`, read(nextHop(family)), widthOf(family), {
    rules: owners.map(({ address }, i) => ({ match: [exactly(address)], behaviour: i })),
    behaviours: owners.map(({ ports }) => choice(ports.map(({ mac }) => assign(to, constant(mac, 48))))),
    miss: network.external
      ? block(assign(to, fresh('MAC address of a host outside', 48)), forward(`${plan.name(network.id)}:outside:out`))
      : drop('nobody answers for the next hop', network.source),
  });
  return branch(negation(isFrame), nothing, resolved);
}

function ownersOf(network: NeutronNetwork, plan: Plan, family: IpFamily): readonly Owner[] {
  const ports = (plan.portsOfNetwork.get(network.id) ?? []).filter(({ owner }) => owner !== 'network:floatingip');
  const owners = new Map<bigint, NeutronPort[]>();
  const add = (address: bigint, port: NeutronPort) => owners.set(address, [...(owners.get(address) ?? []), port]);
  for (const port of ports) {
    for (const one of port.addresses) if (one.family === family) add(one.address, port);
  }
  const fixed = new Set(owners.keys());
  for (const { allowed, ...port } of ports) {
    for (const { prefix } of allowed) {
      const isHost = prefix.family === family && prefix.length === widthOf(family);
      if (isHost && !fixed.has(prefix.address)) add(prefix.address, { allowed, ...port });
    }
  }
  if (family === 'ip') {
    for (const floating of plan.deployment.floatingIps) {
      const { network: of, address, router } = floating;
      const gateway = ports.find((port) => isGateway(port) && port.device === router);
      if (of === network.id && isServed(floating) && gateway !== undefined) add(address, gateway);
    }
  }
  return [...owners].map(([address, some]) => ({ address, ports: some }));
}

const choice = (branches: readonly Instruction[]): Instruction =>
  branches.length === 1 ? branches[0]! : { op: 'choose', branches };
