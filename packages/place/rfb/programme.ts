import { append, largest } from '@superfluidity/core';
import { LpText } from '../milp/lp-text.ts';
import type { RfbInstance, RrhType } from './instance.ts';
import { bbusOf, type Stand, standsOf } from './stands.ts';

export type Terms = readonly (readonly [name: string, factor: number])[];

/** What may differ between the programmes of managing a network and of designing one. */
export interface NetworkRules {
  /** Users that must be served; all of them where it is absent. */
  readonly servedAtLeast?: number;
  /** Least rate of a user that is served, Mb/s. */
  readonly leastRateMbps?: number;
  /** What there is of each kind of hardware at a node. */
  capacity(kind: 'dedicated' | 'cpu' | 'memory', node: number): Terms;
}

/** Rates are in hundreds of Mb/s in programmes: then factors are neither large nor near the tolerances of solvers. */
export const RATE_UNIT = 100;

export const names = {
  /** User served at a stand. */
  served: (stand: number, user: number) => `u_${stand}_${user}`,
  head: (cell: number) => `r_${cell}`,
  on: (node: number) => `y_${node}`,
  traffic: (stand: number) => `t_${stand}`,
  bbu: (stand: number, node: number, type: number) => `b_${stand}_${node}_${type}`,
  mec: (stand: number, node: number, type: number) => `m_${stand}_${node}_${type}`,
} as const;

interface Use {
  readonly dedicated: [string, number][][];
  readonly cpu: [string, number][][];
  readonly memory: [string, number][][];
}

/**
 * The constraints (16) to (43) of the IJNM paper over binaries for users, radio heads, BBUs, MECs and nodes; what is
 * minimised is the caller's, by `trafficCost` and what it adds.
 *
 * Rates of users appear in sums over a radio head only and are bounded one by one, so it needs one variable for all of them.
 * What a BBU or MEC serves is split over the nodes where it may be, each part bounded by what the radio head can carry: there is
 * no bound in it that is larger than what it stands for.
 */
export function networkProgramme(instance: RfbInstance, rules: NetworkRules, trafficCost: number): LpText {
  const lp = new LpText();
  const { nodes } = instance;
  const use: Use = { dedicated: emptyTerms(nodes), cpu: emptyTerms(nodes), memory: emptyTerms(nodes) };
  const serving = emptyTerms({ length: instance.users });
  const headsOf = emptyTerms(instance.rrhTypes);
  const headAt = emptyTerms(nodes);
  const blocksOf = { bbu: emptyTerms(instance.bbuTypes), mec: emptyTerms(instance.mecTypes) };
  nodes.forEach((_, node) => lp.binary(names.on(node), 0));
  instance.cells.forEach((cell, c) => {
    lp.binary(names.head(c), 0);
    headsOf[cell.type]!.push([names.head(c), 1]);
    headAt[cell.node]!.push([names.head(c), 1]);
    lp.constrain(
      [
        [names.head(c), 1],
        [names.on(cell.node), -1],
      ],
      '<=',
      0,
    );
  });
  standsOf(instance).forEach((stand, s) => {
    const least = rules.leastRateMbps ?? 0;
    const bound = boundsOf(instance, stand, least);
    const heads = stand.cells.map((c): [string, number] => [names.head(c), 1]);
    const of = (value: (type: RrhType) => number) =>
      stand.cells.map((c): [string, number] => [names.head(c), -value(instance.rrhTypes[instance.cells[c]!.type]!)]);
    lp.continuous(names.traffic(s), trafficCost);
    const users: [string, number][] = [];
    const peaks: [string, number][] = [];
    const usable: [string, number][] = [];
    for (const { user, rate, by } of stand.users) {
      if (rate < least) continue;
      const name = names.served(s, user);
      lp.binary(name, 0);
      serving[user]!.push([name, 1]);
      users.push([name, 1]);
      peaks.push([name, rate / RATE_UNIT]);
      usable.push([name, Math.min(rate, bound.userMbps) / RATE_UNIT]);
      lp.constrain([[name, 1], ...by.map((c) => [names.head(c), -1] as const)], '<=', 0); // (17)
    }
    lp.constrain([...users, ...of((type) => Math.floor(type.users))], '<=', 0); // (20)
    lp.constrain([...peaks, ...of(({ rateMbps }) => rateMbps / RATE_UNIT)], '<=', 0); // (21-22)
    lp.constrain([[names.traffic(s), 1], ...negated(usable)], '<=', 0); // (23-24)
    if (least > 0) lp.constrain([[names.traffic(s), -1], ...scaled(users, least / RATE_UNIT)], '<=', 0);
    append(use.dedicated[stand.node]!, peaks); // (30)
    for (const c of stand.cells) {
      // (29)
      const fitting = instance.bbuTypes.flatMap(({ rrhTypes }, w) => {
        if (!rrhTypes.includes(instance.cells[c]!.type)) return [];
        return nodes[stand.node]!.bbuAt.map((node) => [names.bbu(s, node, w), -1] as const);
      });
      lp.constrain([[names.head(c), 1], ...fitting], '<=', 0);
    }
    for (const kind of ['bbu', 'mec'] as const)
      hosting(lp, instance, kind, stand, s, { heads, users, bound, use, of: blocksOf[kind] });
    slowerMecs(lp, instance, s, stand, peaks, bound);
  });
  atMost(lp, headsOf, instance.rrhTypes); // (18)
  for (const terms of headAt) lp.constrain(terms, '<=', 1); // (19)
  atMost(lp, blocksOf.bbu, instance.bbuTypes); // (26)
  atMost(lp, blocksOf.mec, instance.mecTypes); // (28)
  for (const kind of ['dedicated', 'cpu', 'memory'] as const) {
    nodes.forEach((_, node) => {
      lp.constrain([...use[kind][node]!, ...negated(rules.capacity(kind, node))], '<=', 0);
    });
  }
  serve(lp, serving, rules.servedAtLeast); // (16)
  return lp;
}

interface Hosting {
  readonly heads: Terms;
  readonly users: Terms;
  readonly bound: Bounds;
  readonly use: Use;
  readonly of: [string, number][][];
}

/** (25), (27): one BBU and one MEC for a radio head; (31-42): what they take of the nodes where they are. */
function hosting(
  lp: LpText,
  instance: RfbInstance,
  kind: 'bbu' | 'mec',
  stand: Stand,
  s: number,
  { heads, users, bound, use, of }: Hosting,
): void {
  const from = instance.nodes[stand.node]!;
  const at = kind === 'bbu' ? from.bbuAt : from.mecAt;
  const types = kind === 'bbu' ? bbusOf(instance, stand) : instance.mecTypes.map((_, type) => type);
  const one: [string, number][] = [...negated(heads)] as [string, number][];
  const traffic: [string, number][] = [[names.traffic(s), -1]];
  const served = [...negated(users)] as [string, number][];
  for (const node of at) {
    const here = types.map((type): [string, number] => [names[kind](s, node, type), 1]);
    here.forEach(([name], i) => {
      lp.binary(name, 0);
      of[types[i]!]!.push([name, 1]);
      if (kind === 'bbu') use.dedicated[node]!.push([name, instance.bbuTypes[types[i]!]!.rateMbps / RATE_UNIT]);
    });
    append(one, here);
    lp.constrain([...here, [names.on(node), -1]], '<=', 0);
    const taking = instance.nodes[node]![kind];
    append(use.cpu[node]!, scaled(here, taking.cpu) as [string, number][]);
    append(use.memory[node]!, scaled(here, taking.memory) as [string, number][]);
    if (at.length === 1) {
      use.cpu[node]!.push([names.traffic(s), taking.cpuPerMbps * RATE_UNIT]);
      append(use.memory[node]!, scaled(users, taking.memoryPerUser) as [string, number][]);
      continue;
    }
    const part = `${kind}_${s}_${node}`;
    lp.continuous(`f${part}`, 0);
    lp.continuous(`g${part}`, 0);
    lp.constrain([[`f${part}`, 1], ...scaled(here, -bound.trafficMbps / RATE_UNIT)], '<=', 0);
    lp.constrain([[`g${part}`, 1], ...scaled(here, -bound.users)], '<=', 0);
    traffic.push([`f${part}`, 1]);
    served.push([`g${part}`, 1]);
    use.cpu[node]!.push([`f${part}`, taking.cpuPerMbps * RATE_UNIT]);
    use.memory[node]!.push([`g${part}`, taking.memoryPerUser]);
  }
  lp.constrain(one, '=', 0);
  if (at.length === 1) return;
  lp.constrain(traffic, '=', 0);
  lp.constrain(served, '=', 0);
}

function serve(lp: LpText, serving: readonly Terms[], atLeast: number | undefined): void {
  for (const terms of serving) {
    if (atLeast !== undefined) lp.constrain(terms, '<=', 1);
    // A user whom nothing covers leaves no network at all.
    else if (terms.length === 0) lp.constrain([[names.on(0), 1]], '<=', -1);
    else lp.constrain(terms, '=', 1);
  }
  if (atLeast !== undefined && atLeast > 0) {
    const all = serving.flat();
    lp.constrain(all.length === 0 ? [[names.on(0), -1]] : all, '>=', all.length === 0 ? 1 : atLeast);
  }
}

interface Bounds {
  readonly users: number;
  readonly userMbps: number;
  readonly trafficMbps: number;
}

/** What a radio head at a stand can carry at most: its users, and the sum of their largest rates. */
function boundsOf({ rrhTypes, mecTypes, cells }: RfbInstance, stand: Stand, leastRateMbps: number): Bounds {
  const types = stand.cells.map((c) => rrhTypes[cells[c]!.type]!);
  const userMbps = largest(mecTypes.map((mec) => mec.userMbps));
  const possible = stand.users.flatMap(({ rate }) => (rate >= leastRateMbps ? [rate] : []));
  const users = Math.min(Math.floor(largest(types.map((type) => type.users))), possible.length);
  const served = possible.toSorted((a, b) => b - a).slice(0, users);
  const sum = served.reduce((total, rate) => total + Math.min(rate, userMbps), 0);
  return { users, userMbps, trafficMbps: Math.min(largest(types.map(({ rateMbps }) => rateMbps)), sum) };
}

/** (43), where a type of MEC gives users less than another: what is lost by it is bounded by the users who lose most. */
function slowerMecs(lp: LpText, instance: RfbInstance, s: number, { node }: Stand, peaks: Terms, bound: Bounds): void {
  const best = bound.userMbps / RATE_UNIT;
  instance.mecTypes.forEach(({ userMbps }, type) => {
    const own = userMbps / RATE_UNIT;
    const losses = peaks.map(([, rate]) => Math.max(0, Math.min(rate, best) - own));
    const lost = losses
      .toSorted((a, b) => b - a)
      .slice(0, bound.users)
      .reduce((sum, each) => sum + each, 0);
    if (lost === 0) return;
    const here = instance.nodes[node]!.mecAt.map((at) => [names.mec(s, at, type), lost] as const);
    const usable = peaks.map(([name, rate]) => [name, -Math.min(rate, own)] as const);
    lp.constrain([[names.traffic(s), 1], ...usable, ...here], '<=', lost);
  });
}

function atMost(lp: LpText, of: readonly Terms[], types: readonly { readonly most: number }[]): void {
  of.forEach((terms, type) => {
    if (terms.length > types[type]!.most) lp.constrain(terms, '<=', types[type]!.most);
  });
}

const emptyTerms = ({ length }: { readonly length: number }): [string, number][][] => Array.from({ length }, () => []);

const scaled = (terms: Terms, by: number): Terms => terms.map(([name, factor]) => [name, factor * by] as const);

const negated = (terms: Terms): Terms => scaled(terms, -1);
