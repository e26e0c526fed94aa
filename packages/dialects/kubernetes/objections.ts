import { at, groupAt, isGroup, listOf, same, textOf, type Group } from '../groups.ts';
import { parseQuantity } from './quantity.ts';
import { isLabelValue } from './words.ts';

/**
 * What an API server would say against an object that is written here: fields that are required or not known, names, labels and
 * quantities out of form, references inside that lead nowhere. By the API reference of v1.34 and the types of Multus and KubeVirt.
 */
export function objections(object: Group): readonly string[] {
  const kind = textOf(object['kind']) ?? 'nothing';
  const found: string[] = [];
  const say = (what: string) => found.push(`${kind} ${textOf(at(object, 'metadata', 'name')) ?? ''}: ${what}`);
  const known = FIELDS[kind];
  if (known === undefined) return [`${kind}: not written here`];
  if (object['apiVersion'] !== known.api) say(`apiVersion ${String(object['apiVersion'])}`);
  fields(object, known.fields, '', say);
  checkMetadata(groupAt(object, 'metadata'), say);
  const template = at(object, 'spec', 'template');
  if (isGroup(template)) {
    const selector = groupAt(object, 'spec', 'selector', 'matchLabels');
    const labels = groupAt(template, 'metadata', 'labels');
    if (!Object.entries(selector).every(([name, value]) => labels[name] === value))
      say('selects other pods than its own');
    checkMetadata({ name: 'x', ...groupAt(template, 'metadata') }, say);
  }
  const pod = kind === 'Pod' ? object : kind === 'Deployment' ? template : undefined;
  if (isGroup(pod)) checkPod(groupAt(pod, 'spec'), say);
  return found;
}

type Say = (what: string) => void;
/** `!` marks what is required; a group lists what may be in it, `*` is anything. */
interface Fields {
  readonly [name: string]: Fields | '*';
}

const metadata: Fields = { 'name!': '*', namespace: '*', labels: '*', annotations: '*' };
const container: Fields = {
  'name!': '*',
  'image!': '*',
  command: '*',
  args: '*',
  env: { 'name!': '*', value: '*', valueFrom: '*' },
  envFrom: '*',
  ports: { name: '*', 'containerPort!': '*', protocol: '*' },
  resources: { requests: '*', limits: '*' },
  readinessProbe: { httpGet: { 'port!': '*', path: '*' }, tcpSocket: { 'port!': '*' }, timeoutSeconds: '*' },
  livenessProbe: { httpGet: { 'port!': '*', path: '*' }, tcpSocket: { 'port!': '*' }, timeoutSeconds: '*' },
  securityContext: { capabilities: { add: '*', drop: '*' } },
  volumeMounts: { 'name!': '*', 'mountPath!': '*', readOnly: '*' },
};
const pod: Fields = {
  'containers!': container,
  initContainers: container,
  volumes: { 'name!': '*', configMap: { name: '*' }, persistentVolumeClaim: { 'claimName!': '*' } },
  nodeSelector: '*',
  terminationGracePeriodSeconds: '*',
  securityContext: { sysctls: { 'name!': '*', 'value!': '*' } },
  affinity: { podAffinity: '*', podAntiAffinity: '*' },
};
const machine: Fields = {
  'domain!': {
    cpu: { cores: '*' },
    memory: { guest: '*' },
    resources: { requests: '*' },
    'devices!': {
      disks: { 'name!': '*', disk: { bus: '*' } },
      interfaces: { 'name!': '*', macAddress: '*', bridge: '*', masquerade: '*' },
      autoattachPodInterface: '*',
    },
  },
  networks: { 'name!': '*', pod: '*', multus: { 'networkName!': '*' } },
  volumes: { 'name!': '*', containerDisk: { 'image!': '*' }, emptyDisk: { 'capacity!': '*' } },
  readinessProbe: '*',
  terminationGracePeriodSeconds: '*',
  nodeSelector: '*',
};
const top = { 'apiVersion!': '*', 'kind!': '*', 'metadata!': metadata } as const;
const templated = (spec: Fields): Fields => ({ 'metadata!': { labels: '*', annotations: '*' }, 'spec!': spec });
const policy: Fields = {
  'podSelector!': { matchLabels: '*' },
  policyTypes: '*',
  ingress: { from: { ipBlock: { 'cidr!': '*' } }, ports: { protocol: '*', port: '*' } },
};

const FIELDS: Readonly<Record<string, { readonly api: string; readonly fields: Fields }>> = {
  Namespace: { api: 'v1', fields: top },
  ConfigMap: { api: 'v1', fields: { ...top, data: '*' } },
  Service: {
    api: 'v1',
    fields: {
      ...top,
      'spec!': {
        type: '*',
        loadBalancerIP: '*',
        sessionAffinity: '*',
        sessionAffinityConfig: '*',
        loadBalancerSourceRanges: '*',
        selector: '*',
        'ports!': { name: '*', protocol: '*', 'port!': '*', targetPort: '*' },
      },
    },
  },
  Deployment: {
    api: 'apps/v1',
    fields: { ...top, 'spec!': { replicas: '*', 'selector!': { 'matchLabels!': '*' }, 'template!': templated(pod) } },
  },
  HorizontalPodAutoscaler: {
    api: 'autoscaling/v2',
    fields: {
      ...top,
      'spec!': {
        'scaleTargetRef!': { 'kind!': '*', 'name!': '*', apiVersion: '*' },
        minReplicas: '*',
        'maxReplicas!': '*',
      },
    },
  },
  NetworkPolicy: { api: 'networking.k8s.io/v1', fields: { ...top, 'spec!': policy } },
  MultiNetworkPolicy: { api: 'k8s.cni.cncf.io/v1beta1', fields: { ...top, 'spec!': policy } },
  NetworkAttachmentDefinition: { api: 'k8s.cni.cncf.io/v1', fields: { ...top, 'spec!': { 'config!': '*' } } },
  VirtualMachine: {
    api: 'kubevirt.io/v1',
    fields: { ...top, 'spec!': { 'runStrategy!': '*', 'template!': templated(machine) } },
  },
  VirtualMachineInstanceReplicaSet: {
    api: 'kubevirt.io/v1',
    fields: { ...top, 'spec!': { replicas: '*', 'selector!': { matchLabels: '*' }, 'template!': templated(machine) } },
  },
};

function fields(value: unknown, known: Fields, path: string, say: Say): void {
  if (Array.isArray(value)) return value.forEach((item, i) => fields(item, known, `${path}[${i}]`, say));
  if (!isGroup(value)) return say(`${path} is no group`);
  const allowed = new Map(Object.entries(known).map(([name, inner]) => [name.replace('!', ''), inner]));
  for (const name of Object.keys(known)) {
    if (name.endsWith('!') && value[name.slice(0, -1)] === undefined) say(`${path}.${name.slice(0, -1)} is missing`);
  }
  for (const [name, inner] of Object.entries(value)) {
    const inside = allowed.get(name);
    if (inside === undefined) say(`${path}.${name} is not known`);
    else if (inner === null) say(`${path}.${name} is empty`);
    else if (inside !== '*') fields(inner, inside, `${path}.${name}`, say);
  }
}

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED =
  /^(?:[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

function checkMetadata({ name, labels = {}, annotations = {} }: Group, say: Say): void {
  if (typeof name !== 'string' || name.length > 253 || !SUBDOMAIN.test(name)) say(`name '${String(name)}'`);
  for (const [key, value] of Object.entries(labels as Group)) {
    if (!QUALIFIED.test(key) || typeof value !== 'string' || !isLabelValue(value))
      say(`label ${key}: ${String(value)}`);
  }
  for (const [key, value] of Object.entries(annotations as Group)) {
    if (!QUALIFIED.test(key) || typeof value !== 'string') say(`annotation ${key}`);
  }
}

function checkPod(spec: Group, say: Say): void {
  const containers = [...listOf(spec['containers']), ...listOf(spec['initContainers'])].filter(isGroup);
  const volumes = listOf(spec['volumes']).map((volume) => at(volume, 'name'));
  const names = containers.map(({ name }) => name);
  if (new Set(names).size !== names.length) say('two containers have one name');
  for (const one of containers) {
    if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(String(one['name']))) say(`container '${String(one['name'])}'`);
    for (const mount of listOf(one['volumeMounts']))
      if (!volumes.includes(at(mount, 'name'))) say('a mount without a volume');
    for (const list of ['requests', 'limits']) {
      for (const [name, amount] of Object.entries(groupAt(one, 'resources', list))) {
        if (parseQuantity(amount as string | number) === undefined) say(`${name}: ${String(amount)}`);
      }
    }
    for (const variable of listOf(one['env']))
      if (typeof at(variable, 'value') !== 'string') say('a variable that is no text');
    const texts = [...listOf(one['command']), ...listOf(one['args'])];
    if (!same(texts, texts.map(String))) say('a command that is no text');
  }
}
