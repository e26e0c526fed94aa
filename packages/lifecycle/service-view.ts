import type {
  ChainStatus,
  Service as ServiceView,
  ServiceDetail,
  ServiceNetwork,
  Unit,
  UnitGroup,
} from '@superfluidity/api';
import { sitePrefix } from '@superfluidity/fabric';
import { formatIpv4Prefix, parseIpv4Prefix, type Service, type SitePath, unitsOf } from '@superfluidity/model';
import { SiteLatencies } from '@superfluidity/place';
import type { PlannedChain } from './actions.ts';
import type { ResolvedDescriptor } from './catalogue.ts';
import type { ServiceOutline, ServiceRow } from './service-records.ts';
import type { Loaded, ServiceDesired } from './services.ts';
import { MTU } from './transition.ts';
import { homeOf, type NetworkHomes } from './shared-networks.ts';
import type { UnitRecord } from './unit-records.ts';

export function serviceView(
  row: ServiceRow,
  version: string,
  { unitCount, runningCount, sites }: UnitCounts,
  busy: string | undefined,
): ServiceView {
  return {
    id: row.id,
    name: row.name,
    descriptorId: row.descriptor_id,
    version,
    state: row.state as ServiceView['state'],
    healthy: row.state === 'INSTANTIATED' && runningCount === unitCount,
    unitCount,
    runningCount,
    sites: [...sites].sort(),
    createdAt: row.created_at,
    ...(busy === undefined ? {} : { busy }),
  };
}

/** Of a service that is loaded with all its units. */
export function serviceDetail(
  loaded: Loaded,
  paths: readonly SitePath[],
  busy: string | undefined,
  homes: NetworkHomes,
): ServiceDetail {
  const { row, descriptor, records, situation } = loaded;
  const wanted = new Map<string, number>();
  for (const { planned } of records) wanted.set(planned.spec.path, (wanted.get(planned.spec.path) ?? 0) + 1);
  return {
    ...serviceView(row, descriptor.service.version, countsOf(records), busy),
    functions: functionsOf(descriptor.service, wanted),
    units: records.map(unitView),
    chains: chainsOf(situation.chains, records, paths),
    ...spanningOf(descriptor.service, row, new Set(records.map(({ planned }) => planned.site)), homes),
  };
}

/** Of a service whose units are counted, but for the `records` that are told one by one. */
export function groupedDetail(
  outline: ServiceOutline,
  { service }: ResolvedDescriptor,
  groups: readonly UnitGroup[],
  records: readonly UnitRecord[],
  paths: readonly SitePath[],
  busy: string | undefined,
  homes: NetworkHomes,
): ServiceDetail {
  const wanted = new Map<string, number>();
  const counts = { unitCount: 0, runningCount: 0, sites: new Set<string>() };
  for (const { path, site, count, byState } of groups) {
    wanted.set(path, (wanted.get(path) ?? 0) + count);
    counts.unitCount += count;
    counts.runningCount += byState.running ?? 0;
    counts.sites.add(site);
  }
  return {
    ...serviceView(outline.row, service.version, counts, busy),
    functions: functionsOf(service, wanted),
    units: records.map(unitView),
    groups: [...groups],
    chains: chainsOf(outline.chains, records, paths),
    ...spanningOf(service, outline.row, counts.sites, homes),
  };
}

/** What lies between its units. */
function spanningOf(
  service: Service,
  row: ServiceRow,
  sites: ReadonlySet<string>,
  homes: NetworkHomes,
): Pick<ServiceDetail, 'networks' | 'balancers'> {
  return {
    networks: networksOf(service, row, sites, homes),
    balancers: service.balancers.map(({ name, unit, address, port, layer }) => ({ name, unit, address, port, layer })),
  };
}

export function networksOf(
  service: Service,
  row: ServiceRow,
  sites: ReadonlySet<string>,
  homes: NetworkHomes,
): ServiceNetwork[] {
  const { slots } = row.desired as unknown as ServiceDesired;
  const units = unitsOf(service);
  return service.networks.map(({ name, prefix, mtu = MTU }) => {
    const all = parseIpv4Prefix(prefix);
    const ports = units.flatMap(({ path, unit }) =>
      unit.ports.flatMap((port) =>
        port.network === name
          ? [
              {
                unit: path,
                port: port.name,
                ...(port.bandwidthMbps === undefined ? {} : { bandwidthMbps: port.bandwidthMbps }),
              },
            ]
          : [],
      ),
    );
    const parts = (slots[name] ?? []).flatMap((home, slot) => {
      // A site that the network has left keeps its part until another one wants it. Sites on one segment have one part.
      const here = all === undefined ? [] : [...sites].filter((site) => homeOf(homes, site) === home).sort();
      return here.map((site) => ({ site, prefix: formatIpv4Prefix(sitePrefix(all!, slot)) }));
    });
    return { name, prefix, mtu, parts, ports };
  });
}

export interface UnitCounts {
  readonly unitCount: number;
  readonly runningCount: number;
  readonly sites: Iterable<string>;
}

export const countsOf = (units: readonly UnitRecord[]): UnitCounts => ({
  unitCount: units.length,
  runningCount: units.filter((unit) => unit.state === 'running').length,
  sites: new Set(units.map((unit) => unit.planned.site)),
});

const functionsOf = ({ block }: Service, wanted: ReadonlyMap<string, number>): ServiceDetail['functions'] =>
  block.children.map(({ name, children }) => ({
    name,
    units: children.flatMap((unit) => {
      const path = `${name}/${unit.name}`;
      return unit.execution === undefined
        ? []
        : [{ path, environment: unit.execution.environment, wanted: wanted.get(path) ?? 0 }];
    }),
  }));

function chainsOf(
  chains: readonly PlannedChain[],
  records: readonly UnitRecord[],
  paths: readonly SitePath[],
): ChainStatus[] {
  const latencies = new SiteLatencies(paths);
  const byId = new Map(records.map((record) => [record.planned.spec.id, record]));
  return chains.map((chain) => chainView(chain, byId, latencies));
}

export function unitView({ planned, state, ports, pooled }: UnitRecord): Unit {
  const { spec, site } = planned;
  return {
    id: spec.id,
    path: spec.path,
    index: spec.index,
    environment: spec.execution.environment,
    site,
    host: spec.host,
    state,
    ports: ports.map(({ name, network, address, mac, sid }) => ({ name, network, address, mac, sid })),
    pooled,
    telemetry: spec.execution.telemetry ?? false,
  };
}

function chainView(
  chain: PlannedChain,
  records: ReadonlyMap<string, UnitRecord>,
  latencies: SiteLatencies,
): ChainStatus {
  const sites = chain.hops.map((hop) => hop.site);
  const between = sites.slice(1).map((site, i) => latencies.between(sites[i]!, site));
  return {
    name: chain.name,
    address: chain.address,
    version: chain.version,
    hops: chain.hops.map((hop) => {
      const port = records.get(hop.unitId)?.ports.find((each) => each.id === hop.port);
      return { unit: hop.unit, site: hop.site, host: hop.host, sid: port?.sid ?? '' };
    }),
    // A way that is not there has no latency that JSON could say; the chain itself says so by failing.
    latencyMs: between.filter(Number.isFinite).reduce((sum, each) => sum + each, 0),
  };
}
