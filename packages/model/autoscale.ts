import { z } from 'zod';

/** What is known of the requests to a unit from the telemetry of its service, over a window. */
export const scalingMetrics = {
  rate: 'requests a second',
  tasks: 'requests under way at a time (Little: those a second times the seconds of each)',
  megabits: 'megabits a second of answers',
  latencyMs: 'mean latency of answered requests',
  latencyP95Ms: 'latency within which 95 of 100 were answered',
  failures: 'part of the requests that failed, from 0 to 1',
} as const;
export type ScalingMetric = keyof typeof scalingMetrics;

/** Those that instances share: with twice the instances, each has half of them. */
export const sharedMetrics: readonly ScalingMetric[] = ['rate', 'tasks', 'megabits'];

const metric = z
  .enum(Object.keys(scalingMetrics) as [ScalingMetric, ...ScalingMetric[]])
  .describe('rate, tasks, megabits: of each instance; latencyMs, latencyP95Ms, failures: of all');
const above = z.number().gt(0, 'must be more than 0').max(1e9);
const seconds = z.number().min(0).max(3_600);
const file = z.string().min(1).max(4_096).describe('Path relative to the descriptor, in the place of what is in it');
const document = z.record(z.string().max(256), z.unknown());

const rules = z.strictObject({
  stabilizationWindowSeconds: seconds.exactOptional(),
  selectPolicy: z.enum(['Max', 'Min', 'Disabled']).exactOptional(),
  policies: z
    .array(
      z.strictObject({
        type: z.enum(['Pods', 'Percent']),
        value: z.int().min(1).max(1_000_000),
        periodSeconds: z.number().min(1).max(3_600),
      }),
    )
    .min(1)
    .max(100)
    .exactOptional(),
});

const count = z.int().min(0).max(10_000);

/** Of every kind. */
const common = {
  min: count.describe('Fewest instances (default: those of scale)').exactOptional(),
  max: count.describe('Most instances (default: those of scale)').exactOptional(),
  windowS: z.number().min(1).max(3_600).describe('Seconds of telemetry that count (default: 30)').exactOptional(),
  everyS: z.number().min(1).max(3_600).describe('Seconds between two decisions (default: 15)').exactOptional(),
  cooldownS: seconds.describe('Seconds after a change in which there is no other (default: 60)').exactOptional(),
  behavior: z
    .strictObject({ scaleUp: rules.exactOptional(), scaleDown: rules.exactOptional() })
    .describe('Windows of stabilisation and limits of changes, as in autoscaling/v2 of Kubernetes, with its defaults')
    .exactOptional(),
  measuredBy: z
    .array(z.string().min(1).max(4_096))
    .min(1)
    .max(100)
    .describe('Units whose telemetry counts (default: all of the service)')
    .exactOptional(),
  recommendOnly: z.boolean().describe('Say what would be done, and do nothing').exactOptional(),
};

const hpa = z
  .strictObject({
    kind: z.literal('hpa'),
    metric,
    target: above.describe('Of each instance, or of all'),
    tolerance: z.number().min(0).max(1).describe('Of the ratio to the target (default: 0.1)').exactOptional(),
    ...common,
  })
  .describe('As many instances as bring a metric to its target, as a HorizontalPodAutoscaler does');

const threshold = z
  .strictObject({
    kind: z.literal('threshold'),
    metric,
    above: above.describe('More than this: instances are added'),
    below: z.number().min(0).max(1e9).describe('Less than this: instances are removed'),
    step: z.int().min(1).max(1_000).describe('How many at a time (default: 1)').exactOptional(),
    ...common,
  })
  .describe('One step up above a value, one down below another');

const mdp = z
  .strictObject({
    kind: z.literal('mdp'),
    table: document.describe('What `scale solve --table` wrote').exactOptional(),
    problem: document.describe('A small model as `scale solve` reads it, which is solved here').exactOptional(),
    file: file.exactOptional(),
    unitS: above
      .describe('Seconds in the unit of time of its rates: with it, a small model is solved anew when rates drift')
      .exactOptional(),
    ...common,
  })
  .describe('The optimal policy of a Markov decision model, for the number of tasks that there are');

const learned = z
  .strictObject({
    kind: z.literal('learned'),
    model: document.describe('What `scale train` printed; its columns are named like metrics').exactOptional(),
    file: file.exactOptional(),
    atMost: above.describe('Quality that is promised, in the unit of the model'),
    margin: z.number().min(0).max(0.99).describe('Part of it that is kept in hand (default: 0.1)').exactOptional(),
    guard: z
      .strictObject({ metric, target: above })
      .describe('Decides like hpa where the model knows nothing (default: nothing is changed)')
      .exactOptional(),
    online: z
      .boolean()
      .describe(
        'Whether it learns on from what is measured; the quality of the model is a metric then (default: false)',
      )
      .exactOptional(),
    ...common,
  })
  .describe('The smallest number of instances with which a learned model expects a promise to be kept');

/** When instances of a unit are added and removed without being asked for. */
export const autoscaleShape = z
  .discriminatedUnion('kind', [hpa, threshold, mdp, learned])
  .superRefine((policy, context) => {
    const wrong = (path: string, message: string, missing = false) =>
      context.addIssue({ code: 'custom', message, path: [path], ...(missing ? { params: { missing } } : {}) });
    if (policy.kind === 'threshold' && policy.below >= policy.above) wrong('below', "must be less than 'above'");
    if (policy.min !== undefined && policy.max !== undefined && policy.min > policy.max)
      wrong('min', "must not be more than 'max'");
    if (policy.kind !== 'mdp' && policy.kind !== 'learned') return;
    const [ways, given] =
      policy.kind === 'mdp'
        ? (["'table', 'problem'", [policy.table, policy.problem, policy.file]] as const)
        : (["'model'", [policy.model, policy.file]] as const);
    if (given.filter((each) => each !== undefined).length !== 1)
      wrong(policy.kind === 'mdp' ? 'table' : 'model', `one of ${ways} and 'file' is needed`, true);
    if (policy.kind === 'mdp' && policy.problem !== undefined && policy.unitS === undefined)
      wrong('unitS', 'is needed with a model', true);
  })
  .meta({ id: 'autoscale', description: 'When instances are added and removed; bounds are those of scale' });

export type Autoscale = z.infer<typeof autoscaleShape>;

/** A policy with what its file has in it, parsed JSON: a model names its format, a table is another one. */
export function withDocument(policy: Autoscale, value: unknown): Autoscale {
  const { file: _file, ...rest } = policy as Autoscale & { readonly file?: string };
  const isProblem = typeof value === 'object' && value !== null && 'superfluidity-scaling' in value;
  const place = policy.kind !== 'mdp' ? 'model' : isProblem ? 'problem' : 'table';
  return { ...rest, [place]: value } as Autoscale;
}
