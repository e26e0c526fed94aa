import type { SourceRef } from '../../ir/source.ts';
import type { CiscoConfig, StaticRoute } from '../../readers/cisco/config.ts';
import { interfaceKey } from '../../readers/cisco/names.ts';
import { cutIpv4 } from '../../readers/fib/addresses.ts';
import type { Fib } from '../../readers/fib/fib.ts';
import { inRows, NextHops } from '../../readers/fib/next-hops.ts';

/** By which interface packets leave, and to whom; without a next hop, to their destination. */
export interface Exit {
  readonly name: string;
  readonly hop?: number;
}

export type Way =
  | { readonly kind: 'out'; readonly exits: readonly Exit[] }
  | { readonly kind: 'receive' }
  | { readonly kind: 'drop'; readonly why: string }
  | { readonly kind: 'unknown'; readonly what: string };

export interface Route {
  readonly address: number;
  readonly length: number;
  readonly way: Way;
  readonly source: SourceRef;
}

/** Of a table that was read from the box: that is what it does. */
export function tableRoutes(fib: Fib): readonly Route[] {
  const ways = fib.targets.map((target): Way => {
    if (target.kind !== 'interfaces') return target;
    const { names, hops } = target;
    return {
      kind: 'out',
      exits: names.map((name, i) => (hops?.[i] === undefined ? { name } : { name, hop: hops[i] })),
    };
  });
  return Array.from(fib.addresses, (address, i) => ({
    address,
    length: fib.lengths[i]!,
    way: ways[fib.target[i]!]!,
    source: { file: fib.file, line: fib.lines[i]! },
  }));
}

/** Of a configuration alone: its addresses, the networks that they are in, and static routes. Equal prefixes: the first counts. */
export function configuredRoutes({ interfaces, routes }: CiscoConfig): readonly Route[] {
  const up = interfaces.filter(({ isUp }) => isUp);
  const own = up.flatMap(({ addresses, virtual, source }): readonly Route[] => [
    ...addresses.map(({ address, source: at }): Route => host(address, at)),
    ...virtual.map((address): Route => host(address, source)),
  ]);
  const connected = up.flatMap(({ name, addresses }) =>
    addresses.map(
      ({ address, length, source }): Route => ({
        address: cutIpv4(address, length),
        length,
        way: { kind: 'out', exits: [{ name }] },
        source,
      }),
    ),
  );
  const best = bestOf(routes);
  const direct = best.flatMap((route): readonly Route[] =>
    route.interface === undefined ? [] : [{ ...route, way: wayOf(route, up) }],
  );
  const indirect = best.filter((route) => route.interface === undefined);
  return joined([...own, ...connected, ...direct, ...resolved(indirect, [...connected, ...direct])]);
}

const host = (address: number, source: SourceRef): Route => ({
  address,
  length: 32,
  way: { kind: 'receive' },
  source,
});

/** Of routes for one prefix those with the least distance are used. */
function bestOf(routes: readonly StaticRoute[]): readonly StaticRoute[] {
  const least = new Map<string, number>();
  const keyOf = ({ address, length }: StaticRoute) => `${cutIpv4(address, length)}/${length}`;
  for (const route of routes) {
    least.set(keyOf(route), Math.min(route.distance, least.get(keyOf(route)) ?? route.distance));
  }
  return routes
    .filter((route) => route.distance === least.get(keyOf(route)))
    .map((route) => ({ ...route, address: cutIpv4(route.address, route.length) }));
}

function wayOf(route: StaticRoute, up: CiscoConfig['interfaces']): Way {
  const key = interfaceKey(route.interface!);
  if (key === 'nu0') return { kind: 'drop', why: 'the route leads to Null0' };
  const found = up.find(({ name }) => interfaceKey(name) === key);
  if (found === undefined) return { kind: 'drop', why: `${route.interface} of the route is not up` };
  return { kind: 'out', exits: [{ name: found.name, ...(route.hop === undefined ? {} : { hop: route.hop }) }] };
}

/** Static routes to next hops alone, with the ways that the other routes give them. */
function resolved(indirect: readonly StaticRoute[], others: readonly Route[]): readonly Route[] {
  const all = [...others, ...indirect];
  const hops = new NextHops(inRows(all), cutIpv4, (row) => indirect[row - others.length]?.hop);
  return indirect.map((route, i): Route => {
    const through = hops.through(others.length + i, route.hop!);
    const way = through === undefined ? undefined : others[through.row]!.way;
    if (way === undefined) return { ...route, way: { kind: 'drop', why: 'no route leads to the next hop' } };
    if (way.kind !== 'out') return { ...route, way };
    const exits = way.exits.map(({ name, hop = through!.hop }) => ({ name, hop }));
    return { ...route, way: { kind: 'out', exits } };
  });
}

/** Equal prefixes that lead out are one route with several ways. */
function joined(routes: readonly Route[]): readonly Route[] {
  const made = new Map<string, Route>();
  for (const route of routes) {
    const key = `${route.address}/${route.length}`;
    const known = made.get(key);
    if (known === undefined) made.set(key, route);
    else if (known.way.kind === 'out' && route.way.kind === 'out') {
      made.set(key, { ...known, way: { kind: 'out', exits: [...known.way.exits, ...route.way.exits] } });
    }
  }
  return [...made.values()];
}
