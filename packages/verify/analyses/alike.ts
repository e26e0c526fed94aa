import type { Assembled } from '../assemble/assemble.ts';
import type { Start } from '../engine/explore.ts';
import { constant } from '../ir/expression.ts';
import { assign } from '../ir/instruction.ts';
import { layouts } from '../ir/layouts.ts';
import type { PortId } from '../network.ts';
import { flowState } from '../models/netfilter/keys.ts';
import { ctState } from '../readers/netfilter/ruleset.ts';

/** How what tenants asked for is compared with what nodes have. */
export interface Alike {
  /** The port of the second network that a port of the first one is. */
  readonly ports: ReadonlyMap<PortId, PortId>;
  /** Where packets begin in the first network, and which. */
  readonly starts: readonly Start[];
  /** Ports that only one of the networks has: nobody sends there. */
  readonly alone: readonly PortId[];
}

const frames = layouts.filter(({ name }) => name.startsWith('ether/ipv4/'));

/**
 * Of two networks that know ports of Neutron by their identifiers, as the API of a cloud does and Open vSwitch at its nodes:
 * which ports are the same. Packets are frames that begin a connection, and go to a port of their network: of others the
 * tenants said nothing. Undefined where only one of the networks, or none, has such ports.
 */
export function alike(a: Assembled, b: Assembled): Alike | undefined {
  if (a.ends.size === 0 || b.ends.size === 0) return undefined;
  const ports = new Map<PortId, PortId>();
  const starts: Start[] = [];
  const alone: PortId[] = [];
  for (const [id, { sends, receives, meant }] of a.ends) {
    const other = b.ends.get(id);
    // On its nodes a cloud has the ports of all tenants, and this is about those of one.
    if (other === undefined) {
      if (meant !== undefined) alone.push(sends);
      continue;
    }
    ports.set(sends, other.sends).set(receives, other.receives);
    const assume = meant ?? other.meant;
    starts.push({
      port: sends,
      layouts: frames,
      setup: assign(flowState, constant(ctState.new, 8)),
      ...(assume === undefined ? {} : { assume }),
    });
  }
  for (const [id, { sends, meant }] of b.ends) if (meant !== undefined && !a.ends.has(id)) alone.push(sends);
  return { ports, starts, alone };
}
