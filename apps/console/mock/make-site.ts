import type { SiteDetail } from '@superfluidity/api';

export interface HostSize {
  readonly name: string;
  readonly cpu: number;
  readonly memoryMiB: number;
  readonly environments: SiteDetail['hosts'][number]['environments'];
}

const COORDINATES: Readonly<Record<string, { latitude: number; longitude: number }>> = {
  edge: { latitude: 44.8, longitude: 10.33 },
  metro: { latitude: 47.37, longitude: 8.54 },
  core: { latitude: 50.11, longitude: 8.68 },
};

export function makeSite(name: string, tier: string, hosts: readonly HostSize[]): SiteDetail {
  const sum = (of: (host: HostSize) => number) => hosts.reduce((total, host) => total + of(host), 0);
  return {
    id: `site-0mk${name}`,
    name,
    kind: 'linux',
    config: {},
    tier,
    cells: name === 'edge' ? ['cell-1'] : [],
    ...COORDINATES[name],
    services: [],
    price: { core: 1, gib: 0.1 },
    healthy: true,
    realPackets: true,
    hostCount: hosts.length,
    unitCount: 0,
    capacity: { cpu: sum((host) => host.cpu), memoryMiB: sum((host) => host.memoryMiB) },
    used: { cpu: 0, memoryMiB: 0 },
    storage: storageOf(name),
    hosts: hosts.map((host, i) => ({
      ...host,
      rack: `r${Math.floor(i / 20) + 1}`,
      rackUnit: (i % 20) + 1,
      accelerators: [],
      storageMiB: 200_000,
      used: { cpu: 0, memoryMiB: 0, storageMiB: 0 },
      schedulable: true,
    })),
    capabilities: [
      { name: 'srv6', present: true },
      { name: 'nftables', present: true },
      { name: 'runc', present: true },
      { name: 'kvm', present: false, note: 'no /dev/kvm: virtual machines are emulated' },
      { name: 'netem', present: false, note: 'not in this kernel: links are emulated in user space' },
    ],
    pools: [poolOf('container', 16, 40), poolOf('micro-VM', 4, 2_600)],
  };
}

function poolOf(name: string, size: number, refillMs: number): SiteDetail['pools'][number] {
  const none = { hits: 0, misses: 0, making: 0, waiting: 0, recycled: 0, failures: 0, paused: false, askedPerS: 0 };
  const kept = {
    wanted: size,
    minimum: size,
    maximum: size,
    batch: 1,
    ready: size,
    shelves: [{ name: '', ready: size }],
  };
  return { name, ...kept, ...none, refillMs, oldestMs: 90_000, waits: { boundsMs: [1], counts: [0, 0], sumMs: 0 } };
}

const storageOf = (site: string): NonNullable<SiteDetail['storage']> => [
  {
    name: 'flash',
    kind: 'nvme',
    rack: 'r1',
    capacityMiB: 2_000_000,
    usedMiB: site === 'edge' ? 1_890_000 : 240_000,
    uses: [{ what: 'service mobile-edge', mib: 120_000 }],
  },
  { name: 'disks', kind: 'hdd', capacityMiB: 40_000_000, usedMiB: 11_500_000, uses: [] },
];
