import { SuperfluidityError } from '@superfluidity/core';
import '../../errors.ts';
import { Diagrams, FALSE, TRUE, type Node } from '../../diagram/diagrams.ts';
import { bounded } from '../../engine/bounded.ts';
import { defaultLimits } from '../../limits.ts';
import type { Range } from '../../readers/netfilter/addresses.ts';
import type { Chain, IpSet, NfTable, Part, Ruleset } from '../../readers/netfilter/ruleset.ts';
import { routedRanges } from './addresses-of-box.ts';
import { applies, numberInterfaces, type IpFamily, type NetfilterInterface, type NetfilterRoute } from './box.ts';
import type { Surroundings } from './cubes.ts';
import { noSets, ServiceFilter, type Order, type Service } from './service-sets.ts';

export interface ServiceMatrixOptions {
  /** Default `ip`. */
  readonly family?: IpFamily;
  /** Default `forward`. */
  readonly hook?: 'forward' | 'input' | 'output';
  /** What is assumed of tests whose result is not known (MAC addresses, rates): default `allow`, who may reach whom at most. */
  readonly unknown?: 'allow' | 'deny';
  readonly ipsets?: ReadonlyMap<string, IpSet>;
  readonly interfaces?: readonly NetfilterInterface[];
  /** With them, packets come from and go to the interfaces to which routes lead; without, by any. */
  readonly routes?: readonly NetfilterRoute[];
  readonly diagramNodes?: number;
}

/** Addresses that no rule tells apart, as source and as destination of the service. */
export interface AddressGroup {
  readonly ranges: readonly Range[];
  readonly size: bigint;
}

/**
 * Who may begin a connection to whom, for one service: Diekmann et al., "Verified iptables firewall analysis and
 * verification" (J. Autom. Reasoning 2018). The groups are a partition of all addresses; no two groups have the same rights.
 */
export interface ServiceMatrix {
  readonly groups: readonly AddressGroup[];
  /** `allowed[from][to]`. */
  readonly allowed: readonly (readonly boolean[])[];
}

export function serviceMatrix(ruleset: Ruleset, service: Service, options: ServiceMatrixOptions = {}): ServiceMatrix {
  return bounded('find who may reach whom', () => matrixOf(ruleset, service, options));
}

function matrixOf(ruleset: Ruleset, service: Service, options: ServiceMatrixOptions): ServiceMatrix {
  const family = options.family ?? 'ip';
  const width = family === 'ip' ? 32 : 128;
  const diagrams = new Diagrams(options.diagramNodes ?? defaultLimits.diagramNodes);
  /** Classes of sources show at the top of a diagram with sources first; those of destinations in one with them first. */
  const bySource = accepted(diagrams, ruleset, service, options, family, true);
  const byDestination = accepted(diagrams, ruleset, service, options, family, false);
  const rows = topClasses(diagrams, bySource, width);
  const columns = topClasses(diagrams, byDestination, width);
  const { groups, samples } = partition(rows, columns);
  const bit = (value: bigint, index: number) => ((value >> BigInt(width - 1 - index)) & 1n) === 1n;
  const allowed = samples.map((from) =>
    samples.map((to) =>
      diagrams.contains(bySource, (variable) => (variable < width ? bit(from, variable) : bit(to, variable - width))),
    ),
  );
  return { groups, allowed };
}

function accepted(
  diagrams: Diagrams,
  ruleset: Ruleset,
  service: Service,
  options: ServiceMatrixOptions,
  family: IpFamily,
  sourceFirst: boolean,
): Node {
  const width = family === 'ip' ? 32 : 128;
  const interfaces = numberInterfaces(options.interfaces ?? namedInterfaces(ruleset));
  /** Numbers of interfaces are small; 0 is never one of them. */
  const bitsOfInterface = Math.max(1, Math.ceil(Math.log2(interfaces.names.length + 2)));
  const run = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index);
  const order: Order = {
    source: run(sourceFirst ? 0 : width, width),
    destination: run(sourceFirst ? width : 0, width),
    iif: run(2 * width, bitsOfInterface),
    oif: run(2 * width + bitsOfInterface, bitsOfInterface),
  };
  const box = { rulesets: [ruleset], interfaces: options.interfaces ?? [], routes: options.routes ?? [] };
  const around: Surroundings = { family, box, interfaces, ipsets: options.ipsets ?? noSets };
  let packets = diagrams.and(
    diagrams.range(order.iif, 1n, BigInt(interfaces.names.length)),
    diagrams.range(order.oif, 1n, BigInt(interfaces.names.length)),
  );
  const routed = options.routes === undefined ? undefined : routedRanges(box, family).byInterface;
  if (routed !== undefined) {
    for (const [address, number] of [
      [order.source, order.iif],
      [order.destination, order.oif],
    ] as const) {
      let allowed: Node = FALSE;
      for (const [name, ranges] of routed) {
        const at = interfaces.number(name);
        const addresses = ranges.reduce(
          (node, [low, high]) => diagrams.or(node, diagrams.range(address, low, high)),
          FALSE as Node,
        );
        allowed = diagrams.or(allowed, diagrams.and(diagrams.range(number, at, at), addresses));
      }
      packets = diagrams.and(packets, allowed);
    }
  }
  const quantified = new Uint8Array(2 * width + 2 * bitsOfInterface);
  quantified.fill(1, 2 * width);
  for (const { table, chain } of basesAt(ruleset, family, options.hook ?? 'forward')) {
    const filter = new ServiceFilter(diagrams, order, around, table.chains, service);
    const sets = filter.accepted(chain, packets);
    packets = options.unknown === 'deny' ? sets.must : sets.may;
  }
  return diagrams.exists(packets, quantified);
}

/** Without interfaces of the box, those that rules name, and one that none of them names. */
function namedInterfaces(ruleset: Ruleset): NetfilterInterface[] {
  const names = new Set<string>(['another interface']);
  const look = (parts: readonly Part[]): void => {
    for (const part of parts) {
      if (part.is === 'interface') for (const name of part.names) names.add(name.replace('*', '0'));
      else if (part.is === 'either') for (const row of part.of) look(row);
      else if (part.is === 'cases') for (const one of part.cases) look([...one.tests, ...one.parts]);
    }
  };
  for (const { chains } of ruleset.tables)
    for (const { rules } of chains.values()) for (const { parts } of rules) look(parts);
  return [...names].map((name) => ({ name, addresses: [] }));
}

function basesAt(ruleset: Ruleset, family: IpFamily, hook: string): { table: NfTable; chain: Chain }[] {
  const found = ruleset.tables
    .filter((table) => applies(table.family, family))
    .flatMap((table) => [...table.chains.values()].map((chain) => ({ table, chain })))
    .filter(({ chain }) => chain.base?.hook === hook && chain.base.type === 'filter');
  if (found.length === 0) {
    throw new SuperfluidityError('SF-VERIFY-QUESTION', { reason: `the rules have no chain at the hook ${hook}` });
  }
  return found.toSorted((a, b) => a.chain.base!.priority - b.chain.base!.priority);
}

interface Branch {
  readonly variable: number;
  readonly low: Branch;
  readonly high: Branch;
}

/** Ranges of the number at the top of the diagram, each with what is asked once the number is known. */
function topClasses(diagrams: Diagrams, node: Node, width: number): { range: Range; rest: Branch }[] {
  const end = { variable: Number.MAX_SAFE_INTEGER } as Branch;
  const ends = new Map<Node, Branch>([
    [FALSE, { ...end }],
    [TRUE, { ...end }],
  ]);
  const root = diagrams.fold(node, ends, (variable, low, high): Branch => ({ variable, low, high }));
  const found: { range: [bigint, bigint]; rest: Branch }[] = [];
  const walk = (at: Branch, depth: number, prefix: bigint): void => {
    if (at.variable >= width) {
      const left = BigInt(width - depth);
      const range: [bigint, bigint] = [prefix << left, ((prefix + 1n) << left) - 1n];
      const last = found.at(-1);
      if (last?.rest === at) last.range[1] = range[1];
      else found.push({ range, rest: at });
      return;
    }
    const asked = at.variable === depth;
    walk(asked ? at.low : at, depth + 1, prefix << 1n);
    walk(asked ? at.high : at, depth + 1, (prefix << 1n) | 1n);
  };
  walk(root, 0, 0n);
  return found;
}

/** Addresses with the same rights as source and the same as destination. */
function partition(
  rows: readonly { range: Range; rest: Branch }[],
  columns: readonly { range: Range; rest: Branch }[],
): { groups: AddressGroup[]; samples: bigint[] } {
  const groups = new Map<Branch, Map<Branch, [bigint, bigint][]>>();
  let [i, j] = [0, 0];
  let low = 0n;
  while (i < rows.length && j < columns.length) {
    const high = rows[i]!.range[1] < columns[j]!.range[1] ? rows[i]!.range[1] : columns[j]!.range[1];
    const inner = groups.get(rows[i]!.rest) ?? new Map<Branch, [bigint, bigint][]>();
    groups.set(rows[i]!.rest, inner);
    const ranges = inner.get(columns[j]!.rest) ?? [];
    inner.set(columns[j]!.rest, ranges);
    const last = ranges.at(-1);
    if (last !== undefined && last[1] + 1n === low) last[1] = high;
    else ranges.push([low, high]);
    if (rows[i]!.range[1] === high) i += 1;
    if (columns[j]!.range[1] === high) j += 1;
    low = high + 1n;
  }
  const all = [...groups.values()].flatMap((inner) => [...inner.values()]);
  const made = all
    .map((ranges): AddressGroup => ({ ranges, size: ranges.reduce((sum, [from, to]) => sum + to - from + 1n, 0n) }))
    .toSorted((a, b) => (a.size > b.size ? -1 : a.size < b.size ? 1 : 0));
  return { groups: made, samples: made.map(({ ranges }) => ranges[0]![0]) };
}
