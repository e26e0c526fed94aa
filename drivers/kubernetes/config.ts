import { SuperfluidityError } from '@superfluidity/core';
import { z } from 'zod';
import { workloadNames } from './workloads/kinds.ts';

const text = z.string().min(1).max(1_000);
const label = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
/** Of an object: RFC 1123, a name of the domain name system. */
const objectName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);
const labels = z.record(
  z.string().regex(/^([a-z0-9.-]{1,253}\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/),
  z.string().regex(/^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/),
);

const workloads = z
  .strictObject({
    default: z.enum(workloadNames).default('pod').describe('What units are when `units` does not say it'),
    units: z
      .record(text, z.enum(workloadNames))
      .default({})
      .describe('By the path of the unit: {"video/server": "deployment"}'),
    volumes: z
      .record(
        text,
        z.strictObject({
          mount: z
            .string()
            .regex(/^\/[^:]*[^:/]$/)
            .max(1_000)
            .describe('Where the unit finds it'),
          storageClass: objectName.exactOptional().describe('Default: that of the cluster'),
        }),
      )
      .default({})
      .describe('Units (kind stateful-set) whose storage is a volume of its own, which outlives their pods'),
  })
  .prefault({})
  .describe('Objects that units are: a pod, or what makes pods and makes them anew');

const services = z
  .strictObject({
    addresses: z
      .enum(['cluster', 'external', 'load-balancer'])
      .default('cluster')
      .describe(
        'Addresses of balancers are of the range of Services; or anywhere, and taken at the nodes (`externalIPs`); or given by the load balancer of the cluster',
      ),
    routes: z
      .record(text, z.strictObject({ host: objectName.exactOptional(), tls: z.literal('passthrough').exactOptional() }))
      .default({})
      .describe('Balancers, by name, that an OpenShift router is to reach from outside, with the name of the host'),
  })
  .prefault({})
  .describe('Balancers are Services');

const runtimeClasses = z
  .strictObject({
    environments: z
      .partialRecord(z.enum(['pod', 'container', 'unikernel']), objectName)
      .default({})
      .describe('By environment. With one for `unikernel` the site takes such units'),
    units: z.record(text, objectName).default({}).describe('By the path of the unit'),
  })
  .prefault({})
  .describe('RuntimeClass that a unit gets. Default: none');

const build = z.strictObject({
  git: z
    .string()
    .regex(/^(https?|ssh|git):\/\/\S+$/)
    .max(1_000)
    .describe('Where the source is'),
  ref: text.exactOptional().describe('Branch, tag or commit'),
  contextDir: text.exactOptional().describe('Folder of it'),
  builder: z
    .string()
    .regex(/^([a-z0-9.-]+\/)?[a-z0-9._-]+:[A-Za-z0-9._-]+$/)
    .describe('Image stream tag of the builder, `NAMESPACE/NAME:TAG`'),
  secret: objectName.exactOptional().describe('Secret of the namespace with which the source is read'),
});
export type BuildConfig = z.infer<typeof build>;

const schema = z
  .strictObject({
    kubeconfig: text
      .exactOptional()
      .describe('File on the server with the credentials. Default: KUBECONFIG, ~/.kube/config, or the pod it runs in'),
    content: z
      .string()
      .min(1)
      .max(1_000_000)
      .exactOptional()
      .describe('The text of such a file instead; best as `secret:NAME`'),
    context: text.exactOptional().describe('Which of its contexts. Default: its current one'),
    namespace: label.exactOptional().describe('Where units are. Default: that of the context'),
    createNamespace: z
      .boolean()
      .default(false)
      .describe(
        'Make it where it is missing, as a project where the cluster is OpenShift; purge removes what was made',
      ),
    only: z
      .array(text)
      .min(1)
      .max(1_000)
      .exactOptional()
      .describe('Labels that nodes must have to be used: `KEY` or `KEY=VALUE`'),
    images: z
      .record(text, text)
      .default({})
      .describe('What stands for an image of a descriptor: {"guest:": "docker.io/library/busybox:1.37"}'),
    policies: z
      .boolean()
      .default(false)
      .describe(
        'True: the network of the cluster enforces NetworkPolicies. Units with rules are refused where it does not',
      ),
    workloads,
    services,
    runtimeClasses,
    parents: z
      .record(text, labels)
      .default({})
      .describe(
        'Labels of the nodes that are the virtual machines of a unit, by its path: {"core/vm": {"kubernetes.io/hostname": "vm-1"}}. Default: superfluidity.dev/parent',
      ),
    kuryr: z
      .strictObject({
        site: text.describe('A site of kind openstack, which makes the networks'),
      })
      .exactOptional()
      .describe(
        'Pods are in the networks that another site makes: Kuryr of the cluster has the cloud of that site, and drivers.subnet: annotation',
      ),
    builds: z
      .record(text, build)
      .default({})
      .describe('OpenShift builds what stands for an image of a descriptor from source'),
    requestMs: z
      .int()
      .min(1_000)
      .max(600_000)
      .default(30_000)
      .describe('How long one answer of the API server may take'),
  })
  .refine(({ kubeconfig, content }) => kubeconfig === undefined || content === undefined, 'give kubeconfig or content')
  .refine(
    ({ images, builds }) => Object.keys(builds).every((image) => !(image in images)),
    'an image is in images or in builds, not in both',
  );
export type KubernetesConfig = z.infer<typeof schema>;

export const configSchema = z.toJSONSchema(schema, { io: 'input' }) as Readonly<Record<string, unknown>>;

export function readConfig(site: string, config: unknown): KubernetesConfig {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  throw new SuperfluidityError('SF-SITE-CONFIG', {
    doing: `open site ${site}`,
    reason: z.prettifyError(parsed.error),
    data: { issues: parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })) },
  });
}

/** Bounds of this package. */
export const LIMITS = {
  /** Units that are being made at a time. */
  unitsAtOnce: 32,
  unitsPerCall: 10_000,
  /** From the request until the containers run: the image may have to come from far. */
  startMs: 300_000,
  /** A health check without a limit of its own. */
  readyMs: 60_000,
  /** From the request to a pod that is gone. */
  deleteMs: 120_000,
  purgeMs: 600_000,
  /** One question outside of an operation. */
  askMs: 30_000,
  /** How long a request is tried again when the API server does not answer, or has too much to do. */
  retryMs: 10_000,
  earlyMs: 15_000,
  pauseMs: 200,
  pauseMaxMs: 2_000,
  /** Between two looks whether a kind of object is defined by now. */
  absentMs: 5_000,
  /** Objects in one page of a list. */
  page: 500,
  /** The server ends a watch after this time, and one that says nothing for longer is dead: bookmarks come each minute. */
  watchSeconds: 300,
  watchSilenceMs: 150_000,
  /** Objects that went, of which late answers are known as such. */
  gone: 10_000,
  answerBytes: 64 * 1_024 * 1_024,
  lineBytes: 4 * 1_024 * 1_024,
  /** What etcd takes of one object, less what else is in it. */
  filesBytes: 900_000,
  files: 256,
  /** What is kept of the output of a unit that failed, in characters. */
  tail: 2_000,
  hostsKeptMs: 1_000,
  outputKeptMs: 500,
  /** How long it is believed what the user may do. */
  rightsKeptMs: 60_000,
  /** From a Service that waits for its address, or a route for its router. */
  outsideMs: 60_000,
  /** Of one slice of the members of a Service. */
  endpoints: 1_000,
  /** From source to image. */
  buildMs: 1_800_000,
  /** Nodes that are asked at a time what their pods take. */
  nodesAtOnce: 8,
  sessions: 64,
  /** Of a session, in bytes: what nobody takes makes the program wait. */
  sessionBuffer: 65_536,
  /** From the end of a session until nothing of it is left. */
  sessionEndMs: 2_000,
} as const;
