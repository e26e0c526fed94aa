import type { Operation, ServiceDetail, SiteDetail, Step, Unit } from '@superfluidity/api';

/** Small resources for the tests of this folder. */
export function aSite(name: string, hosts: readonly string[], more: Partial<SiteDetail> = {}): SiteDetail {
  return {
    id: `site-${name}`,
    name,
    kind: 'simulated',
    config: {},
    tier: name,
    cells: [],
    services: [],
    price: { core: 1, gib: 0.1 },
    healthy: true,
    realPackets: false,
    hostCount: hosts.length,
    unitCount: 0,
    capacity: { cpu: 4 * hosts.length, memoryMiB: 4_096 },
    used: { cpu: 1, memoryMiB: 1_024 },
    hosts: hosts.map((host) => ({
      name: host,
      environments: ['container'],
      accelerators: [],
      cpu: 4,
      memoryMiB: 4_096,
      storageMiB: 1_000,
      used: { cpu: 1, memoryMiB: 1_024, storageMiB: 0 },
      schedulable: true,
    })),
    capabilities: [],
    pools: [],
    ...more,
  };
}

export function aUnit(path: string, index: number, at: string, more: Partial<Unit> = {}): Unit {
  const [site, host] = at.split('/') as [string, string];
  return {
    id: `unit-${path}-${index}-${site}`,
    path,
    index,
    environment: 'container',
    site,
    host,
    state: 'running',
    ports: [],
    pooled: false,
    telemetry: false,
    ...more,
  };
}

export function aService(units: readonly Unit[], hops: readonly Unit[] = []): ServiceDetail {
  return {
    id: 'svc-1',
    name: 'shop',
    descriptorId: 'desc-1',
    version: '1.0.0',
    state: 'INSTANTIATED',
    healthy: true,
    unitCount: units.length,
    runningCount: units.length,
    sites: [],
    createdAt: 0,
    functions: [],
    units: [...units],
    chains:
      hops.length === 0
        ? []
        : [
            {
              name: 'uplink',
              address: '10.0.0.1',
              version: 1,
              latencyMs: 15,
              hops: hops.map((unit) => ({ unit: unit.id, site: unit.site, host: unit.host, sid: '::1' })),
            },
          ],
  };
}

export function aStep(id: string, dependsOn: readonly string[] = [], more: Partial<Step> = {}): Step {
  return { id, title: `do ${id}`, verb: 'do', dependsOn: [...dependsOn], state: 'pending', attempt: 1, ...more };
}

export function anOperation(more: Partial<Operation> = {}): Operation {
  return {
    id: 'op-1',
    service: 'shop',
    kind: 'MOVE',
    state: 'COMPLETED',
    automatic: false,
    params: { what: 'video', to: 'edge' },
    startedAt: 10_000,
    stateEnteredAt: 14_000,
    cancelPending: false,
    ...more,
  };
}
