import type { ChainStatus, Service as ServiceView, ServiceDetail, Unit } from '@superfluidity/api';
import type { SitePath } from '@superfluidity/model';
import { SiteLatencies } from '@superfluidity/place';
import type { PlannedChain } from './actions.ts';
import type { ServiceRow } from './service-records.ts';
import type { Loaded } from './services.ts';
import type { UnitRecord } from './unit-records.ts';

export function serviceView(
  row: ServiceRow,
  version: string,
  units: readonly UnitRecord[],
  busy: string | undefined,
): ServiceView {
  const running = units.filter((unit) => unit.state === 'running').length;
  return {
    id: row.id,
    name: row.name,
    descriptorId: row.descriptor_id,
    version,
    state: row.state as ServiceView['state'],
    healthy: row.state === 'INSTANTIATED' && running === units.length,
    unitCount: units.length,
    runningCount: running,
    sites: [...new Set(units.map((unit) => unit.planned.site))].sort(),
    createdAt: row.created_at,
    ...(busy === undefined ? {} : { busy }),
  };
}

export function serviceDetail(loaded: Loaded, paths: readonly SitePath[], busy: string | undefined): ServiceDetail {
  const { row, descriptor, records, situation } = loaded;
  const { service } = descriptor;
  const count = (path: string) => records.filter((record) => record.planned.spec.path === path).length;
  const latencies = new SiteLatencies(paths);
  return {
    ...serviceView(row, service.version, records, busy),
    functions: service.block.children.map((block) => ({
      name: block.name,
      units: block.children.flatMap((unit) => {
        const path = `${block.name}/${unit.name}`;
        return unit.execution === undefined
          ? []
          : [{ path, environment: unit.execution.environment, wanted: count(path) }];
      }),
    })),
    units: records.map(unitView),
    chains: situation.chains.map((chain) => chainView(chain, records, latencies)),
  };
}

function unitView({ planned, state, ports, pooled }: UnitRecord): Unit {
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

function chainView(chain: PlannedChain, records: readonly UnitRecord[], latencies: SiteLatencies): ChainStatus {
  const sites = chain.hops.map((hop) => hop.site);
  const between = sites.slice(1).map((site, i) => latencies.between(sites[i]!, site));
  return {
    name: chain.name,
    address: chain.address,
    version: chain.version,
    hops: chain.hops.map((hop) => {
      const port = records
        .find((record) => record.planned.spec.id === hop.unitId)
        ?.ports.find((each) => each.id === hop.port);
      return { unit: hop.unit, site: hop.site, host: hop.host, sid: port?.sid ?? '' };
    }),
    // A way that is not there has no latency that JSON could say; the chain itself says so by failing.
    latencyMs: between.filter(Number.isFinite).reduce((sum, each) => sum + each, 0),
  };
}
