import { type Exploration, explore, type ExploreOptions, type Start } from '../engine/explore.ts';
import type { Path } from '../engine/path.ts';
import type { Field } from '../ir/expression.ts';
import type { Network } from '../network.ts';
import type { Verdict } from '../verdict.ts';
import { type Explored, verdictOf } from './exploration-verdict.ts';
import { isAt, mustExist, type Place } from './places.ts';

/** Do packets from the start get to the place, or out of the network when none is named? */
export function reach(network: Network, start: Start, to: Place | undefined, options: ExploreOptions = {}): Verdict {
  const exploration = run(network, start, options);
  if (to !== undefined) mustExist(network, to);
  const there = to ?? 'an edge of the network';
  return verdictOf(
    {
      question: 'reach',
      evidence: arrivals(exploration, to),
      found: 'holds',
      because: {
        found: `Packets from ${start.port} reach ${there}.`,
        absent: `No packet from ${start.port} reaches ${there}.`,
      },
    },
    [exploration],
  );
}

/** Does no packet from any of the starts get to the place? */
export function isolation(
  network: Network,
  starts: readonly Start[],
  to: Place,
  options: ExploreOptions = {},
): Verdict {
  mustExist(network, to);
  const explorations = starts.map((start) => run(network, start, options));
  return verdictOf(
    {
      question: 'isolation',
      evidence: explorations.flatMap((each) => arrivals(each, to)),
      found: 'violated',
      because: { found: `There are packets that reach ${to}.`, absent: `No packet reaches ${to}.` },
    },
    explorations,
  );
}

/** Does no packet come back to where it was, in a state in which it was there? */
export function loops(network: Network, starts: readonly Start[], options: ExploreOptions = {}): Verdict {
  return none(network, starts, options, 'loops', 'loop', 'There are packets that go round.', 'No packet goes round.');
}

/** Is no packet forwarded to where nothing is? */
export function blackHoles(network: Network, starts: readonly Start[], options: ExploreOptions = {}): Verdict {
  return none(
    network,
    starts,
    options,
    'blackholes',
    'black hole',
    'There are packets that are sent to where nothing is connected.',
    'All packets that are not dropped on purpose are delivered.',
  );
}

/** Does no packet run into an error of the network: a header that is not there, a `fail`? */
export function failures(network: Network, starts: readonly Start[], options: ExploreOptions = {}): Verdict {
  return none(
    network,
    starts,
    options,
    'failures',
    'failed',
    'There are packets that run into an error.',
    'No packet runs into an error.',
  );
}

/** Have the fields, wherever packets are delivered, the values with which they were sent? */
export function invariants(
  network: Network,
  starts: readonly Start[],
  kept: readonly Field[],
  options: ExploreOptions = {},
): Verdict {
  const explorations = starts.map((start) => run(network, start, { ...options, keepDropped: false }));
  const names = kept.map((at) => at.name ?? `${at.tag}+${at.offset}`).join(', ');
  return verdictOf(
    {
      question: 'invariants',
      evidence: explorations.flatMap((each) => arrivals(each, undefined)).flatMap((path) => path.changed(kept) ?? []),
      found: 'violated',
      because: {
        found: `Packets arrive with another ${names}.`,
        absent: `Packets arrive with the ${names} that they had.`,
      },
    },
    explorations,
  );
}

/** Do packets that reach the place come through the waypoints before, in that order? */
export function waypoints(
  network: Network,
  starts: readonly Start[],
  to: Place,
  through: readonly Place[],
  options: ExploreOptions = {},
): Verdict {
  for (const place of [to, ...through]) mustExist(network, place);
  // What a box drops has reached the box.
  const explorations = starts.map((start) => run(network, start, options));
  const inOrder = ({ hops }: Path) => {
    let next = 0;
    for (const [i, { port }] of hops.entries()) {
      if (i > 0 && isAt(port, to)) break;
      while (next < through.length && isAt(port, through[next]!)) next += 1;
    }
    return next === through.length;
  };
  const names = through.join(', ');
  return verdictOf(
    {
      question: 'waypoints',
      evidence: explorations.flatMap((each) => arrivals(each, to)).filter((path) => !inOrder(path)),
      found: 'violated',
      because: {
        found: `There are packets that reach ${to} without going through ${names}${through.length > 1 ? ' in that order' : ''}.`,
        absent: `All packets that reach ${to} go through ${names}.`,
      },
    },
    explorations,
  );
}

function none(
  network: Network,
  starts: readonly Start[],
  options: ExploreOptions,
  question: string,
  outcome: Path['outcome'],
  found: string,
  absent: string,
): Verdict {
  const explorations = starts.map((start) => run(network, start, { ...options, keepDropped: false }));
  const evidence = explorations.flatMap(({ paths }) => paths).filter((path) => path.outcome === outcome);
  return verdictOf({ question, evidence, found: 'violated', because: { found, absent } }, explorations);
}

export function run(network: Network, start: Start, options: ExploreOptions): Explored {
  mustExist(network, start.port);
  return { ...explore(network, start, options), network, start };
}

/** Paths that lead to the place, however they go on from there. A packet is not where it began. */
function arrivals({ paths }: Exploration, to: Place | undefined): readonly Path[] {
  if (to === undefined) return paths.filter(({ outcome }) => outcome === 'delivered');
  return paths.filter(({ hops }) => hops.some(({ port }, i) => i > 0 && isAt(port, to)));
}
