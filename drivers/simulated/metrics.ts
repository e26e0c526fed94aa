import type { UnitMetrics } from '@superfluidity/site';
import type { SimulatedConfig } from './config.ts';
import { draw } from './random.ts';
import type { UnitRecord } from './state.ts';

/** Sizes of a request and of a segment of video that answers it, in bytes and packets of 1,400 bytes. */
const REQUEST = { bytes: 200, packets: 2 };
const ANSWER = { bytes: 500_000, packets: 358 };
/** Shares of what the unit may use that it does use: some of it always, the rest as chance has it. */
const CPU = { least: 0.1, more: 0.6 };
const MEMORY = { least: 0.2, more: 0.5 };

/**
 * What the unit would have used since it was started: its own constant share of its processors and memory, and the
 * traffic of one request at each interval. From the time alone, so that every process that simulates the site says the
 * same, and counters never go back.
 */
export function metricsOf(
  { spec, ports, startedAtMs }: UnitRecord,
  config: SimulatedConfig,
  nowMs: number,
): UnitMetrics {
  const elapsedMs = Math.max(0, nowMs - startedAtMs);
  const share = (of: { readonly least: number; readonly more: number }, what: string) =>
    of.least + of.more * draw(config.seed, what, spec.id);
  const requests = Math.floor(elapsedMs / config.traffic.requestIntervalMs);
  // Who measures is who asks.
  const [into, out] = spec.execution.telemetry === true ? [ANSWER, REQUEST] : [REQUEST, ANSWER];
  return {
    id: spec.id,
    atMs: nowMs,
    cpuMs: elapsedMs * spec.cpu * share(CPU, 'cpu'),
    throttledMs: 0,
    memoryBytes: Math.round(spec.memoryMiB * 1024 * 1024 * share(MEMORY, 'memory')),
    processes: 1,
    cpu: spec.cpu,
    memoryMiB: spec.memoryMiB,
    ports: ports.map(({ id, name }) => ({
      id,
      name,
      rxBytes: requests * into.bytes,
      rxPackets: requests * into.packets,
      txBytes: requests * out.bytes,
      txPackets: requests * out.packets,
      dropped: 0,
    })),
  };
}
