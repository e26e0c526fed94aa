import { all, compare, type Condition, constant, read } from '../../ir/expression.ts';
import { field, protocols } from '../../ir/fields.ts';
import { assign, block, branch, constrain, drop, forward, type Instruction, nothing } from '../../ir/instruction.ts';
import type { NeutronPort } from '../../readers/neutron/deployment.ts';
import { sentBy } from './flood.ts';
import { addressField, byFamily, isFrame, nextHop, type Plan } from './plan.ts';
import { genuine, isDhcp } from './security.ts';

/** `network:dhcp`, and `network:distributed` of OVN, which answers for metadata too. */
export const isOfAgent = ({ owner }: NeutronPort) => owner === 'network:dhcp' || owner === 'network:distributed';

/** An agent of DHCP begins nothing but answers of DHCP, some of which go to everybody. Everything else is sent to it. */
export function agentProgram(port: NeutronPort, plan: Plan): Instruction {
  if (!port.up) return drop('the port is down', port.source);
  return block(
    byFamily((family) =>
      block(
        genuine(port, family),
        constrain(isDhcp(family, 'answer'), 'agents of DHCP send nothing but answers', port.source),
        branch(isFrame, nothing, assign(nextHop(family), read(addressField(family, 'dst')))),
      ),
    ),
    sentBy(port, plan),
    forward(`${plan.name(port.network)}:in`),
  );
}

/** What a router sends on to the metadata agent instead of routing it. */
export const isMetadata: Condition = all(
  compare(read(field('IPv4.proto')), '==', constant(protocols.tcp, 8)),
  compare(read(field('IPv4.dst')), '==', constant(0xa9fe_a9fen, 32)),
  compare(read(field('TCP.dport')), '==', constant(80, 16)),
);
