import { append } from '@superfluidity/core';
import { childrenOf, type Instruction } from './ir/instruction.ts';
import type { Network, PortId } from './network.ts';

const known = new WeakMap<Network, ReadonlySet<PortId>>();

/** All ports that programs, links and edges speak of. */
export function portsOf(network: Network): ReadonlySet<PortId> {
  let ports = known.get(network);
  if (ports === undefined) {
    ports = collect(network);
    known.set(network, ports);
  }
  return ports;
}

function collect(network: Network): ReadonlySet<PortId> {
  const ports = new Set<PortId>([...network.programs.keys(), ...(network.edges ?? [])]);
  for (const [from, to] of network.links) for (const port of [from, ...to]) ports.add(port);
  const waiting: Instruction[] = [...network.programs.values(), ...network.routines.values()];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.op === 'forward') ports.add(next.to);
    else append(waiting, childrenOf(next));
  }
  return ports;
}
