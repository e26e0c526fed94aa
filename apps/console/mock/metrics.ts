import type { World } from './world.ts';

const BUCKETS_S = [0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** How long the steps of all operations took, as the control plane tells it to Prometheus. */
export function measuredBy(world: World): string {
  const ended = [...world.operations.values()]
    .flatMap(({ steps }) => steps)
    .flatMap(({ verb, startedAt, endedAt }) =>
      startedAt === undefined || endedAt === undefined ? [] : [{ verb, s: (endedAt - startedAt) / 1_000 }],
    );
  const lines = [...Map.groupBy(ended, ({ verb }) => verb)].flatMap(([verb, steps]) => {
    const of = `verb="${verb}",state="done"`;
    const within = (edge: number) => steps.filter(({ s }) => s <= edge).length;
    return [
      ...BUCKETS_S.map((edge) => `superfluidity_step_seconds_bucket{le="${edge}",${of}} ${within(edge)}`),
      `superfluidity_step_seconds_bucket{le="+Inf",${of}} ${steps.length}`,
      `superfluidity_step_seconds_sum{${of}} ${steps.reduce((sum, { s }) => sum + s, 0)}`,
      `superfluidity_step_seconds_count{${of}} ${steps.length}`,
    ];
  });
  return `${lines.join('\n')}\n`;
}
