import type { ServiceDetail, WaysReport } from '@superfluidity/api';

export interface NamedPlace {
  readonly name: string;
  readonly words: string;
}

/** Where packets can begin and end: functions, their units, and networks, which are the units on them. */
export function placesOf({ functions, networks = [] }: Pick<ServiceDetail, 'functions' | 'networks'>): NamedPlace[] {
  const known = new Map<string, string>();
  for (const { name, units } of functions) {
    if (units.length !== 1) known.set(name, `${name}, all of it`);
    for (const { path } of units) known.set(path, path);
  }
  for (const { name } of networks) if (!known.has(name)) known.set(name, `network ${name}`);
  return [...known].map(([name, words]) => ({ name, words }));
}

type Way = WaysReport['ways'][number];

/** What became of the packets of a way. What was not understood on it is no certainty. */
export function wayWords({ from, arrivesAt, answered, outcome, port, doubts }: Way) {
  const isCertain = doubts.length === 0 && outcome !== 'unfinished';
  const verdict = answered ? 'answered' : arrivesAt === undefined ? outcome : 'no answer';
  return {
    verdict,
    colour: !isCertain ? ('orange' as const) : answered ? ('green' as const) : ('red' as const),
    title: arrivesAt === undefined ? `${from} to ${port}` : `${from} to ${arrivesAt}`,
  };
}
