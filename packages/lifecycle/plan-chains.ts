import { type Block, type Service, splitPortReference, unitsOf } from '@superfluidity/model';
import { type PlannedChain, type PlannedHop, type PlannedUnit, unitName, unitsAt } from './actions.ts';
import type { Transition } from './transition.ts';

/** The chains of a service over its units. They keep their version, and their identity, while they pass the same units at the same addresses. */
export function plannedChains(
  { service, name, current, spreading = new Set(), learned = {} }: Transition,
  units: readonly PlannedUnit[],
): readonly PlannedChain[] {
  const declared = new Map(unitsOf(service).map(({ path, unit }) => [path, unit]));
  return service.chains.flatMap((chain) => {
    const hopAt = (reference: string) => hopOf(reference, units, declared, service);
    const functions = chain.through.map(hopAt).map((hop) => hop && spread(hop, units, spreading));
    const hops = [hopAt(chain.from), ...functions, hopAt(chain.to)];
    if (!hops.every((hop) => hop !== undefined)) return [];
    const id = `${name}.${chain.name}`;
    const old = current.chains.find((each) => each.id === id);
    const { address, protocol, ports } = chain;
    const isMoved = hops.some((hop) => unitsAt(hop).some((unit) => learned[unit] !== undefined));
    if (old !== undefined && !isMoved && samePath(old, { address, protocol, ports, hops })) return [old];
    const versions = [...current.chains, ...current.leftovers].filter((each) => each.id === id);
    const version = Math.max(0, ...versions.map((each) => each.version)) + 1;
    return [{ id, name: chain.name, version, address, protocol, ports, hops }];
  });
}

/** The first instance of the unit that a chain names. */
function hopOf(
  reference: string,
  units: readonly PlannedUnit[],
  known: ReadonlyMap<string, Block>,
  service: Service,
): PlannedHop | undefined {
  const { path, port } = splitPortReference(reference);
  const unit = units.filter((each) => each.spec.path === path).toSorted((a, b) => a.spec.index - b.spec.index)[0];
  const declared = known.get(path);
  const portName = port ?? declared?.ports.find((each) => each.network !== undefined)?.name;
  if (unit === undefined || portName === undefined) return undefined;
  const translates = declared?.execution?.translates;
  const prefix = service.networks.find((network) => network.name === translates)?.prefix ?? translates;
  return {
    unitId: unit.spec.id,
    unit: unitName(unit.spec),
    site: unit.site,
    host: unit.spec.host,
    port: `${unit.spec.id}.${portName}`,
    ...(prefix === undefined ? {} : { translates: prefix }),
  };
}

/** With the other instances of its function, where they are at a site that spreads flows over them. */
function spread(hop: PlannedHop, units: readonly PlannedUnit[], spreading: ReadonlySet<string>): PlannedHop {
  if (!spreading.has(hop.site) || hop.translates !== undefined) return hop;
  const portName = hop.port.slice(hop.unitId.length);
  const path = units.find(({ spec }) => spec.id === hop.unitId)!.spec.path;
  const others = units
    .filter(({ spec, site }) => spec.path === path && site === hop.site && spec.id !== hop.unitId)
    .toSorted((a, b) => a.spec.index - b.spec.index)
    .map(({ spec }) => ({ unitId: spec.id, unit: unitName(spec), port: spec.id + portName }));
  return others.length === 0 ? hop : { ...hop, others };
}

type ChainPath = Pick<PlannedChain, 'address' | 'protocol' | 'ports' | 'hops'>;

function samePath(a: ChainPath, b: ChainPath): boolean {
  const told = ({ address, protocol, ports, hops }: ChainPath) =>
    JSON.stringify([address, protocol, ports, hops.map(({ port, translates, others }) => [port, translates, others])]);
  return told(a) === told(b);
}
