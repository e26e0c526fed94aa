import type { describeMachine } from '../machine.ts';
import type { Timing } from '../statistics.ts';

export interface Figures {
  readonly simulatedUnitsPerSecond?: number;
  /** Resident memory of a server that does nothing. */
  readonly idleMiB?: number;
}

export interface Report extends Figures {
  readonly date: string;
  readonly command: string;
  readonly machine: ReturnType<typeof describeMachine> & { readonly loadAfter: number };
  readonly timings: readonly Timing[];
  readonly ratios: readonly Ratio[];
  readonly goals: readonly Goal[];
  readonly notes: readonly string[];
}

/** Of medians: how many times as long the machine's own tool takes. */
export interface Ratio {
  readonly what: string;
  readonly to: string;
  readonly times: number;
}

export interface Goal {
  readonly goal: string;
  readonly measured: number;
  readonly met: boolean;
}

const POOLED = ['packet function, from the pool', 'container, from the pool', 'micro-VM, from the pool'] as const;
const TOOLS = ['runc run (true)', 'podman run --network=none (true)', 'ip netns add + veth + address'] as const;

export function ratiosOf(timings: readonly Timing[]): readonly Ratio[] {
  const p50 = (what: string) => timings.find((row) => row.what === what)?.p50;
  return POOLED.flatMap((what) =>
    TOOLS.flatMap((to) => {
      const [ours, theirs] = [p50(what), p50(to)];
      return ours === undefined || theirs === undefined
        ? []
        : [{ what, to, times: Math.round((theirs / ours) * 100) / 100 }];
    }),
  );
}

/** What was promised, and what came of it. */
export function goalsOf(timings: readonly Timing[], figures: Figures): readonly Goal[] {
  const below = (what: string, part: 'p50' | 'p99', ms: number): readonly Goal[] => {
    const row = timings.find((each) => each.what === what);
    if (row === undefined) return [];
    return [{ goal: `${what}: ${part} under ${ms} ms`, measured: row[part], met: row[part] < ms }];
  };
  const rate = figures.simulatedUnitsPerSecond;
  return [
    ...POOLED.slice(0, 2).flatMap((what) => [...below(what, 'p50', 10), ...below(what, 'p99', 30)]),
    ...below(POOLED[2], 'p50', 50),
    ...below('mobile-edge: first video byte', 'p50', 1_000),
    ...below('start to first page, warm', 'p50', 3_000),
    ...(rate === undefined ? [] : [{ goal: 'simulated units per second: 1000', measured: rate, met: rate >= 1_000 }]),
  ];
}

export function printReport(report: Report): string {
  const { machine, timings, ratios, goals, notes } = report;
  const width = Math.max(...timings.map(({ what }) => what.length));
  const cell = (value: number) => value.toFixed(value < 100 ? 1 : 0).padStart(9);
  return [
    `${machine.cores} x ${machine.processor}, Linux ${machine.kernel}, Node ${machine.node}, load ${machine.loadBefore.toFixed(1)} before and ${machine.loadAfter.toFixed(1)} after`,
    '',
    `${'milliseconds'.padEnd(width)}    count      p50       p99       max`,
    ...timings.map((row) =>
      [row.what.padEnd(width), String(row.count).padStart(8), cell(row.p50), cell(row.p99), cell(row.max)].join(' '),
    ),
    '',
    ...(report.idleMiB === undefined ? [] : [`resident memory of the idle server: ${report.idleMiB} MiB`]),
    ...(report.simulatedUnitsPerSecond === undefined
      ? []
      : [`simulated units per second: ${report.simulatedUnitsPerSecond}`]),
    ...ratios.map(({ what, to, times }) => `${to} takes ${times} times as long as ${what}`),
    '',
    ...goals.map(({ goal, measured, met }) => `${met ? 'met    ' : 'NOT MET'}  ${goal} (${measured})`),
    ...notes,
    '',
  ].join('\n');
}
