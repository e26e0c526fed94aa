import type { Sample } from '@superfluidity/api';
import { reportError } from '@superfluidity/core';
import { z } from 'zod';
import type { LifecycleOptions } from './options.ts';
import type { Sites } from './sites.ts';
import type { UnitRecords } from './unit-records.ts';

/** A line that a unit with telemetry prints for each request. Anything else that it prints is ordinary output. */
const line = z.object({
  t: z.number(),
  latencyMs: z.number(),
  bytes: z.number(),
  ok: z.boolean(),
  warmup: z.boolean().optional(),
  error: z.string().max(500).optional(),
  from: z.string().max(100).optional(),
});

/** Reads the output of the units that declare telemetry, and keeps their samples. */
export class TelemetryCollector {
  readonly #options: LifecycleOptions;
  readonly #sites: Sites;
  readonly #units: UnitRecords;
  readonly #offsets = new Map<string, number>();
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: LifecycleOptions, sites: Sites, units: UnitRecords) {
    this.#options = options;
    this.#sites = sites;
    this.#units = units;
  }

  start(): void {
    this.#running = this.#loop();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #loop(): Promise<void> {
    const { clock, limits, log } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        await this.collect();
      } catch (error) {
        log.warn({ error: reportError(error) }, 'telemetry not read');
      }
      await clock.sleep(limits.telemetryMs, this.#stop.signal).catch(() => {});
    }
  }

  /** One reading of everything. */
  async collect(): Promise<void> {
    const units = await this.#units.withTelemetry();
    const alive = new Set(units.map((unit) => unit.id));
    for (const id of this.#offsets.keys()) if (!alive.has(id)) this.#offsets.delete(id);
    const drivers = this.#sites.drivers();
    for (const { id, service, name, site } of units) {
      const output = await drivers.get(site)?.readOutput(id, this.#offsets.get(id) ?? 0);
      if (output === undefined) continue;
      this.#offsets.set(id, output.next);
      const samples = output.lines.flatMap((text) => parse(text, name));
      if (samples.length > 0) this.#options.telemetry.record(service, samples);
    }
  }
}

function parse(text: string, unit: string): readonly Sample[] {
  if (!text.startsWith('{')) return [];
  try {
    const { warmup, error, from, ...sample } = line.parse(JSON.parse(text));
    if (warmup === true) return [];
    return [{ ...sample, unit, ...(error === undefined ? {} : { error }), ...(from === undefined ? {} : { from }) }];
  } catch {
    return [];
  }
}
