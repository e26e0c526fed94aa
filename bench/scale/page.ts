import type { describeMachine } from '../machine.ts';
import { type Row, tableRow } from '../record.ts';
import type { Figure } from './figures.ts';
import { panels, type Series } from './plot.ts';
import type { TraceRow } from './traces.ts';

export interface ScaleReport {
  readonly date: string;
  readonly machine: ReturnType<typeof describeMachine>;
  readonly speed: readonly Row[];
  readonly figures: readonly Figure[];
  readonly traces: readonly TraceRow[];
}

/** Told apart by people who see colours differently (Okabe and Ito). */
const COLOURS = ['#d55e00', '#1f83c4', '#009e73', '#cc79a7', '#e69f00'];

export function figurePlot({ figures }: ScaleReport, name: Figure['name']): string {
  const { points } = figures.find((figure) => figure.name === name)!;
  const x = name === 'figure 66' ? 'keep-alive cost' : 'delay cost';
  const line = (label: string, colour: number, y: (point: (typeof points)[number]) => number): Series => ({
    name: label,
    colour: COLOURS[colour]!,
    points: points.map((point) => [point.x, y(point)]),
  });
  return panels(`${name}: what the optimal policy does`, [
    {
      title: 'In the long run',
      x,
      series: [
        line('active VMs', 0, ({ activeVms }) => activeVms),
        ...(name === 'figure 66' ? [] : [line('tasks', 1, ({ tasks }) => tasks)]),
      ],
    },
    { title: 'States that reject', x, series: [line('states', 2, ({ rejecting }) => rejecting)] },
  ]);
}

export function tracePlot({ traces }: ScaleReport): string {
  const shown = [...new Set(traces.map(({ trace }) => trace))].slice(0, 2);
  return panels(
    'Minutes in which the promise was broken, by pod hours',
    shown.map((name) => ({
      title: `${name}: broken minutes`,
      x: 'pod hours',
      series: [
        ...Map.groupBy(
          traces.filter(({ trace }) => trace === name),
          ({ policy }) => policy,
        ),
      ].map(
        ([policy, rows], i): Series => ({
          name: policy,
          colour: COLOURS[i]!,
          points: rows.map(({ podHours, slaMinutes }) => [podHours, slaMinutes]),
          dots: true,
        }),
      ),
    })),
  );
}

/** docs/reference/scaling.md: formats, methods, and a recorded result. */
export function scalingPage(report: ScaleReport): string {
  const { date, machine, speed, figures, traces } = report;
  const file = `${date.slice(0, 10)}-scale.json`;
  const bound = (row: TraceRow) =>
    traces.find(({ trace, policy }) => trace === row.trace && policy === 'clairvoyant')!.podHours;
  return [
    '# Scaling',
    '',
    `<!-- Made by \`npm run bench -- scale\` from bench/results/${file}. -->`,
    '',
    ...introduction,
    '## Figures 66 and 67',
    '',
    'Of Superfluidity D6.1, annex B5.1.1, recomputed with five VMs; figure 66 with a build cost of 1, without which the policy is the same for',
    'all keep-alive costs up to 10 = serviceRate * (rejectFine + reward), from which on no VM is worth its keep.',
    '',
    '![Figure 66](../images/scaling-figure-66.svg)',
    '',
    '![Figure 67](../images/scaling-figure-67.svg)',
    '',
    '| figure | cost | gain | active VMs | tasks | rejected | states that reject |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...figures.flatMap(({ name, points }) =>
      points
        .filter((_, i) => i % 4 === 0)
        .map(
          ({ x, gain, activeVms, tasks, rejected, rejecting }) =>
            `| ${name} | ${x} | ${gain.toFixed(4)} | ${activeVms.toFixed(4)} | ${tasks.toFixed(4)} | ${rejected.toFixed(4)} | ${rejecting} |`,
        ),
    ),
    '',
    '## On traces',
    '',
    'The simulated pods behave as queues with one server each; a pod takes 60 s to boot, requests are promised within 50 ms. The learned scaler',
    'was trained on experiments with the same pods, never on a trace. HPA with several targets of its processor; `times` is pod hours',
    'divided by the fewest that keep the promise at all times for whoever knows the whole trace. Those of the Numenta Anomaly Benchmark: the',
    'first seven days, counts taken for requests, the peak being twelve pods full. Regular days are seven, with a rush at the same seven times',
    'of each; their season is found in the third.',
    '',
    '![Broken minutes by pod hours](../images/scaling-traces.svg)',
    '',
    '| trace | policy | CPU target | broken minutes | pod hours | times | changes |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: |',
    ...traces.map(
      (row) =>
        `| ${row.trace} | ${row.policy} | ${row.cpuTarget ?? ''} | ${row.slaMinutes.toFixed(1)} | ${row.podHours.toFixed(0)} | ${(row.podHours / bound(row)).toFixed(2)} | ${row.changes} |`,
    ),
    '',
    '## How fast',
    '',
    `On ${machine.cores} cores of ${machine.processor}, Node ${machine.node}, load ${machine.loadBefore.toFixed(1)} before. Medians of the processor time of`,
    'the one thread that works.',
    '',
    '| case | measured | largest | at most |',
    '| --- | ---: | ---: | ---: |',
    ...speed.map(tableRow),
    '',
  ].join('\n');
}

const introduction =
  `When to add a VM or a pod, and when to remove one. Three ways: the optimal policy of a model that is known, the algorithm of
Kubernetes, and a scaler that learns from measurements.

    npx superfluidity scale solve examples/scaling/scaling.yaml
    npx superfluidity scale simulate examples/scaling/scaling.yaml --events 1000000
    npx superfluidity scale train measurements.csv --quality latencyMs --per-pod cpu rxKB --fixed hour > model.json
    npx superfluidity scale recommend model.json --metric cpu=0.7 rxKB=80 hour=14 --replicas 4 --at-most 50
    npx superfluidity scale compare

## A model that is known

Tasks arrive at VMs, each with a queue of its own; at an arrival the task goes to an active VM, to one that is built for it, or is
rejected; a VM that a departure leaves empty is kept or destroyed (Shifrin, Mitrany, Biton, Gurewitz, arXiv 1611.06956). Fields are in
[the JSON Schema](../schemas/scaling.schema.json); rates are per unit of time, whatever that is. \`deployment\` makes a VM boot
first, for an exponential time or one of several stages; tasks wait there unless \`queueWhileBooting: false\`.

| method | states | answer |
| --- | --- | --- |
| \`exact\` | how many VMs are in each state: C(N + L - 1, N) for N VMs of L states | the gain between two bounds that are proven, and the policy as a table of a byte each |
| \`abstract\` | numbers of VMs and of tasks: O(N^2 B) | an estimate, and a policy whose cost \`scale simulate\` tells |
| VMs with names (library only) | (B + 2)^N, at most 20,000,000 | an oracle of tests; VMs that are unlike |
| linear programme (library only) | as \`exact\`, at most 10,000 | another oracle of tests, by HiGHS |

The exact solver is modified policy iteration, whose policies are evaluated by GMRES on their incomplete factors. The least and the greatest
residual of a sweep bound the optimal gain and that of the policy, so that what it prints is certain whatever happened before. Past 10,000,000 states \`auto\` takes the abstract model, and a model with a
deployment time is refused (\`SF-SCALE-STATES\`). It exits with 1 when the bound on sweeps came before the tolerance.

\`AdaptivePolicy\` solves anew when the rates that are measured drift from those of the model: beyond a threshold with
confidence, for a while, and not often. The server does so for policies of kind \`mdp\` that say their unit of time, up to 1,000 states
([guide](../guides/scaling.md)).

Thresholds are what the policy does where tasks are spread evenly, for the alarms of a balancer: with so many VMs, from how many tasks on one
is built, or tasks are rejected, and up to how many one that is left empty is destroyed.

## The HPA

\`@superfluidity/scale\` has the algorithm of the HorizontalPodAutoscaler v2 (tolerance, pods that are missing, pending, deleted or failed,
several metrics, \`behavior\` with its windows and policies), held against the examples of its documentation, and activation from
nothing and back as ScaledObjects of KEDA have it.

## A scaler that learns

\`train\` reads a CSV with a row for each measurement. It learns a quantile (95 % by default) of one column, smaller being better, by gradient
boosting. \`recommend\` asks it what would be with one replica, two, and so on: what a pod carries beyond the least ever seen is in
proportion to one through their number. The smallest number that keeps the promise is taken.

Outside of what it was trained on it is not believed: numbers with which a pod would carry more than was ever seen are passed over, and
where a \`--fixed\` column is strange, the number of \`--guard\` is taken, which is meant to be that of an HPA. Online, it learns
anew on a bounded window of measurements. What it cannot see is load that waits before it reaches any pod.

What is asked for serves after a while, and until then the load is taken to grow along straight lines. \`SeasonalForecast\` adds
what returns: a level, a trend that fades and a season (additive, after Holt and Winters), with a period that is given
(\`compare --period\`) or found by autocorrelation once it has come twice; near an hour, a day or a week it is that. The season
begins with what was seen before, of which means of 512 to 1,023 blocks are kept. It counts only while it is proven: over half a
period and 120 forecasts at least, the root mean square of its errors, as far ahead as is needed, must have been less than 0.9
times that of each straight line and of the level and trend alone. Then the largest that it expects until a pod serves is
taken where that is more than the lines say, and never less: a rush that comes each day is met before it begins, and one that
nobody knew of as before. (\`learned-seasonal\` in the table; \`compare --regular\` shows days of such rushes.)
`.split('\n');
