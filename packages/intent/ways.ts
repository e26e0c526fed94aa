import { explained, explore, type Path, type PortId, type Start } from '@superfluidity/verify';
import { intentLimits } from './limits.ts';
import { answering } from './packets.ts';
import { pathReport } from './path-report.ts';
import { type Planes, type PolicyService, subjectOf } from './prove.ts';
import type { WayReport, WaysReport } from './report.ts';
import { addressesOf, filterOf, startsOf, unitsAt } from './starts.ts';
import type { UnitPlaces } from './subject.ts';

/** Where do packets go with which a place opens connections, sent to another one or to anywhere, and do answers come back? */
export interface WaysQuestion {
  /** Functions, units or networks of the service. */
  readonly from: string;
  readonly to?: string;
  /** A filter of tcpdump. */
  readonly packet?: string;
}

export type WaysRequest = {
  readonly service: PolicyService;
  readonly question: WaysQuestion;
  readonly milliseconds?: number;
} & Planes;

interface Way {
  readonly from: UnitPlaces;
  readonly start: Start;
  readonly path: Path;
  readonly arrivesAt: UnitPlaces | undefined;
  readonly answered: boolean;
}

export function waysOf(request: WaysRequest): WaysReport {
  const began = performance.now();
  const { service, question, milliseconds = intentLimits.milliseconds } = request;
  const subject = subjectOf(request);
  const targets = question.to === undefined ? subject.units : unitsAt(subject, service, [question.to]);
  const starts = startsOf(unitsAt(subject, service, [question.from]), {
    ...(question.to === undefined ? {} : { to: addressesOf(targets) }),
    assume: [filterOf(question.packet)],
  });
  const network = answering(subject.network, targets);
  const takes = new Map(subject.units.flatMap((unit) => unit.ends.map((port) => [port, unit] as const)));
  const found: Way[] = [];
  let bound: string | undefined;
  for (const { unit, start } of starts) {
    const left = began + milliseconds - performance.now();
    const room = intentLimits.waysFound - found.length;
    if (left <= 0 || room <= 0) {
      bound = left <= 0 ? 'milliseconds' : 'paths';
      break;
    }
    const exploration = explore(network, start, { limits: { milliseconds: left, paths: room } });
    bound ??= exploration.bound;
    for (const path of exploration.paths) found.push({ from: unit, start, path, ...arrival(unit, path, takes) });
  }
  const ways = found
    .toSorted((a, b) => rank(a) - rank(b) || a.path.hops.length - b.path.hops.length)
    .slice(0, intentLimits.waysTold);
  return {
    plane: 'intended' in request ? 'intended' : 'realised',
    ways: ways.map(({ from, start, path, arrivesAt, answered }): WayReport => {
      const at = arrivesAt === undefined ? {} : { arrivesAt: arrivesAt.name };
      return { from: from.name, ...at, answered, ...pathReport(explained(network, start, path)) };
    }),
    found: found.length,
    ...(bound === undefined ? {} : { bound }),
    assumptions: subject.assumptions,
    tookMs: Math.round(performance.now() - began),
  };
}

const rank = ({ arrivesAt, answered }: Way): number => (answered ? 0 : arrivesAt === undefined ? 2 : 1);

/** Packets that were answered go on as their answers: the first unit that takes them is where they arrived. */
function arrival(from: UnitPlaces, { hops, outcome }: Path, takes: ReadonlyMap<PortId, UnitPlaces>) {
  const at = hops.findIndex(({ port }, i) => i > 0 && takes.has(port));
  const isBack = at >= 0 && hops.length > at + 1 && outcome === 'delivered' && from.ends.includes(hops.at(-1)!.port);
  return { arrivesAt: at < 0 ? undefined : takes.get(hops[at]!.port), answered: isBack };
}
