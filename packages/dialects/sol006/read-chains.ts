import type { NativeService } from '../native/schema.ts';
import type { Names } from '../names.ts';
import { shorten, type Path } from '../yaml-text.ts';
import { looksLikeRule, parseRule, type ChainRule } from './mapping.ts';
import type { Found, Reporter } from './package.ts';
import type { ForwardingPath, Graph } from './shape.ts';

type NativeChain = NonNullable<NativeService['chains']>[number];

export interface ReadChain {
  readonly chain: NativeChain;
  /** Where it stands in the NSD. */
  readonly graph: number;
  readonly path: number;
}

/** Unit behind an external connection point of a VNF profile: `ue/client`, with the port where the unit has several. */
export type HopOf = (profile: string | undefined, external: string | undefined) => string | undefined;

/**
 * The forwarding paths that are chains of the model: ordered, through connection points of VNFs, to one address. Others stay
 * in the NSD unread, with a warning.
 */
export function readChains(
  graphs: readonly Graph[],
  hopOf: HopOf,
  names: Names,
  found: Found,
  reporter: Reporter,
): readonly ReadChain[] {
  return graphs.flatMap((graph, g) =>
    (graph.nfpd ?? []).flatMap((path, p): ReadChain[] => {
      const at: Path = ['vnffgd', g, 'nfpd', p];
      const rule = ruleOf(path);
      if (rule === undefined && path.rule !== undefined && looksLikeRule(path.rule)) {
        const form = "a rule has the form 'destination=10.99.0.10 protocol=tcp ports=8080'";
        reporter.report('SF-DESCRIPTOR-VALUE', found, [...at, 'rule'], form);
        return [];
      }
      const unread = (message: string) =>
        reporter.report(
          'SF-DESCRIPTOR-UNSUPPORTED',
          found,
          at,
          `path '${shorten(path.id)}' is not made: ${message}`,
          'warning',
        );
      if (rule === undefined) {
        unread('its rule names no destination');
        return [];
      }
      const hops = hopsOf(graph, path, hopOf);
      const missing = hops.findIndex((hop) => hop.unit === undefined);
      if (missing !== -1) {
        const message = `position element '${shorten(hops[missing]!.id)}' leads to no connection point`;
        reporter.report('SF-DESCRIPTOR-REFERENCE', found, [...at, positionsField(path)], message);
        return [];
      }
      const [from, ...rest] = hops.map(({ unit }) => unit!);
      const to = rest.pop();
      if (from === undefined || to === undefined) {
        reporter.report('SF-DESCRIPTOR-VALUE', found, at, 'a path has two positions or more');
        return [];
      }
      const { ports, ...bounds } = rule;
      const protocol = rule.protocol as 'tcp' | 'udp' | 'any';
      return [
        {
          chain: { name: names.fresh(path.id), from, through: rest, to, ...bounds, protocol, ports: [...ports] },
          graph: g,
          path: p,
        },
      ];
    }),
  );
}

export function positionsField(path: ForwardingPath): 'position-desc' | 'position-desc-id' {
  return path['position-desc-id'] === undefined ? 'position-desc' : 'position-desc-id';
}

/** What a path says of the packets that take it. */
export function ruleOf(path: ForwardingPath): ChainRule | undefined {
  if (path.rule !== undefined) return parseRule(path.rule);
  const matches = (path['position-desc-id'] ?? []).flatMap((position) => position['match-attributes'] ?? []);
  const address = matches
    .map((match) => match['destination-ip-address']?.replace(/\/32$/, ''))
    .find((one) => one !== undefined);
  if (address === undefined) return undefined;
  const protocols = new Map([
    ['6', 'tcp'],
    ['tcp', 'tcp'],
    ['17', 'udp'],
    ['udp', 'udp'],
  ]);
  const number = matches.map((match) => match['ip-proto']).find((one) => one !== undefined);
  const protocol = number === undefined ? 'any' : protocols.get(String(number).toLowerCase());
  if (protocol === undefined) return undefined;
  const ports = matches.flatMap((match) =>
    match['destination-port'] === undefined ? [] : [Number(match['destination-port'])],
  );
  return { address, protocol, ports: [...new Set(ports)] };
}

/** The units of a path in its order. */
export function hopsOf(
  graph: Graph,
  path: ForwardingPath,
  hopOf: HopOf,
): readonly { readonly id: string; readonly unit: string | undefined }[] {
  const elements = new Map((graph['nfp-position-element'] ?? []).map((element) => [element.id, element]));
  const positions = path['position-desc'] ?? path['position-desc-id'] ?? [];
  const ids = positions.flatMap((position) => [position['nfp-position-element-id'] ?? []].flat());
  return ids.flatMap((id) => {
    const element = elements.get(id);
    const constituents = element?.['constituent-profile-elements'];
    if (constituents === undefined) {
      return [{ id, unit: hopOf(element?.desc?.['vnf-profile']?.['vnf-profile-id'], element?.desc?.vnf?.['cpd-id']) }];
    }
    return constituents
      .toSorted((a, b) => (a.order ?? 0) - (b.order ?? 0))
      .map((one) => ({
        id,
        unit: hopOf(
          one['constituent-base-element-id'],
          one['ingress-constituent-cpd-id'] ?? one['egress-constituent-cpd-id'],
        ),
      }));
  });
}
