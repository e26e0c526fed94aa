import { SuperfluidityError } from '@superfluidity/core';
import '../errors.ts';
import { boundOf } from '../engine/budget.ts';
import { Executor } from '../engine/execute.ts';
import { type ExploreOptions, Explorer, type Start } from '../engine/explore.ts';
import { makePath } from '../engine/make-path.ts';
import type { Hop, Path } from '../engine/path.ts';
import { Question } from '../engine/question.ts';
import type { State } from '../engine/state.ts';
import { type Layout, layouts as standardLayouts } from '../ir/layouts.ts';
import type { Bound } from '../limits.ts';
import { boxOf, type Network, type PortId } from '../network.ts';
import type { Verdict } from '../verdict.ts';
import { answer } from './answers.ts';
import { explained } from './explained.ts';
import { verdictOf } from './exploration-verdict.ts';
import { isAt, mustExist, type Place } from './places.ts';

export interface SymmetryOptions extends Pick<ExploreOptions, 'limits' | 'clock' | 'solve' | 'coverage'> {
  /** Where packets arrive whose answers are asked for. Default: anywhere. */
  readonly to?: Place;
  /** Where answers come in. Default: at the interface by which packets leave. */
  readonly back?: PortId;
}

/** A packet, and its answer. */
interface Trip {
  readonly forth: Path;
  readonly back: Path;
}

/** Trips of which both ways are shown at most, and of those, with the very rules that their packets meet. */
const SHOWN = 50;
const EXPLAINED = 10;

/**
 * Does the answer of every packet that is delivered come back through the same boxes in reverse, and by the same interfaces where
 * both directions of an interface have a name? Answers begin with what boxes remember of the packet: its connections and
 * translations. The paths of the verdict are a packet and its answer, in turns.
 */
export function symmetry(network: Network, starts: readonly Start[], options: SymmetryOptions = {}): Verdict {
  for (const place of [options.to, options.back]) if (place !== undefined) mustExist(network, place);
  const question = new Question(options);
  const trips = new Trips(network, question, options);
  let bound: Bound | undefined;
  try {
    for (const start of starts) trips.from(start);
  } catch (error) {
    bound = boundOf(error);
    if (bound === undefined) throw error;
  }
  const bad = trips.bad.toSorted((a, b) => a.forth.hops.length - b.forth.hops.length);
  const isLost = bad[0]?.back.outcome !== 'delivered';
  const verdict = verdictOf(
    {
      question: 'symmetry',
      evidence: bad.map(({ back }) => back),
      found: 'violated',
      because: {
        found: `There are packets whose answers ${isLost ? 'do not come back' : 'come back another way'}.`,
        absent: 'All answers come back the way that their packets went.',
      },
    },
    [
      {
        network,
        start: starts[0]!,
        paths: trips.unfinished,
        statistics: { instructions: 0, states: 0, diagramNodes: 0 },
        ...(bound === undefined ? {} : { bound }),
      },
    ],
  );
  const certain = bad.filter(({ back }) => back.doubts.length === 0);
  const shown = (certain.length > 0 ? certain : bad).slice(0, SHOWN);
  const rules = shown
    .slice(0, 1)
    .flatMap(({ forth, back }) => [...forth.hops, ...back.hops].flatMap((hop) => hop.because));
  return { ...verdict, paths: shown.flatMap(({ forth, back }) => [forth, back]), rules: [...new Set(rules)] };
}

class Trips {
  readonly bad: Trip[] = [];
  readonly unfinished: Path[] = [];
  readonly #network: Network;
  readonly #question: Question;
  readonly #options: SymmetryOptions;
  /** Boxes that do something: places at the ends of links are on no way. */
  readonly #boxes: ReadonlySet<string>;

  constructor(network: Network, question: Question, options: SymmetryOptions) {
    this.#network = network;
    this.#question = question;
    this.#options = options;
    this.#boxes = new Set([...network.programs.keys()].map(boxOf));
  }

  from(start: Start): void {
    mustExist(this.#network, start.port);
    for (const layout of start.layouts ?? standardLayouts.filter(({ name }) => name.startsWith('ipv4/'))) {
      const explorer: Explorer = new Explorer(this.#network, this.#question, {
        keepDropped: false,
        monitor: {
          ended: (path, state) => {
            if (path.outcome === 'unfinished') this.unfinished.push(path);
            if (path.outcome === 'delivered' && this.#isThere(path.hops))
              this.#answer(path, state, { start, layout, sent: sent! });
            return 'continue';
          },
        },
      });
      let sent: State | undefined;
      for (const born of explorer.born(start, layout)) {
        sent = born;
        explorer.explore(born, layout, start.setup);
      }
    }
  }

  #isThere(hops: readonly Hop[]): boolean {
    const { to } = this.#options;
    return to === undefined || hops.some(({ port }, i) => i > 0 && isAt(port, to));
  }

  #answer(forth: Path, arrived: State, sending: Sending): void {
    const port = this.#options.back ?? this.#entryOf(forth.hops);
    const quiet = new Executor(this.#network, this.#question, { forwarded: () => undefined, ended: () => undefined });
    const [there, layout] = [this.#visits(forth.hops).reverse(), sending.layout];
    for (const answered of quiet.run(arrived.beginAt(port), answer)) {
      const explorer = new Explorer(this.#network, this.#question, {
        monitor: {
          ended: (back, { condition }) => {
            if (back.outcome === 'unfinished') this.unfinished.push(back);
            else if (back.outcome !== 'delivered' || !isReverse(this.#visits(back.hops), there)) {
              const met = arrived.under(arrived.condition.meet(condition) ?? arrived.condition);
              this.bad.push({ forth: this.#shown(forth, met, sending), back });
            }
            return 'continue';
          },
        },
      });
      explorer.explore(answered, layout);
    }
  }

  /** The packets whose answers these are. */
  #shown({ outcome, why, source, layout }: Path, state: State, { sent, start }: Sending): Path {
    const { solve, limits } = this.#question;
    const path = makePath({ state, outcome, why, source, layout, sent, solve, ranges: limits.ranges });
    return this.bad.length < EXPLAINED ? explained(this.#network, start, path) : path;
  }

  /** The way in of the interface by which packets left, or of the last box on the way. */
  #entryOf(hops: readonly Hop[]): PortId {
    const { programs } = this.#network;
    for (const { port } of hops.toReversed()) {
      const candidates = [port.replace(/:out$/, ':in'), `${boxOf(port)}:in`];
      const entry = candidates.find((candidate) => candidate.endsWith(':in') && programs.has(candidate));
      if (entry !== undefined) return entry;
    }
    throw new SuperfluidityError('SF-VERIFY-QUESTION', {
      reason: `where answers come in of packets that leave at ${hops.at(-1)!.port} is not known: say it with --back`,
    });
  }

  #visits(hops: readonly Hop[]): Visit[] {
    const visits: Visit[] = [];
    for (const { port } of hops) {
      const box = boxOf(port);
      if (!this.#boxes.has(box)) continue;
      const [, name, way] = /^(.+):(in|out)$/.exec(port.slice(box.length + 1)) ?? [];
      const enters = way === 'in' || port === `${box}:in`;
      const last = visits.at(-1);
      if (last?.box === box && !enters) {
        if (way === 'out') last.leave = name;
      } else visits.push({ box, enter: way === 'in' ? name : undefined, leave: way === 'out' ? name : undefined });
    }
    return visits;
  }
}

interface Sending {
  readonly start: Start;
  readonly layout: Layout;
  readonly sent: State;
}

/** A packet in a box, with the interfaces where they are known. */
interface Visit {
  readonly box: string;
  readonly enter: string | undefined;
  leave: string | undefined;
}

function isReverse(back: readonly Visit[], expected: readonly Visit[]): boolean {
  const same = (a: string | undefined, b: string | undefined) => a === undefined || b === undefined || a === b;
  return (
    back.length === expected.length &&
    back.every(({ box, enter, leave }, i) => {
      const forth = expected[i]!;
      return box === forth.box && same(enter, forth.leave) && same(leave, forth.enter);
    })
  );
}
