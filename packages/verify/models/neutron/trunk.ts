import { constant, meta, read } from '../../ir/expression.ts';
import { assign, block, branch, drop, forward, type Instruction } from '../../ir/instruction.ts';
import { exactly } from '../../readers/netfilter/addresses.ts';
import type { NeutronPort } from '../../readers/neutron/deployment.ts';
import { tagFrom, untagInto } from '../openflow/frame.ts';
import { isFrame, type Plan } from './plan.ts';
import { table } from './table.ts';

const tag = meta('neutron.tag');
const TAGGED = 0x1000;

/** What a server sends by the parent port of a trunk: frames without a tag are its own, those with one of a sub-port. */
export function trunked(port: NeutronPort, plan: Plan, own: Instruction): Instruction {
  const trunk = plan.deployment.trunks.find(({ parent }) => parent === port.id);
  if (trunk === undefined) return own;
  const known = trunk.subPorts.filter(({ port: id }) => plan.deployment.ports.some((each) => each.id === id));
  const sorted = table(`${plan.name(port.id)} sub-ports`, { kind: 'slice', of: read(tag), high: 12, low: 0 }, 13, {
    rules: [
      { match: [exactly(0n)], behaviour: 0 },
      ...known.map(({ vlan }, i) => ({
        match: [exactly(BigInt(TAGGED | vlan))],
        behaviour: i + 1,
        source: trunk.source,
      })),
    ],
    behaviours: [own, ...known.map(({ port: id }) => forward(`${plan.name(id)}:in`))],
    miss: drop('no sub-port has that VLAN', trunk.source),
  });
  const down = drop('the trunk is down', trunk.source);
  return trunk.up ? branch(isFrame, block(untagInto(tag), sorted), own) : down;
}

/** Where a packet for the port arrives: frames of a sub-port go to its server by the parent, with their tag. */
export function arrive(port: NeutronPort, plan: Plan): Instruction {
  const out = forward(`${plan.name(port.id)}:out`);
  const trunk = plan.deployment.trunks.find(({ subPorts }) => subPorts.some((each) => each.port === port.id));
  const isKnown = plan.deployment.ports.some(({ id }) => id === trunk?.parent);
  if (trunk === undefined || !isKnown) return out;
  if (!trunk.up) return drop('the trunk is down', trunk.source);
  const { vlan } = trunk.subPorts.find((each) => each.port === port.id)!;
  const tagged = block(
    assign(tag, constant(TAGGED | vlan, 16)),
    tagFrom(tag),
    forward(`${plan.name(trunk.parent)}:out`),
  );
  return branch(isFrame, tagged, out);
}
