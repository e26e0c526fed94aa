import type { describeMachine } from '../machine.ts';
import { type Row, rowLine } from '../record.ts';
import type { Timing } from '../statistics.ts';

/** Of medians. */
export interface Ratio {
  readonly what: string;
  readonly ours: number;
  readonly other: number;
  /** `ours` to `other`. */
  readonly ratio: number;
  readonly atMost?: number;
  readonly met?: boolean;
}

export interface Report {
  readonly date: string;
  readonly command: string;
  readonly machine: ReturnType<typeof describeMachine> & { readonly loadAfter: number };
  readonly rows: readonly Row[];
  readonly ratios: readonly Ratio[];
  /** Counts and what else is no time. */
  readonly figures: Readonly<Record<string, number | string>>;
  readonly notes: readonly string[];
  readonly bursts: readonly Burst[];
}

/** Units that ask for a port in one moment: until the last has it, from a full pool and made on demand. */
export interface Burst {
  readonly units: number;
  readonly poolMs: number;
  readonly demandMs: number;
  readonly poolCalls: number;
  readonly demandCalls: number;
}

/** Where a case puts what it measured. */
export interface Found {
  row(row: Row): void;
  ratio(ratio: Ratio): void;
  figure(name: string, value: number | string): void;
  note(text: string): void;
  burst(burst: Burst): void;
}

export function ratioOf(what: string, ours: Pick<Timing, 'p50'>, other: Pick<Timing, 'p50'>, atMost?: number): Ratio {
  const ratio = Math.round((ours.p50 / other.p50) * 1_000) / 1_000;
  const goal = atMost === undefined ? {} : { atMost, met: ratio <= atMost };
  return { what, ours: ours.p50, other: other.p50, ratio, ...goal };
}

export function ratioLine({ what, ratio, atMost, met }: Ratio): string {
  const goal = atMost === undefined ? '' : `  ${met === true ? 'met' : 'NOT MET'}: at most ${atMost}`;
  return `${what.padEnd(72)} ${ratio.toFixed(3).padStart(9)}${goal}`;
}

export function reportLines({ rows, ratios, figures, notes }: Report): readonly string[] {
  return [
    ...rows.map(rowLine),
    ...ratios.map(ratioLine),
    ...Object.entries(figures).map(([name, value]) => `${name.padEnd(72)} ${String(value).padStart(9)}`),
    ...notes,
  ];
}
