import { nearest, SuperfluidityError } from '@superfluidity/core';
import '../errors.ts';
import { boxOf, type Network, type PortId } from '../network.ts';
import { portsOf } from '../ports.ts';

const NAMES_MAX = 8;

/** A port, or a box: then any of its ports. */
export type Place = string;

export function isAt(port: PortId, place: Place): boolean {
  return port === place || (!place.includes(':') && boxOf(port) === place);
}

export function mustExist(network: Network, place: Place): void {
  const ports = portsOf(network);
  // Hosts and other networks at the end of a link are boxes too, of which nothing more is known.
  const known = new Set([...ports, ...network.boxes.keys(), ...[...ports].map(boxOf)]);
  if (known.has(place)) return;
  const similar = nearest(place, known);
  throw new SuperfluidityError('SF-VERIFY-PORT', {
    reason: `there is no port or box '${place}'; ${similar === undefined ? thereAre(place, known) : `did you mean '${similar}'?`}`,
  });
}

/** The ports of that box, or the boxes; of many, some. */
function thereAre(place: Place, known: ReadonlySet<string>): string {
  const ports = [...known].filter((name) => name !== boxOf(name) && boxOf(name) === boxOf(place));
  const names = ports.length > 0 ? ports : [...new Set([...known].map(boxOf))];
  return `there are ${names.slice(0, NAMES_MAX).join(', ')}${names.length > NAMES_MAX ? ', ...' : ''}`;
}
