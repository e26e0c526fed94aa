import { isSuperfluidityError } from '@superfluidity/core';
import type { PortMetrics, UnitMetrics } from '@superfluidity/site';
import { getLink } from '@superfluidity/netlink';
import type { Scope } from '@superfluidity/router';
import { readCgroupUsage } from './kernel/cgroup-usage.ts';
import type { SlotRecord, Slots } from './slots.ts';
import { portDevice } from './wiring.ts';
import { unitCgroup } from './workload.ts';

/** What units use, as the kernel counts it: their control groups, and the host's ends of their wires. */
export function readMetrics(scope: Scope, slots: Slots, ids: readonly string[], atMs: number): readonly UnitMetrics[] {
  const wanted = new Set(ids);
  const records = new Map<string, SlotRecord>();
  for (const record of slots.records()) {
    const id = record.unit?.spec.id;
    if (id !== undefined && record.phase === 'unit' && wanted.has(id)) records.set(id, record);
  }
  return ids.map((id) => records.get(id)).flatMap((record) => metricsOf(scope, slots, record, atMs));
}

function metricsOf(scope: Scope, slots: Slots, record: SlotRecord | undefined, atMs: number): readonly UnitMetrics[] {
  const unit = record?.unit;
  if (record === undefined || unit === undefined || (unit.state !== 'running' && unit.state !== 'draining')) return [];
  const { spec } = unit;
  const host = slots.host(record.slot.host).namespace;
  const ports = record.slot.ports.map((port, i) => {
    return portMetrics(host, portDevice(port.number), spec.ports[i]?.id ?? port.name, port.name);
  });
  return [
    {
      id: spec.id,
      atMs,
      ...readCgroupUsage(unitCgroup(scope, record.slot.id)),
      cpu: spec.cpu,
      memoryMiB: spec.memoryMiB,
      ports: ports.filter((port) => port !== undefined),
    },
  ];
}

/** What the host sends into the wire is what the unit receives. Undefined when the wire goes away meanwhile. */
function portMetrics(host: string, device: string, id: string, name: string): PortMetrics | undefined {
  try {
    const { traffic } = getLink(host, device);
    if (traffic === undefined) return undefined;
    return {
      id,
      name,
      rxBytes: traffic.txBytes,
      rxPackets: traffic.txPackets,
      txBytes: traffic.rxBytes,
      txPackets: traffic.rxPackets,
      dropped: traffic.rxDropped + traffic.txDropped,
    };
  } catch (error) {
    if (isSuperfluidityError(error) && ['ENODEV', 'ENOENT'].includes(String(error.details.data?.['errno']))) {
      return undefined;
    }
    throw error;
  }
}
