import { compare, constant, meta, read } from '../../ir/expression.ts';
import { assign, block, branch, drop, forward, type Instruction, nothing } from '../../ir/instruction.ts';
import type { IpFamily, NeutronNetwork, NeutronPort } from '../../readers/neutron/deployment.ts';
import { type Range, union } from '../../readers/netfilter/addresses.ts';
import { broadcastRanges, multicastRanges } from '../netfilter/addresses-of-box.ts';
import type { Plan } from './plan.ts';

/** Which port of the network the packet came from: those of servers and routers have numbers from 1. */
const sender = meta('neutron.sender');
const BITS = 16;
const NOBODY = 0;
const OUTSIDE = 0xffff;

const put = (number: number): Instruction => assign(sender, constant(number, BITS));

/** Told to a network before a packet comes into it. */
export function sentBy(port: NeutronPort, plan: Plan): Instruction {
  return put(1 + (plan.portsOfNetwork.get(port.network) ?? []).indexOf(port));
}

export const sentFromOutside: Instruction = put(OUTSIDE);

/** What is for everybody goes to all ports but the one that it came from, as far as each lets it in. */
export function flood(network: NeutronNetwork, plan: Plan, deliver: (port: NeutronPort) => Instruction): Instruction {
  const ways = (plan.portsOfNetwork.get(network.id) ?? []).flatMap((port, i) =>
    port.owner === 'network:floatingip' ? [] : [{ number: i + 1, out: deliver(port) }],
  );
  if (network.external) ways.push({ number: OUTSIDE, out: forward(`${plan.name(network.id)}:outside:out`) });
  if (ways.length === 0) return drop('nobody else is in the network', network.source);
  const back = drop('a network sends nothing back to where it came from', network.source);
  const branches = ways.map(({ number, out }) =>
    branch(compare(read(sender), '==', constant(number, BITS)), back, out),
  );
  return block(
    branch({ kind: 'exists', at: sender }, nothing, put(NOBODY)),
    branches.length === 1 ? branches[0]! : { op: 'fork', branches },
  );
}

/** Addresses of all, and of groups, in a network. */
export function groupRanges(network: NeutronNetwork, plan: Plan, family: IpFamily): readonly Range[] {
  const addresses = plan.deployment.subnets
    .filter((subnet) => subnet.network === network.id)
    .map(({ cidr: { family: of, address, length } }) => ({ family: of, address, length }));
  const interfaces = [{ name: plan.name(network.id), addresses }];
  return union([...broadcastRanges({ rulesets: [], interfaces, routes: [] }, family), ...multicastRanges(family)]);
}
