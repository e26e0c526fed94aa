import { SuperfluidityError } from '@superfluidity/core';
import { KURYR_PORT, kuryrServedSchema } from '@superfluidity/driver-kubernetes/kuryr';
import type { ClusterState, InputFile, PolicyRule } from '@superfluidity/verify';
import { z } from 'zod';
import '../errors.ts';
import { addressesIn, configIn, configMap, kuryrPort, servedBy } from './kuryr-objects.ts';

/** Objects of Kubernetes as its API has them; what policies do not ask about is passed over. */

const labels = z.record(z.string(), z.string());
const metadata = z.object({
  name: z.string(),
  namespace: z.string().default('default'),
  uid: z.string().exactOptional(),
  labels: labels.default({}),
});
const selector = z.object({
  matchLabels: labels.exactOptional(),
  matchExpressions: z
    .array(
      z.object({
        key: z.string(),
        operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
        values: z.array(z.string()).exactOptional(),
      }),
    )
    .exactOptional(),
});
const protocol = z.enum(['TCP', 'UDP', 'SCTP']);
const portNumber = z.int().min(1).max(65_535);
const peers = z.array(
  z.object({
    podSelector: selector.exactOptional(),
    namespaceSelector: selector.exactOptional(),
    ipBlock: z.object({ cidr: z.string(), except: z.array(z.string()).exactOptional() }).exactOptional(),
  }),
);
const ports = z.array(
  z.object({
    protocol: protocol.exactOptional(),
    port: z.union([portNumber, z.string()]).exactOptional(),
    endPort: portNumber.exactOptional(),
  }),
);
const policy = z.object({
  metadata,
  spec: z.object({
    podSelector: selector.default({}),
    policyTypes: z.array(z.enum(['Ingress', 'Egress'])).exactOptional(),
    ingress: z.array(z.object({ from: peers.exactOptional(), ports: ports.exactOptional() })).exactOptional(),
    egress: z.array(z.object({ to: peers.exactOptional(), ports: ports.exactOptional() })).exactOptional(),
  }),
});
const container = z.object({
  restartPolicy: z.string().optional(),
  ports: z
    .array(z.object({ name: z.string().optional(), containerPort: portNumber, protocol: protocol.default('TCP') }))
    .default([]),
});
const pod = z.object({
  metadata,
  spec: z.object({
    nodeName: z.string().optional(),
    hostNetwork: z.boolean().default(false),
    containers: z.array(container).default([]),
    initContainers: z.array(container).default([]),
  }),
  status: z
    .object({
      phase: z.string().optional(),
      podIP: z.string().optional(),
      podIPs: z.array(z.object({ ip: z.string() })).optional(),
    })
    .default({}),
});
const namespace = z.object({ metadata });
const node = z.object({
  metadata,
  status: z.object({ addresses: z.array(z.object({ type: z.string(), address: z.string() })).default([]) }).default({
    addresses: [],
  }),
});
const list = z.object({ kind: z.string().regex(/List$/), items: z.array(z.record(z.string(), z.unknown())) });

const LOOKED_AT = ['Pod', 'Namespace', 'NetworkPolicy', 'Node', 'ConfigMap', KURYR_PORT.kind] as const;
type Kind = (typeof LOOKED_AT)[number];

/** Whether it is a list of `kubectl get ... -o json`, or of the API. */
export function looksLikeObjects({ text }: InputFile): boolean {
  return /^\s*\{/.test(text) && /"kind"\s*:\s*"\w*List"/.test(text) && /"items"\s*:\s*\[/.test(text);
}

/** The lists of several files together. Throws `SF-CLI-FILE`. */
export function readObjects(files: readonly InputFile[]): ClusterState {
  const found: Record<Kind, { readonly path: string; readonly item: unknown }[]> = {
    Pod: [],
    Namespace: [],
    NetworkPolicy: [],
    Node: [],
    ConfigMap: [],
    [KURYR_PORT.kind]: [],
  };
  for (const { path, text } of files) {
    const { kind: whole, items } = parsed(list, json(path, text), path, 'a list of objects');
    for (const item of items) {
      const named = typeof item['kind'] === 'string' ? item['kind'] : whole.replace(/List$/, '');
      const kind = LOOKED_AT.find((one) => one === named);
      if (kind !== undefined) found[kind].push({ path, item });
    }
  }
  const all = <S extends z.ZodType>(kind: Kind, schema: S) =>
    found[kind].map(({ path, item }) => parsed(schema, item, path, `a ${kind}`));
  const namespaces = new Map(
    all('Namespace', namespace).map(({ metadata: { name, labels: own } }) => [
      name,
      // The API server sets it; a file that was written by hand may lack it.
      { 'kubernetes.io/metadata.name': name, ...own },
    ]),
  );
  const config = configIn(all('ConfigMap', configMap));
  const served =
    config === undefined
      ? undefined
      : servedBy(
          parsed(kuryrServedSchema, json(config.path, config.text), config.path, 'the configuration'),
          namespaces,
        );
  const given = new Map(
    all(KURYR_PORT.kind, kuryrPort).map((port) => [
      `${port.metadata.namespace}/${port.metadata.name}`,
      { uid: port.spec.podUid, addresses: addressesIn(port) },
    ]),
  );
  const addressesOf = (
    { namespace: its, name, uid }: z.infer<typeof metadata>,
    { podIP = '', podIPs = [] }: z.infer<typeof pod>['status'],
  ) => {
    const told = [...new Set([podIP, ...podIPs.map(({ ip }) => ip)])].filter(Boolean);
    const port = given.get(`${its}/${name}`);
    // Before the kubelet has told it, a pod has its address already, and rules are about it.
    return told.length > 0 || port === undefined || port.uid !== uid ? told : port.addresses;
  };
  return {
    ...(served === undefined ? {} : { served }),
    pods: all('Pod', pod).map(({ metadata: meta, spec, status }) => ({
      namespace: meta.namespace,
      name: meta.name,
      labels: meta.labels,
      ...(spec.nodeName === undefined ? {} : { node: spec.nodeName }),
      addresses: addressesOf(meta, status),
      hostNetwork: spec.hostNetwork,
      isOver: status.phase === 'Succeeded' || status.phase === 'Failed',
      ports: [
        ...spec.containers,
        // Those that go on beside the others.
        ...spec.initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always'),
      ].flatMap((one) =>
        one.ports.flatMap(({ name: port, containerPort, protocol: of }) =>
          port === undefined ? [] : [{ name: port, protocol: of, number: containerPort }],
        ),
      ),
    })),
    namespaces,
    policies: all('NetworkPolicy', policy).map(({ metadata: { name, namespace: its }, spec }) => {
      const { ingress, egress, ...rest } = spec;
      return {
        namespace: its,
        name,
        ...rest,
        ...(ingress === undefined ? {} : { ingress: ingress.map(({ from, ports: of }) => ruleOf(from, of)) }),
        ...(egress === undefined ? {} : { egress: egress.map(({ to, ports: of }) => ruleOf(to, of)) }),
      };
    }),
    nodes: all('Node', node).map(({ metadata: { name }, status }) => ({
      name,
      addresses: status.addresses.filter(({ type }) => type.endsWith('IP')).map(({ address }) => address),
    })),
  };
}

function ruleOf(of: PolicyRule['peers'], to: PolicyRule['ports']): PolicyRule {
  return { ...(of === undefined ? {} : { peers: of }), ...(to === undefined ? {} : { ports: to }) };
}

function json(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unusable(path, `it is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

function parsed<S extends z.ZodType>(schema: S, value: unknown, path: string, what: string): z.infer<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const name = (value as { readonly metadata?: { readonly name?: unknown } } | null)?.metadata?.name;
  const named = typeof name === 'string' ? ` ${name}` : '';
  throw unusable(path, `${what}${named} is not as the API has it: ${z.prettifyError(result.error)}`);
}

function unusable(path: string, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-CLI-FILE', { doing: `read ${path}`, reason });
}
