import { SuperfluidityError } from '@superfluidity/core';
import type { Match, SitePath } from '@superfluidity/fabric';

/** A version of a chain as Neutron wants it: from where to where, and the ports of the functions between, in order. */
export interface OrderedChain {
  readonly from: string;
  /** The ports of the instances of each. */
  readonly functions: readonly (readonly string[])[];
  readonly to: string;
  /** Address of the user, as the replies of the far end name it. */
  readonly source: string;
  /** The service address. */
  readonly destination: string;
  readonly protocol: Match['protocol'];
  readonly ports: readonly number[];
}

/**
 * Walks the forward direction of a path that was rendered for SRv6 hop by hop, and back again. networking-sfc steers by
 * ports of one cloud and knows one pair of addresses for both directions: a chain that leaves the site, or that has a
 * function which translates addresses, is refused by name.
 */
export function orderChain(path: SitePath): OrderedChain {
  const refuse = (reason: string): never => {
    throw new SuperfluidityError('SF-FABRIC-CHAIN', {
      doing: `put version ${path.version} of chain ${path.chainId} into networking-sfc`,
      reason,
      hint: 'Place all hops of the chain at this site, or all at sites that steer by SRv6 (kind linux).',
    });
  };
  const rules = [...path.classifiers, ...path.steers];
  if (path.classifiers.length !== 1) refuse(`it begins ${path.classifiers.length} times at this site, and not once`);
  if (rules.some(({ segments }) => segments.length !== 1)) refuse('it leads to another site');

  const portAt = new Map(path.endpoints.map(({ sid, portId }) => [sid, portId]));
  const follow = (direction: Match['direction'], start: string): readonly string[] => {
    const next = new Map(
      rules
        .filter(({ match }) => match.direction === direction)
        .map(({ match, segments }) => [match.fromPort, portAt.get(segments[0]!)]),
    );
    const hops = [start];
    for (let port = next.get(start); port !== undefined && hops.length <= rules.length; port = next.get(port)) {
      hops.push(port);
    }
    return hops;
  };
  const { match } = path.classifiers[0]!;
  const others = new Map(path.spreads?.map((spread) => [spread.portId, spread.others]));
  const hops = follow('forward', match.fromPort);
  const back = follow('reverse', hops.at(-1)!);
  if (back.join() !== hops.toReversed().join()) refuse('its replies do not go back the way of its requests');
  const sources = new Set(
    rules.filter((rule) => rule.match.direction === 'reverse').map((rule) => rule.match.destination),
  );
  if (sources.size !== 1) refuse('one of its functions translates addresses');

  return {
    from: match.fromPort,
    functions: hops.slice(1, -1).map((port) => [port, ...(others.get(port) ?? [])]),
    to: hops.at(-1)!,
    source: [...sources][0]!,
    destination: match.destination,
    protocol: match.protocol,
    ports: match.ports,
  };
}

/** Ranges of neighbouring port numbers: a classifier has one range. No ports: one classifier for all. */
export function portRanges(ports: readonly number[]): readonly { readonly min: number; readonly max: number }[] {
  const ranges: { min: number; max: number }[] = [];
  for (const port of [...new Set(ports)].toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && port === last.max + 1) last.max = port;
    else ranges.push({ min: port, max: port });
  }
  return ranges;
}
