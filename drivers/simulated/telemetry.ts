import type { SimulatedConfig } from './config.ts';
import { limits } from './config.ts';
import type { Activation, FabricState } from './fabric-state.ts';
import { draw, sampleLatency } from './random.ts';
import type { UnitRecord } from './state.ts';

/** All lines are equally long (JSON allows blanks), so that a byte offset is a line number and nothing has to be kept. */
const LINE_BYTES = 80;
/** Sizes of video segments: 2 s at 1 to 3 Mbit/s. */
const SEGMENT_BYTES = { min: 250_000, max: 750_000 };

/**
 * The output of a unit. With telemetry it is a record of requests, made when it is read: at each interval since the start
 * one request, whose latency is what the chain that begins at the unit had at that time, there and back, and the time of
 * the service. Another process that simulates the same site computes the same bytes.
 */
export function readTelemetry(
  unit: UnitRecord,
  fabric: FabricState,
  config: SimulatedConfig,
  nowMs: number,
  offset: number,
): { readonly lines: readonly string[]; readonly next: number } {
  const first = Math.max(0, Math.ceil(offset / LINE_BYTES));
  if (unit.spec.execution.telemetry !== true) {
    return first === 0 ? { lines: [pad('started')], next: LINE_BYTES } : { lines: [], next: offset };
  }
  const activations = activationsOf(unit, fabric);
  const runs = unit.state === 'running' || unit.state === 'draining';
  const requests = new Requests(config);
  const made = runs ? requests.madeAfter(nowMs - unit.startedAtMs) : 0;
  const count = Math.max(0, Math.min(limits.linesPerRead, made - first));
  const lines = Array.from({ length: count }, (_, index) => {
    const number = first + index;
    const t = Math.round(unit.startedAtMs + requests.timeOf(number));
    return sample(unit, activations, config, number, t);
  });
  return { lines, next: (first + count) * LINE_BYTES };
}

function sample(
  unit: UnitRecord,
  activations: readonly Activation[],
  config: SimulatedConfig,
  number: number,
  t: number,
): string {
  const { serviceMs } = config.traffic;
  const active = activations.findLast((one) => one.atMs <= t);
  if (active === undefined || active.oneWayMs === null) {
    return pad(JSON.stringify({ t, latencyMs: 0, bytes: 0, ok: false }));
  }
  const latencyMs = 2 * active.oneWayMs + sampleLatency(serviceMs, config.seed, unit.spec.id, number);
  const size = SEGMENT_BYTES.max - SEGMENT_BYTES.min;
  const bytes = SEGMENT_BYTES.min + Math.round(size * draw(config.seed, 'bytes', unit.spec.id, number));
  return pad(JSON.stringify({ t, latencyMs: Math.round(latencyMs * 1000) / 1000, bytes, ok: true }));
}

interface Stretch {
  readonly fromMs: number;
  readonly intervalMs: number;
  /** Number of its first request. */
  readonly first: number;
}

/** When each request of a unit comes, counted from its start: the number says the time, and the time the number. */
class Requests {
  readonly #stretches: readonly Stretch[];

  constructor({ traffic: { requestIntervalMs, profile } }: SimulatedConfig) {
    const stretches: Stretch[] = [{ fromMs: 0, intervalMs: requestIntervalMs, first: 0 }];
    for (const step of profile) {
      const { fromMs, intervalMs, first } = stretches.at(-1)!;
      const count = Math.ceil((step.afterMs - fromMs) / intervalMs);
      stretches.push({ fromMs: step.afterMs, intervalMs: step.requestIntervalMs, first: first + count });
    }
    this.#stretches = stretches;
  }

  timeOf(number: number): number {
    const { fromMs, intervalMs, first } = this.#stretches.findLast((one) => one.first <= number)!;
    return fromMs + (number - first) * intervalMs;
  }

  /** Those that are over: each takes as long as it is to the next. */
  madeAfter(elapsedMs: number): number {
    const at = this.#stretches.findLastIndex(({ fromMs }) => fromMs <= elapsedMs);
    if (at < 0) return 0;
    const { fromMs, intervalMs, first } = this.#stretches[at]!;
    const next = this.#stretches[at + 1]?.first ?? Number.POSITIVE_INFINITY;
    return Math.min(next, first + Math.floor((elapsedMs - fromMs) / intervalMs));
  }
}

function activationsOf(unit: UnitRecord, fabric: FabricState): readonly Activation[] {
  const ports = new Set(unit.ports.map((port) => port.id));
  for (const { versions, activations } of fabric.chains.values()) {
    for (const path of versions.values()) {
      if (path.classifiers.some((rule) => ports.has(rule.match.fromPort))) return activations;
    }
  }
  return [];
}

/** One byte is left for the end of the line. */
function pad(text: string): string {
  return text.padEnd(LINE_BYTES - 1);
}
