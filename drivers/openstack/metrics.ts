import { isSuperfluidityError } from '@superfluidity/core';
import { type ServerDiagnostics, serverDiagnostics } from '@superfluidity/openstack';
import type { PortMetrics, UnitMetrics } from '@superfluidity/site';
import { type ServerRecord, stateOf } from './server-record.ts';
import type { World } from './world.ts';

const NS_PER_MS = 1_000_000;
const MIB = 2 ** 20;

/** Of those of the ids that run, in their order. Of credentials to whom Nova does not say it, none. */
export async function readMetrics(
  world: World,
  ids: readonly string[],
  records: readonly ServerRecord[],
): Promise<readonly UnitMetrics[]> {
  const byId = new Map(records.map((record) => [record.unitId, record]));
  const wanted = ids.flatMap((id) => byId.get(id) ?? []).filter((record) => isRunning(record));
  const found = await Promise.all(wanted.map((record) => metricsOfOne(world, record)));
  return found.filter((one) => one !== undefined);
}

function isRunning(record: ServerRecord): boolean {
  const { state } = stateOf(record);
  return state === 'running' || state === 'draining';
}

async function metricsOfOne(world: World, record: ServerRecord): Promise<UnitMetrics | undefined> {
  try {
    const found = await serverDiagnostics(world.cloud, record.server.id, world.ask());
    return metricsOf(record, found, world.clock.now());
  } catch (error) {
    const untold = ['SF-OPENSTACK-FORBIDDEN', 'SF-OPENSTACK-NOT-FOUND', 'SF-OPENSTACK-CONFLICT'] as const;
    if (untold.some((code) => isSuperfluidityError(error, code))) return undefined;
    throw error;
  }
}

/** What Nova's diagnostics say of a unit. What they do not say is absent. */
function metricsOf(record: ServerRecord, found: ServerDiagnostics, atMs: number): UnitMetrics {
  const times = found.cpu_details.flatMap(({ time }) => (typeof time === 'number' ? [time] : []));
  const used = found.memory_details?.used;
  return {
    id: record.unitId,
    atMs,
    ...(times.length === 0 ? {} : { cpuMs: times.reduce((sum, time) => sum + time, 0) / NS_PER_MS }),
    ...(typeof used === 'number' ? { memoryBytes: used * MIB } : {}),
    cpu: record.cpu,
    memoryMiB: record.memoryMiB,
    ports: record.ports.flatMap(({ status }): readonly PortMetrics[] => {
      const nic = found.nic_details.find(({ mac_address: mac }) => mac?.toLowerCase() === status.mac.toLowerCase());
      if (nic === undefined) return [];
      return [
        {
          id: status.id,
          name: status.name,
          rxBytes: nic.rx_octets ?? 0,
          rxPackets: nic.rx_packets ?? 0,
          txBytes: nic.tx_octets ?? 0,
          txPackets: nic.tx_packets ?? 0,
          dropped: (nic.rx_drop ?? 0) + (nic.tx_drop ?? 0),
        },
      ];
    }),
  };
}
