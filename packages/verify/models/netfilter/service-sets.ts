import { SuperfluidityError } from '@superfluidity/core';
import '../../errors.ts';
import { FALSE, TRUE, type Diagrams, type Node } from '../../diagram/diagrams.ts';
import type { Match } from '../../ir/table.ts';
import { ctState, type Chain, type IpSet, type Part, type Test } from '../../readers/netfilter/ruleset.ts';
import { cubesOf, type Cube, type Surroundings } from './cubes.ts';
import type { ModelKey } from './keys.ts';
import { rangesOf } from './match-algebra.ts';

/** Source and destination of packets, by what is certain and by what is possible. */
export interface Sets {
  readonly may: Node;
  readonly must: Node;
}

export interface Service {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  /** Of the client; default 49152, the first that the system may give out (RFC 6335). */
  readonly sourcePort?: number;
}

/** Which variables of the diagrams are the bits of what, the most significant first. */
export interface Order {
  readonly source: readonly number[];
  readonly destination: readonly number[];
  readonly iif: readonly number[];
  readonly oif: readonly number[];
}

const JUMPS_MAX = 100;

/** A chain as a function on sets of first packets of one service: what it accepts, and what falls through. */
export class ServiceFilter {
  readonly #diagrams: Diagrams;
  readonly #order: Order;
  readonly #around: Surroundings;
  readonly #known: ReadonlyMap<ModelKey, bigint>;
  readonly #chains: ReadonlyMap<string, Chain>;
  readonly #matches = new Map<Match, Node>();
  #accepted: Sets = { may: FALSE, must: FALSE };

  constructor(
    diagrams: Diagrams,
    order: Order,
    around: Surroundings,
    chains: ReadonlyMap<string, Chain>,
    service: Service,
  ) {
    this.#diagrams = diagrams;
    this.#order = order;
    this.#around = around;
    this.#chains = chains;
    this.#known = new Map<ModelKey, bigint>([
      ['l4proto', service.protocol === 'tcp' ? 6n : 17n],
      ['dport', BigInt(service.port)],
      ['sport', BigInt(service.sourcePort ?? 49_152)],
      ['ct.state', ctState.new],
      ['ct.direction', 0n],
      ['ct.status', 0n],
      ['ip.fragment', 0n],
      ['physin', 0n],
      ['physout', 0n],
      ...(service.protocol === 'tcp' ? ([['tcp.flags', 2n]] as const) : []),
    ]);
  }

  accepted(base: Chain, packets: Node): Sets {
    this.#accepted = { may: FALSE, must: FALSE };
    const rest = this.#run(base, { may: packets, must: packets }, 0);
    if (base.base?.policy !== 'drop') this.#accept(rest);
    return this.#accepted;
  }

  #accept({ may, must }: Sets): void {
    const d = this.#diagrams;
    this.#accepted = { may: d.or(this.#accepted.may, may), must: d.or(this.#accepted.must, must) };
  }

  /** What goes back to the chain that called. */
  #run(chain: Chain, packets: Sets, depth: number): Sets {
    if (depth > JUMPS_MAX) {
      throw new SuperfluidityError('SF-VERIFY-INPUT', {
        reason: `${chain.source.file}:${chain.source.line}: more than ${JUMPS_MAX} jumps to ${chain.name}`,
        data: { file: chain.source.file, line: chain.source.line },
      });
    }
    const d = this.#diagrams;
    let here = packets;
    let back: Sets = { may: FALSE, must: FALSE };
    const both = (a: Sets, b: Sets): Sets => ({ may: d.and(a.may, b.may), must: d.and(a.must, b.must) });
    const either = (a: Sets, b: Sets): Sets => ({ may: d.or(a.may, b.may), must: d.or(a.must, b.must) });
    const without = (a: Sets, b: Sets): Sets => ({ may: d.minus(a.may, b.must), must: d.minus(a.must, b.may) });
    let run: { verdict: string; sets: Sets[] } = { verdict: '', sets: [] };
    const flush = () => {
      if (run.sets.length === 0) return;
      const matched = this.#join(run.sets);
      if (run.verdict === 'accept') this.#accept(both(here, matched));
      if (run.verdict === 'return') back = either(back, both(here, matched));
      here = without(here, matched);
      run = { verdict: '', sets: [] };
    };
    for (const { parts } of chain.rules) {
      const matched = this.#holds(parts.filter(isTest));
      if (matched.may === FALSE) continue;
      for (const action of parts) {
        if (isTest(action)) continue;
        if (action.is === 'accept' || action.is === 'drop' || action.is === 'return') {
          /** Rules of one verdict, one behind the other, are one rule. */
          if (run.verdict !== action.is) flush();
          run.verdict = action.is;
          run.sets.push(matched);
        } else if (action.is === 'jump') {
          flush();
          const target = this.#chains.get(action.chain);
          const entering = both(here, matched);
          const returned = target === undefined ? entering : this.#run(target, entering, depth + 1);
          here = without(here, matched);
          if (action.goto) back = either(back, returned);
          else here = either(here, returned);
        } else if (action.is === 'doubt' || action.is === 'cases') {
          flush();
          const possible = { may: both(here, matched).may, must: FALSE };
          this.#accept(possible);
          here = { may: here.may, must: d.minus(here.must, matched.may) };
        }
      }
    }
    flush();
    return either(here, back);
  }

  /** As a tree, so that most unions are of small sets. */
  #join(sets: readonly Sets[]): Sets {
    if (sets.length === 1) return sets[0]!;
    const half = sets.length >> 1;
    const [a, b] = [this.#join(sets.slice(0, half)), this.#join(sets.slice(half))];
    return { may: this.#diagrams.or(a.may, b.may), must: this.#diagrams.or(a.must, b.must) };
  }

  #holds(tests: readonly Test[]): Sets {
    const d = this.#diagrams;
    let all: Sets = { may: FALSE, must: FALSE };
    for (const cube of cubesOf(tests, this.#around)) {
      const one = this.#cube(cube);
      all = { may: d.or(all.may, one.may), must: d.or(all.must, one.must) };
    }
    return all;
  }

  #cube({ matches, unknown, rest }: Cube): Sets {
    const d = this.#diagrams;
    let certain = unknown.length === 0;
    let node: Node = TRUE;
    for (const [key, match] of matches) {
      const set = this.#match(key, match);
      if (set === undefined) certain = false;
      else node = d.and(node, set);
      if (node === FALSE) return { may: FALSE, must: FALSE };
    }
    let sets: Sets = { may: node, must: certain ? node : FALSE };
    for (const test of rest) {
      const left = test.is === 'either' && test.negated ? this.#holds([{ ...test, negated: false }]) : undefined;
      const inner: Sets =
        left === undefined ? { may: TRUE, must: FALSE } : { may: d.not(left.must), must: d.not(left.may) };
      sets = { may: d.and(sets.may, inner.may), must: d.and(sets.must, inner.must) };
    }
    return sets;
  }

  /** Undefined: it depends on what is not known of the packet. */
  #match(key: ModelKey, match: Match): Node | undefined {
    const value = this.#known.get(key);
    if (value !== undefined) return matches(match, value) ? TRUE : FALSE;
    const bits = this.#bits(key);
    if (bits === undefined) return undefined;
    const known = this.#matches.get(match);
    if (known !== undefined) return known;
    const made = this.#diagram(match, bits);
    this.#matches.set(match, made);
    return made;
  }

  #bits(key: ModelKey): readonly number[] | undefined {
    const { family } = this.#around;
    if (key === `${family}.saddr`) return this.#order.source;
    if (key === `${family}.daddr`) return this.#order.destination;
    return key === 'iif' ? this.#order.iif : key === 'oif' ? this.#order.oif : undefined;
  }

  #diagram(match: Match, bits: readonly number[]): Node {
    const d = this.#diagrams;
    if (match.kind === 'other') return d.not(this.#diagram(match.of, bits));
    if (match.kind === 'mask') return d.masked(bits, match.value, match.mask);
    const max = (1n << BigInt(bits.length)) - 1n;
    const width = match.kind === 'prefix' ? bits.length : 128;
    return (rangesOf(match, width) ?? []).reduce(
      (node, [low, high]) => (low > max ? node : d.or(node, d.range(bits, low, high > max ? max : high))),
      FALSE as Node,
    );
  }
}

function isTest(part: Part): part is Test {
  return !['accept', 'drop', 'return', 'jump', 'assign', 'nat', 'untrack', 'cases', 'doubt'].includes(part.is);
}

function matches(match: Match, value: bigint): boolean {
  switch (match.kind) {
    case 'range':
      return value >= match.low && value <= match.high;
    case 'prefix':
      return value === match.value;
    case 'mask':
      return (value & match.mask) === match.value;
    case 'set':
      return match.ranges.some(([low, high]) => value >= low && value <= high);
    case 'other':
      return !matches(match.of, value);
  }
}

export const noSets: ReadonlyMap<string, IpSet> = new Map();
