import type { NetfilterBox, NetfilterRoute } from '../models/netfilter/box.ts';
import type { MacTable } from '../readers/mac.ts';
import type { BoxParts } from './parts.ts';

/** Whether files of a box say what only Linux has. */
export function isLinux({ rulesets, interfaces, linux }: BoxParts): boolean {
  const { routes, policies, neighbours, settings } = linux;
  const more = routes.length + policies.length + rulesets.length + interfaces.length > 0;
  return more || neighbours !== undefined || settings !== undefined;
}

/**
 * Rules, routes and addresses of one Linux box. Interfaces are those with an address and those that a route names. A tunnel
 * from which a link leads is a wire: whoever wrote the link says where its frames go.
 */
export function linuxBox(parts: BoxParts, isLinked: (device: string) => boolean = () => false): NetfilterBox {
  const { fib, fib6, rulesets, ipsets, interfaces, linux, macTable, vlanPorts } = parts;
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
        hops: through.map((device) =>
          fib.hops[i] === 0 ? { device } : { device, via: BigInt(fib.hops[i]!), viaFamily: 'ip' },
        ),
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
  for (const { hops, ...route } of linux.routes) {
    const through = hops.map(({ device }) => device);
    if (route.type === 'unicast') for (const name of through) names.add(name);
    routes.push({ ...route, interfaces: through, hops });
  }
  const { policies, neighbours, settings, xfrm } = linux;
  return {
    rulesets,
    ipsets,
    interfaces: [...names].map((name) => {
      const { vxlan, ...known } = interfaces.find((each) => each.name === name) ?? { name, addresses: [] };
      if (vxlan === undefined || isLinked(name)) return known;
      const { remote, ...rest } = vxlan;
      // Where single stations are, the forwarding table says, and the model does not.
      return { ...known, vxlan: remote === undefined || hasStations(macTable, name) ? rest : vxlan };
    }),
    routes,
    ...(policies.length === 0 ? {} : { policies }),
    ...(neighbours === undefined ? {} : { neighbours }),
    // Asked is what may begin. Packets of connections that could not begin would pass every rule for established ones.
    flows: 'first',
    forwarding: settings?.forwarding ?? true,
    tunnelHooks: settings?.tunnelHooks === true,
    withoutIp6: settings?.withoutIp6 ?? [],
    withoutSegments: settings?.withoutSegments ?? [],
    ...(settings?.segments === undefined ? {} : { segments: settings.segments }),
    ...(xfrm === undefined ? {} : { xfrm }),
    ...(macTable === undefined ? {} : { stations: macTable }),
    ...(vlanPorts.length === 0 ? {} : { vlanPorts }),
    ...(settings?.bridgeFilter === undefined ? {} : { bridgeFilter: settings.bridgeFilter }),
  };
}

const GROUP_ADDRESSES = 2 ** 40;

function hasStations(table: MacTable | undefined, device: string): boolean {
  const port = table?.ports.indexOf(device) ?? -1;
  const isStation = (address: number) => address !== 0 && Math.floor(address / GROUP_ADDRESSES) % 2 === 0;
  return port >= 0 && table!.addresses.some((address, i) => table!.port[i] === port && isStation(address));
}
