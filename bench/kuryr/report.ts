import type { describeMachine } from '../machine.ts';
import { type Ratio, ratioLine } from '../openstack/report.ts';
import { type Row, rowLine } from '../record.ts';

export type CaseName = 'pods' | 'original' | 'thousand' | 'cni';

export type BenchVif = 'neutron-vif' | 'nested-vlan';

export const VIF_WORDS: Readonly<Record<BenchVif, string>> = {
  'neutron-vif': 'bare metal',
  'nested-vlan': 'nested',
};

/** Pods in one moment: until the network of the last one is there, from a full pool and, where that was tried, made on demand. */
export interface PodBurst {
  readonly vif: BenchVif;
  readonly pods: number;
  readonly poolMs: number;
  readonly demandMs?: number;
  /** As many pods in the network of their node, until it has seen the last: what there is without Kuryr. Not known of older results. */
  readonly floorMs?: number;
  /** Of Neutron, by the controller, until then. */
  readonly poolCalls: number;
  readonly demandCalls?: number;
}

/** The same by ours and by the original: medians, and calls of Neutron for each pod. */
export interface Beside {
  readonly what: string;
  readonly oursMs: number;
  readonly otherMs: number;
  readonly oursCalls: number;
  readonly otherCalls: number;
}

export interface CaseReport {
  readonly date: string;
  readonly command: string;
  /** `loadAfter` is not known of results from before it was written down. */
  readonly machine: ReturnType<typeof describeMachine> & { readonly loadAfter?: number };
  readonly rows: readonly Row[];
  readonly ratios: readonly Ratio[];
  /** Counts and what else is no time. */
  readonly figures: readonly Figure[];
  readonly notes: readonly string[];
  readonly bursts: readonly PodBurst[];
  readonly beside?: readonly Beside[];
}

export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly atMost?: number;
}

export interface KuryrReport {
  readonly date: string;
  readonly cases: Readonly<Partial<Record<CaseName, CaseReport>>>;
}

/** Where a case puts what it measured. */
export interface Found {
  row(row: Row): void;
  ratio(ratio: Ratio): void;
  figure(what: string, value: number, atMost?: number): void;
  note(text: string): void;
  burst(burst: PodBurst): void;
  beside(beside: Beside): void;
}

export const isWithin = ({ value, atMost }: Figure): boolean => atMost === undefined || value <= atMost;

export function figureLine(figure: Figure): string {
  const { what, value, atMost } = figure;
  const goal = atMost === undefined ? '' : `  ${isWithin(figure) ? 'met' : 'NOT MET'}: at most ${atMost}`;
  return `${what.padEnd(72)} ${String(value).padStart(9)}${goal}`;
}

export function besideLine({ what, oursCalls, otherCalls }: Beside): string {
  return `${`${what}: calls of Neutron for each pod`.padEnd(72)} ${String(oursCalls).padStart(9)}  the original ${otherCalls}`;
}

/** Milliseconds that each pod of the burst takes longer from the pool than without a network. */
export const aboveFloor = ({ pods, poolMs, floorMs }: PodBurst): number | undefined =>
  floorMs === undefined ? undefined : (poolMs - floorMs) / pods;

/** Undefined where there is nothing to compare it with. */
export function burstLine(burst: PodBurst): string | undefined {
  const above = aboveFloor(burst);
  if (above === undefined) return undefined;
  const what = `${burst.pods} pods at once, ${VIF_WORDS[burst.vif]}: ms for each above those without a network`;
  return `${what.padEnd(72)} ${above.toFixed(1).padStart(9)}`;
}

export function reportLines({ cases }: KuryrReport): readonly string[] {
  return Object.values(cases).flatMap(({ rows, ratios, figures, notes, bursts, beside = [] }) => [
    ...rows.map(rowLine),
    ...bursts.flatMap((burst) => burstLine(burst) ?? []),
    ...ratios.map(ratioLine),
    ...figures.map(figureLine),
    ...beside.map(besideLine),
    ...notes,
  ]);
}

/** How much longer the last waits for each pod more, in ms, on a line from the smallest burst to the largest that was made either way. Flat: 0. */
export function risesOf(
  bursts: readonly Pick<PodBurst, 'pods' | 'poolMs' | 'demandMs'>[],
): { readonly from: number; readonly to: number; readonly poolMs: number; readonly demandMs: number } | undefined {
  const both = bursts.flatMap(({ pods, poolMs, demandMs }) =>
    demandMs === undefined ? [] : [{ pods, poolMs, demandMs }],
  );
  const [first, last] = [both[0], both.at(-1)];
  if (first === undefined || last === undefined || first === last) return undefined;
  const each = (key: 'poolMs' | 'demandMs') => (last[key] - first[key]) / (last.pods - first.pods);
  return { from: first.pods, to: last.pods, poolMs: each('poolMs'), demandMs: each('demandMs') };
}
