import { type Service, unitsAtPlace } from '@superfluidity/model';
import { all, type Condition, parseFilter, type Start } from '@superfluidity/verify';
import { opening } from './packets.ts';
import type { Subject, UnitPlaces } from './subject.ts';

/** The units at places of a service, as policies and questions name them. */
export function unitsAt(
  subject: Subject,
  service: Pick<Service, 'block' | 'networks'>,
  places: readonly string[],
): readonly UnitPlaces[] {
  const paths = new Set(places.flatMap((place) => unitsAtPlace(service as Service, place)).map(({ path }) => path));
  return subject.units.filter(({ path }) => paths.has(path));
}

/** To which addresses packets for these units are sent: to those of chains that end there, else to their own. */
export function addressesOf(units: readonly UnitPlaces[]): readonly string[] {
  const service = units.flatMap((unit) => unit.serviceAddresses);
  return [...new Set(service.length > 0 ? service : units.flatMap((unit) => unit.addresses))];
}

export const filterOf = (packet: string | undefined): Condition | undefined =>
  packet === undefined ? undefined : parseFilter(packet);

/** One start for each address of each unit, and for each address to which packets are sent, when those are named. */
export function startsOf(
  units: readonly UnitPlaces[],
  { to, assume = [] }: { readonly to?: readonly string[]; readonly assume?: readonly (Condition | undefined)[] },
) {
  const more = assume.filter((each) => each !== undefined);
  return units.flatMap((unit) =>
    unit.starts.flatMap((port) =>
      unit.addresses.flatMap((from) =>
        (to ?? [undefined]).map((address) => {
          const packets = opening(from, address);
          const start: Start = { port, setup: packets.setup, assume: all(packets.assume, ...more) };
          return { unit, start };
        }),
      ),
    ),
  );
}
