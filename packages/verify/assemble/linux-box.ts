import type { NetfilterBox, NetfilterRoute } from '../models/netfilter/box.ts';
import type { BoxParts } from './parts.ts';

/** Rules, routes and addresses of one Linux box. Interfaces are those with an address and those that a route names. */
export function linuxBox({ fib, fib6, rulesets, ipsets, interfaces, neighbours }: BoxParts): NetfilterBox {
  const routes: NetfilterRoute[] = [];
  const names = new Set(interfaces.map(({ name }) => name));
  if (fib !== undefined) {
    for (let i = 0; i < fib.addresses.length; i += 1) {
      const target = fib.targets[fib.target[i]!]!;
      // Addresses of the box itself come from its interfaces.
      if (target.kind === 'receive') continue;
      const through = target.kind === 'interfaces' ? target.names : [];
      for (const name of through) names.add(name);
      routes.push({
        family: 'ip',
        address: BigInt(fib.addresses[i]!),
        length: fib.lengths[i]!,
        interfaces: through,
        ...(fib.hops[i] === 0 ? {} : { via: BigInt(fib.hops[i]!) }),
        source: { file: fib.file, line: fib.lines[i]! },
      });
    }
  }
  for (const { address, length, target, line } of fib6?.routes ?? []) {
    if (target.kind === 'receive') continue;
    const through = target.kind === 'interfaces' ? target.names : [];
    for (const name of through) names.add(name);
    routes.push({ family: 'ip6', address, length, interfaces: through, source: { file: fib6!.file, line } });
  }
  return {
    rulesets,
    ipsets,
    interfaces: [...names].map((name) => interfaces.find((each) => each.name === name) ?? { name, addresses: [] }),
    ...(neighbours === undefined ? {} : { neighbours }),
    routes,
    // Asked is what may begin. Packets of connections that could not begin would pass every rule for established ones.
    flows: 'first',
    forwarding: true,
  };
}
