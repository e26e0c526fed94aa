import type { PolicyGrid, ScalingDecision, ServiceAnomalies, UnitScaling } from '@superfluidity/api';

/** The number of instances beside a metric, decision by decision, oldest first. */
export interface ScalingSeries {
  /** In seconds since the epoch. */
  readonly times: readonly number[];
  readonly instances: readonly number[];
  /** Null where it was not measured. */
  readonly metric: readonly (number | null)[];
}

/** Decisions in any order. After each, there are as many instances as it says, but where it only advised. */
export function scalingSeries(decisions: readonly ScalingDecision[], metric: string): ScalingSeries {
  const sorted = decisions.toSorted((a, b) => a.at - b.at || a.id - b.id);
  return {
    times: sorted.map(({ at }) => at / 1_000),
    instances: sorted.map(({ outcome, from, to }) => (outcome === 'scaling' ? to : from)),
    metric: sorted.map(({ metrics }) => metrics[metric] ?? null),
  };
}

export const METRICS: Readonly<Record<string, readonly [title: string, unit: string]>> = {
  rate: ['Requests a second', '/s'],
  tasks: ['Requests under way', ''],
  megabits: ['Megabits a second', 'Mbit/s'],
  latencyMs: ['Mean latency', 'ms'],
  latencyP95Ms: ['Latency of 95 of 100', 'ms'],
  failures: ['Part that failed', ''],
};

/** What a policy looks at. */
export function metricOf({ policy }: Pick<UnitScaling, 'policy'>): string {
  const { kind, metric } = policy;
  if (typeof metric === 'string') return metric;
  if (kind === 'mdp') return 'tasks';
  const model = policy['model'] as { perPod?: readonly string[] } | undefined;
  return model?.perPod?.[0] ?? 'rate';
}

const WORDS: Readonly<Record<string, string>> = {
  target: 'Target',
  tolerance: 'Tolerance',
  above: 'More above',
  below: 'Fewer below',
  step: 'At a time',
  atMost: 'Promised at most',
  margin: 'Kept in hand',
  windowS: 'Window, s',
  everyS: 'Decided every, s',
  cooldownS: 'Cool-down, s',
};

const KINDS: Readonly<Record<string, string>> = {
  hpa: 'Metric to a target (hpa)',
  threshold: 'Thresholds',
  mdp: 'Markov decision policy (mdp)',
  learned: 'Learned model',
};

/** The numbers of a policy, in words. */
export function policyFacts(one: UnitScaling): readonly (readonly [string, string])[] {
  const { policy, min, max } = one;
  const metric = metricOf(one);
  const problem = policy['problem'];
  const ofModel =
    problem === null || typeof problem !== 'object'
      ? []
      : Object.entries(problem).flatMap(([name, value]) =>
          typeof value === 'number' ? [[spaced(name), String(value)] as const] : [],
        );
  return [
    ['Kind', KINDS[String(policy['kind'])] ?? String(policy['kind'])],
    ['Looks at', METRICS[metric]?.[0] ?? metric],
    ...Object.entries(WORDS).flatMap(([name, title]) =>
      typeof policy[name] === 'number' ? [[title, String(policy[name])] as const] : [],
    ),
    ['Bounds', `${min} to ${max}`],
    ...ofModel,
  ];
}

const spaced = (name: string) =>
  name[0]!.toUpperCase() + name.slice(1).replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

export type GridAction = PolicyGrid['actions'][number][number];

/** Each action by a sign, a word and a colour. */
export const GRID_ACTIONS: Readonly<Record<GridAction, readonly [sign: string, words: string]>> = {
  build: ['+', 'builds an instance'],
  accept: ['·', 'accepts'],
  reject: ['×', 'rejects'],
  destroy: ['−', 'destroys one left empty'],
  impossible: ['', 'cannot be'],
};

/** Where the unit is in the picture of its policy: the nearest row and column. */
export function placeInGrid({ vms, tasks }: PolicyGrid, instances: number, underWay: number | undefined) {
  const nearest = (values: readonly number[], wanted: number) =>
    values.reduce((best, value, i) => (Math.abs(value - wanted) < Math.abs(values[best]! - wanted) ? i : best), 0);
  return { row: nearest(vms, instances), column: underWay === undefined ? undefined : nearest(tasks, underWay) };
}

type Signal = ServiceAnomalies['signals'][number];

export interface ScoreSeries {
  readonly times: readonly number[];
  readonly scores: readonly number[];
  readonly thresholds: readonly number[];
  /** The score where it is an anomaly: points of their own. */
  readonly anomalies: readonly (number | null)[];
}

export function scoreSeries({ scores }: Pick<Signal, 'scores'>): ScoreSeries {
  const sorted = scores.toSorted((a, b) => a.t - b.t);
  return {
    times: sorted.map(({ t }) => t / 1_000),
    scores: sorted.map(({ score }) => score),
    thresholds: sorted.map(({ threshold }) => threshold),
    anomalies: sorted.map(({ score, anomalous }) => (anomalous ? score : null)),
  };
}

export const SIGNALS: Readonly<Record<Signal['name'], readonly [title: string, about: string]>> = {
  latency: ['Latency', 'how long each answer took'],
  rate: ['Rate', 'how many requests each second brought'],
  events: ['Events', 'how long it was from event to event'],
};

/** In the address of the events around an alert: some minutes before and after. */
export function around(at: number): { readonly since: string; readonly until: string } {
  const MARGIN_MS = 120_000;
  return { since: String(Math.floor(at - MARGIN_MS)), until: String(Math.ceil(at + MARGIN_MS)) };
}
