import { SuperfluidityError } from '@superfluidity/core';
import { z } from 'zod';

const text = z.string().min(1).max(1_000);
const label = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);

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
    namespace: label.exactOptional().describe('Where units are. It has to exist. Default: that of the context'),
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
    requestMs: z
      .int()
      .min(1_000)
      .max(600_000)
      .default(30_000)
      .describe('How long one answer of the API server may take'),
  })
  .refine(({ kubeconfig, content }) => kubeconfig === undefined || content === undefined, 'give kubeconfig or content');
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
  sessions: 64,
  /** Of a session, in bytes: what nobody takes makes the program wait. */
  sessionBuffer: 65_536,
  /** From the end of a session until nothing of it is left. */
  sessionEndMs: 2_000,
} as const;
