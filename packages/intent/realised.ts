import { assemble, boxOf, type Network, type PortId, portsOf } from '@superfluidity/verify';
import type { RealisedPlane } from './realised-plane.ts';
import type { Subject, UnitPlaces } from './subject.ts';

/** The network that the files make, with the places of the units. */
export function realisedNetwork({ service, files, units, unread }: RealisedPlane): Subject {
  const distinct = new Map(files.map(({ name, text }) => [name, text]));
  const { network } = assemble(
    service,
    [...distinct].map(([path, text]) => ({ path, text })),
  );
  const found = units.map(({ places, ...unit }) => ({ ...unit, ...placesIn(network, places) }));
  const ends = found.flatMap((unit) => unit.ends);
  return {
    network: { ...network, edges: new Set([...(network.edges ?? openEnds(network)), ...ends]) },
    units: found,
    assumptions: unread,
  };
}

/** A namespace has a place for its own programs; of a virtual machine there is its end of the wire. */
function placesIn(network: Network, places: readonly PortId[]): Pick<UnitPlaces, 'starts' | 'ends' | 'all'> {
  const boxes = [...new Set(places.map(boxOf))];
  const isNamespace = boxes.every((box) => network.programs.has(`${box}:local:in`));
  if (isNamespace && boxes.length > 0) {
    const all = [...portsOf(network)].filter((port) => boxes.includes(boxOf(port)));
    return { starts: boxes.map((box) => `${box}:local:in`), ends: boxes.map((box) => `${box}:local:out`), all };
  }
  const ends = places.map((place) => `${place}:out`);
  return { starts: places.map((place) => `${place}:in`), ends, all: ends };
}

const openEnds = (network: Network): readonly PortId[] =>
  [...portsOf(network)].filter((port) => !network.programs.has(port) && !network.links.has(port));
