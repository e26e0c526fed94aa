import { SuperfluidityError } from '@superfluidity/core';
import { designLimits } from '../errors.ts';
import { seeded } from '@superfluidity/core';
import { associate } from './associate.ts';
import { violations } from './check.ts';
import { withinLimits } from './design-heuristics.ts';
import { hostBlocks } from './host.ts';
import { nodesOn, type RfbInstance, type RfbSolution, totalRate } from './instance.ts';
import { linksByUser } from './links.ts';
import { priceBound } from './price-bound.ts';

export interface SwarmOptions {
  readonly objective: 'traffic' | 'nodes';
  /** Nodes that may be powered on (default: all). */
  readonly nodesMax?: number;
  readonly timeLimitMs: number;
  readonly seed: number;
  /** Milliseconds of some clock: it looks at the time between particles. */
  readonly now: () => number;
  /** At most (default: `designLimits.swarmRounds`). */
  readonly rounds?: number;
}

/** A solution, and how far at most it is from the best there is. */
export interface Managed {
  readonly solution: RfbSolution;
  readonly trafficMbps: number;
  readonly nodes: number;
  /** No solution has more traffic (or fewer nodes) than this. */
  readonly bound: number;
  readonly gap: number;
  readonly proven: boolean;
  readonly by: 'milp' | 'swarm';
}

interface Particle {
  readonly at: Float64Array;
  readonly velocity: Float64Array;
  best: Float64Array;
  bestFitness: number;
}

/**
 * Management by a swarm (Kennedy and Eberhart, 1995; "P5G", GLOBECOM 2017, has one for this problem, of which only the name
 * is public): a particle says which cells have a radio head and where it wishes BBUs and MECs; users are associated and blocks
 * hosted by repair. Inertia falls from 0.9 to 0.4, both pulls are 2. O(rounds * particles * passes * links), and never longer
 * than the time limit and one particle. The gap is to the bound by prices (of traffic), or to one node (of nodes).
 * Throws SF-DESIGN-UNKNOWN where no particle ever serves everybody.
 */
export function manageBySwarm(instance: RfbInstance, options: SwarmOptions): Managed {
  let best: Managed | undefined;
  for (const found of swarmRounds(instance, options)) best = found;
  if (best !== undefined) return best;
  const reason = 'no particle serves all users within the bounds';
  throw new SuperfluidityError('SF-DESIGN-UNKNOWN', { doing: `manage ${instance.name}`, reason });
}

/** The same round by round, each with the best so far. */
export function* swarmRounds(instance: RfbInstance, options: SwarmOptions): Generator<Managed | undefined> {
  const { objective, nodesMax = instance.nodes.length, seed, now, timeLimitMs } = options;
  const { rounds = designLimits.swarmRounds } = options;
  const { cells, nodes } = instance;
  const random = seeded(seed);
  const end = now() + timeLimitMs;
  const links = linksByUser(instance);
  const price = priceBound(instance, nodesMax);
  const size = cells.length + 2 * nodes.length;
  let found: RfbSolution | undefined;
  let foundFitness = Number.NEGATIVE_INFINITY;
  let foundAt = new Float64Array(size);
  let looked = 0;

  const particles = Array.from({ length: designLimits.particles }, (_, p): Particle => {
    const at = Float64Array.from({ length: size }, (_at, i) => first(p, i));
    return { at, velocity: new Float64Array(size), best: at, bestFitness: Number.NEGATIVE_INFINITY };
  });
  let still = 0;
  for (let round = 0; round < rounds && still < designLimits.stillRounds; round += 1) {
    still += 1;
    for (const particle of particles) {
      if (now() > end && looked > 0) break;
      looked += 1;
      const { solution, fitness } = evaluate(particle.at);
      if (fitness > particle.bestFitness) [particle.best, particle.bestFitness] = [particle.at.slice(), fitness];
      if (fitness > foundFitness) {
        [found, foundFitness, foundAt] = [solution, fitness, particle.at.slice()];
        still = 0;
      }
    }
    yield managed();
    if (now() > end) break;
    const inertia = 0.9 - (0.5 * round) / rounds;
    for (const { at, velocity, best } of particles) {
      for (let i = 0; i < size; i += 1) {
        const pull = 2 * random() * (best[i]! - at[i]!) + 2 * random() * (foundAt[i]! - at[i]!);
        velocity[i] = Math.min(0.5, Math.max(-0.5, inertia * velocity[i]! + pull));
        at[i] = Math.min(1, Math.max(0, at[i]! + velocity[i]!));
      }
    }
  }

  function managed(): Managed | undefined {
    if (found === undefined) return undefined;
    const wrong = violations(instance, found, { nodesMax });
    if (wrong.length > 0) throw new Error(`The swarm's answer violates ${wrong.join('; ')}`);
    const traffic = objective === 'traffic';
    const value = traffic ? totalRate(found) : nodesOn(found);
    const bound = traffic ? Math.max(value, price.trafficMbps) : 1;
    const gap = Math.abs(bound - value) / Math.max(1, Math.abs(value));
    return {
      solution: found,
      trafficMbps: totalRate(found),
      nodes: nodesOn(found),
      bound,
      gap,
      proven: gap <= 1e-6,
      by: 'swarm',
    };
  }

  /** The first has as many radio heads as there may be, the macro ones first; the others are drawn. */
  function first(particle: number, i: number): number {
    if (particle === 0) return i < cells.length ? 0.9 - 0.3 * cells[i]!.type : 0;
    return random();
  }

  function evaluate(at: Float64Array): { readonly solution?: RfbSolution; readonly fitness: number } {
    const heads = headsOf(at);
    const open = cells.map(() => false);
    for (const c of heads) open[c] = true;
    const association = associate(instance, links, open, price.prices);
    if (association.unserved > 0) return { fitness: -1e12 - association.unserved };
    // A radio head without users is not worth its node.
    const used = new Set(association.link.values().map((each) => links.cellOf[each]!));
    const wish = (node: number, list: readonly number[], i: number) =>
      list[Math.min(list.length - 1, Math.floor(at[cells.length + i * nodes.length + node]! * list.length))] ?? node;
    const solution = hostBlocks(
      instance,
      links,
      association,
      heads.filter((c) => used.has(c)),
      {
        bbu: nodes.map(({ bbuAt }, node) => wish(node, bbuAt, 0)),
        mec: nodes.map(({ mecAt }, node) => wish(node, mecAt, 1)),
      },
    );
    if (solution === undefined) return { fitness: -1e11 };
    const excess = nodesOn(solution) - nodesMax;
    if (excess > 0) return { fitness: -1e10 - excess };
    const rate = totalRate(solution);
    return { solution, fitness: objective === 'traffic' ? rate : rate / 1e9 - nodesOn(solution) };
  }

  /** Cells with more than a half, the surest first. */
  function headsOf(at: Float64Array): readonly number[] {
    const wanted = [...cells.keys()].filter((c) => at[c]! > 0.5).toSorted((a, b) => at[b]! - at[a]! || a - b);
    return withinLimits(instance, wanted).slice(0, nodesMax);
  }
}
