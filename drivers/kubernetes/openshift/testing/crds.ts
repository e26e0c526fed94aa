import { run } from '../../../../lab/command.ts';
import { kubectl, type Lab } from '../../../../lab/kubernetes/lab.ts';

/**
 * The kinds of OpenShift that the driver speaks, for a cluster that is none: fields by their names in the API of OpenShift, and
 * of these no more than are used. Nothing acts on them.
 */

type Schema = Readonly<Record<string, unknown>>;

const text = { type: 'string' };
const integer = { type: 'integer' };
const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const texts = { type: 'object', additionalProperties: text };
const group = (properties: Schema, required: readonly string[] = []) => ({ type: 'object', properties, required });
const list = (items: Schema) => ({ type: 'array', items });
const tag = group(
  { kind: { ...text, enum: ['ImageStreamTag', 'ImageStreamImage', 'DockerImage'] }, name: text, namespace: text },
  ['kind', 'name'],
);
const trigger = group({ type: text }, ['type']);

const ROUTE = {
  spec: group(
    {
      host: text,
      to: group({ kind: { ...text, enum: ['Service'] }, name: text, weight: integer }, ['kind', 'name']),
      port: group({ targetPort: { 'x-kubernetes-int-or-string': true } }, ['targetPort']),
      tls: group({ termination: { ...text, enum: ['edge', 'passthrough', 'reencrypt'] } }, ['termination']),
      wildcardPolicy: { ...text, enum: ['None', 'Subdomain'] },
    },
    ['to'],
  ),
  status: group({
    ingress: list(
      group({
        host: text,
        routerName: text,
        conditions: list(group({ type: text, status: text, reason: text, message: text }, ['type', 'status'])),
      }),
    ),
  }),
};

const DEPLOYMENT_CONFIG = {
  spec: group({
    replicas: integer,
    revisionHistoryLimit: integer,
    selector: texts,
    strategy: group({ type: { ...text, enum: ['Recreate', 'Rolling', 'Custom'] } }),
    template: open,
    triggers: list(trigger),
  }),
  status: group({ availableReplicas: integer, latestVersion: integer }),
};

const BUILD_CONFIG = {
  spec: group(
    {
      source: group({
        type: { ...text, enum: ['Git', 'Dockerfile', 'Binary', 'Image', 'None'] },
        git: group({ uri: text, ref: text }, ['uri']),
        contextDir: text,
        sourceSecret: group({ name: text }),
      }),
      strategy: group({ type: text, sourceStrategy: group({ from: tag }, ['from']) }),
      output: group({ to: tag }),
      triggers: list(trigger),
    },
    ['strategy'],
  ),
};

const BUILD = {
  status: group({
    phase: { ...text, enum: ['New', 'Pending', 'Running', 'Complete', 'Failed', 'Error', 'Cancelled'] },
    reason: text,
    message: text,
    logSnippet: text,
    outputDockerImageReference: text,
    output: group({ to: group({ imageDigest: text }) }),
  }),
};

const kinds = [
  ['Route', 'routes', 'route.openshift.io', ROUTE],
  ['DeploymentConfig', 'deploymentconfigs', 'apps.openshift.io', DEPLOYMENT_CONFIG],
  ['BuildConfig', 'buildconfigs', 'build.openshift.io', BUILD_CONFIG],
  ['Build', 'builds', 'build.openshift.io', BUILD],
  ['ImageStream', 'imagestreams', 'image.openshift.io', { spec: open }],
  ['ProjectRequest', 'projectrequests', 'project.openshift.io', { displayName: text, description: text }],
  ['Project', 'projects', 'project.openshift.io', { spec: open, status: open }],
] as const satisfies readonly (readonly [string, string, string, Schema])[];

const isGlobal = (kind: string) => kind.startsWith('Project');

function definition([kind, plural, apiGroup, properties]: (typeof kinds)[number]): unknown {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${apiGroup}` },
    spec: {
      group: apiGroup,
      scope: isGlobal(kind) ? 'Cluster' : 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties } },
          ...('status' in properties ? { subresources: { status: {} } } : {}),
        },
      ],
    },
  };
}

const NAMES = kinds.map(([, plural, apiGroup]) => `${plural}.${apiGroup}`);

/** Served when it resolves. */
export async function installOpenshift(lab: Lab): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: kinds.map((one) => definition(one)) };
  await run(kubectl(lab, 'apply', '--server-side', '-f', '-'), { input: JSON.stringify(list) });
  const wait = ['wait', '--for=condition=Established', '--timeout=30s'];
  await run(kubectl(lab, ...wait, ...NAMES.map((name) => `crd/${name}`)), { timeoutMs: 60_000 });
}

/** With all objects of these kinds. */
export async function removeOpenshift(lab: Lab): Promise<void> {
  await run(kubectl(lab, 'delete', 'crd', '--ignore-not-found', ...NAMES), { timeoutMs: 60_000 });
}
