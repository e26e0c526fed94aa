import { formatIpv4, splitPortReference, type Chain, type Service } from '@superfluidity/model';
import type { Lose } from '../dialect.ts';
import { digest, type Plan, type PlannedNetwork, type PlannedPort, type PlannedUnit } from './plan.ts';

/**
 * Chains as static routes. The service address of a chain is that of its end, and leads there by way of every function:
 * what goes to it, and what comes from it, so that stateful functions see both directions. Where two hops share a
 * network, the one has a route to the other; else the host between their networks decides by the bridge that a packet
 * came from. Where there are several instances of a hop, the first has the traffic.
 */
export interface Routes {
  /** Lines of the file `routes` of a unit, by its role. */
  readonly units: ReadonlyMap<string, readonly string[]>;
  readonly hosts: readonly HostRoute[];
}

/** What comes from a bridge to, or from, an address goes to a hop on another bridge. */
export interface HostRoute {
  readonly from: string;
  readonly direction: 'to' | 'from';
  readonly address: string;
  readonly via: string;
  readonly bridge: string;
  readonly table: number;
}

/** Tables of the kernel up to 255 are its own (ip-route(8)). */
const FIRST_TABLE = 1_000;

export function routesOf(service: Service, { units }: Plan, lose: Lose): Routes {
  const lines = new Map<string, string[]>();
  const hosts: HostRoute[] = [];
  const say = (unit: PlannedUnit, line: string) => lines.set(unit.role, [...(lines.get(unit.role) ?? []), line]);
  service.chains.forEach((chain, i) => {
    const hops = hopsOf(chain, units);
    const problem = hops === undefined ? 'one of its hops is not on the hosts' : unclear(hops);
    if (hops === undefined || problem !== undefined) {
      lose(`chains[${i}]`, `chain '${chain.name}': ${problem}`);
      return;
    }
    const { address } = chain;
    say(hops.at(-1)!.unit, `local ${address}`);
    hops.slice(1).forEach((next, n) => {
      const hop = hops[n]!;
      const shared = sharedPorts(hop, next);
      const [out, into] = shared ?? [hop.port, next.port];
      const toNext = shared === undefined ? out.network.gateway : formatIpv4(into.first);
      const toPrevious = shared === undefined ? into.network.gateway : formatIpv4(out.first);
      say(hop.unit, `to ${address} ${toNext}`);
      say(next.unit, `from ${address} ${toPrevious} ${FIRST_TABLE + i}`);
      if (shared !== undefined) return;
      hosts.push(
        hostRoute(service, chain, 'to', out.network, into),
        hostRoute(service, chain, 'from', into.network, out),
      );
    });
  });
  return { units: lines, hosts };
}

interface Hop {
  readonly unit: PlannedUnit;
  readonly port: PlannedPort;
}

function hopsOf(chain: Chain, units: readonly PlannedUnit[]): readonly Hop[] | undefined {
  const hops = [chain.from, ...chain.through, chain.to].map((reference): Hop | undefined => {
    const { path, port: name } = splitPortReference(reference);
    const unit = units.find((one) => one.path === path);
    const port = name === undefined ? unit?.ports[0] : unit?.ports.find((one) => one.port.name === name);
    return unit === undefined || port === undefined || unit.unit.execution!.environment === 'vm'
      ? undefined
      : { unit, port };
  });
  return hops.includes(undefined) ? undefined : (hops as readonly Hop[]);
}

function sharedPorts(hop: Hop, next: Hop): readonly [PlannedPort, PlannedPort] | undefined {
  if (hop.port.network === next.port.network) return [hop.port, next.port];
  for (const out of hop.unit.ports) {
    const into = next.unit.ports.find((port) => port.network === out.network);
    if (into !== undefined) return [out, into];
  }
  return undefined;
}

/** A host knows a packet by the bridge that it comes from: no network may be left twice in one direction. */
function unclear(hops: readonly Hop[]): string | undefined {
  const left = { to: new Set<PlannedNetwork>(), from: new Set<PlannedNetwork>() };
  for (const [n, next] of hops.slice(1).entries()) {
    const hop = hops[n]!;
    if (sharedPorts(hop, next) !== undefined) continue;
    for (const [direction, { network }] of [['to', hop.port] as const, ['from', next.port] as const]) {
      if (left[direction].has(network)) return `it leaves network '${network.network.name}' twice`;
      left[direction].add(network);
    }
  }
  return undefined;
}

function hostRoute(
  service: Service,
  { name, address }: Chain,
  direction: HostRoute['direction'],
  from: PlannedNetwork,
  { first, network }: PlannedPort,
): HostRoute {
  const hash = digest(service.block.name, name, direction, from.bridge);
  // Tables are numbers of 32 bits; those of others are small.
  const table = 0x1000_0000 + Number.parseInt(hash.slice(0, 6), 16);
  return { from: from.bridge, direction, address, via: formatIpv4(first), bridge: network.bridge, table };
}
