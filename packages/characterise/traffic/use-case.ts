import { SuperfluidityError } from '@superfluidity/core';
import { z } from 'zod';
import type { Sample } from '../analysis/results.ts';
import type { Configuration } from '../config/characterisation.ts';
import '../errors.ts';
import type { TrialRecord } from '../search/trial.ts';
import type { Stopwatch } from './stopwatch.ts';

/** What a use case is told of the service that it puts under stress. */
export interface UnderStress {
  readonly configuration: Configuration;
  /** Addresses of its units, by function and by path of the unit: the first instance of each. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Which experiment it is: equal numbers give equal chance. */
  readonly experiment: number;
  /** Part of its time that the stress gets, where that is not all of it. */
  readonly share?: number;
  /** What the users of the service themselves measured so far, where the site keeps that. */
  readonly telemetry?: () => Promise<readonly Measured[]>;
}

export interface Measured {
  /** Milliseconds since the epoch. */
  readonly t: number;
  readonly unit: string;
  readonly latencyMs: number;
  readonly bytes: number;
  readonly ok: boolean;
}

/** What a stress tells while it goes on, and what it may go on from. */
export interface StressHooks {
  /** The load begins: times of samples count from here. Milliseconds since the epoch. */
  begun(atMs: number): void;
  /** Trials that an interrupted stress of the same experiment has made already, and where further ones are kept. */
  readonly trials: readonly TrialRecord[];
  keep(trial: TrialRecord): Promise<void>;
}

/** A way to stress a service and to measure it (seed D6.1, A3.9.4.1): made from the parameters of the file. */
export interface UseCasePlugin {
  /** Metrics that its samples have; absent where that is known only when they come. */
  readonly metrics?: readonly string[];
  /** It needs no service: nothing is deployed. */
  readonly alone?: true;
  /** It can take a part of its time, and measures less exactly then. */
  readonly scalable?: true;
  /** Milliseconds that one stress takes; absent where that is not known. */
  readonly lengthMs?: number;
  stress(service: UnderStress, signal: AbortSignal, hooks?: StressHooks): Promise<readonly Sample[]>;
}

/** Makes the plugin, or rejects with SF-CHARACTERISE-USE-CASE what is wrong with its parameters. */
export type UseCaseKind = (parameters: Readonly<Record<string, unknown>>, stopwatch: Stopwatch) => UseCasePlugin;

export function parametersOf<T extends z.ZodType>(name: string, shape: T, given: unknown): z.output<T> {
  const parsed = shape.safeParse(given);
  if (parsed.success) return parsed.data;
  const reason = z.prettifyError(parsed.error).slice(0, 2_000);
  throw new SuperfluidityError('SF-CHARACTERISE-USE-CASE', { doing: `read the parameters of ${name}`, reason });
}

/**
 * `{video}` and `{video/server}` become the address of that unit, `{vm_ram}` the value of that parameter. Rejects names that
 * nothing has.
 */
export function filled(text: string, { addresses, configuration }: UnderStress): string {
  return text.replace(/\{([A-Za-z_][\w./-]*)\}/g, (_all, name: string) => {
    const value = Object.hasOwn(addresses, name) ? addresses[name] : undefined;
    const parameter = Object.hasOwn(configuration, name) ? configuration[name] : undefined;
    if (value === undefined && parameter === undefined) {
      const reason = `nothing is called {${name}}; units are ${Object.keys(addresses).slice(0, 32).join(', ') || 'not there'}`;
      throw new SuperfluidityError('SF-CHARACTERISE-USE-CASE', { doing: `fill in ${text.slice(0, 128)}`, reason });
    }
    return String(value ?? parameter);
  });
}
