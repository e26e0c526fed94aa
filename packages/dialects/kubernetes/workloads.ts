import { modelLimits, type AffinityRule } from '@superfluidity/model';
import type { NativePort, NativeUnit } from '../native/schema.ts';
import { at, given, groupAt, isGroup, listOf, textOf, type Group } from '../groups.ts';
import { Names } from '../names.ts';
import type { Report } from '../report.ts';
import { shorten, type Path } from '../yaml-text.ts';
import { attachmentsOf, type Attachment } from './attachments.ts';
import { machineAttachments } from './machines.ts';
import { describe, selects, templateOf, type Found } from './objects.ts';
import { parseQuantity } from './quantity.ts';
import { environmentNote, readContainer, readMachine, readShared, type Beside, type Said } from './read-pod.ts';
import type { Container, MachineTemplate, PodTemplate, Shaped } from './shape.ts';
import { labels, notes } from './words.ts';

const PODS = [
  'Pod',
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'ReplicaSet',
  'ReplicationController',
  'DeploymentConfig',
];
const MACHINES = ['VirtualMachine', 'VirtualMachineInstance', 'VirtualMachineInstanceReplicaSet'];

export const isWorkload = ({ kind }: Found): boolean => PODS.includes(kind) || MACHINES.includes(kind);

export interface Around {
  readonly report: Report;
  readonly find: (kind: string, namespace: string | undefined, name: string) => Found | undefined;
  readonly scalers: readonly Found[];
  /** Label of the network that a pod is attached to. */
  readonly network: (network: Attachment['network'], namespace: string, found: Found) => string;
}

export interface ReadUnit {
  /** Of the model. */
  readonly path: string;
  readonly unit: NativeUnit;
  /** The workload, and what scales it. */
  readonly objects: readonly Found[];
  readonly labels: Group;
  readonly attachments: readonly Attachment[];
  readonly portNumbers: ReadonlyMap<string, number>;
  /** Where the template of its pods and its first container are. */
  readonly template: Path;
  readonly container: Path;
}

export interface ReadFunction {
  readonly name: string;
  readonly description?: string;
  readonly found: Found;
  readonly units: readonly ReadUnit[];
}

/** Workloads with the same `app.kubernetes.io/name` and components of their own are one function; others are one each. */
export function readWorkloads(workloads: readonly Found[], around: Around): readonly ReadFunction[] {
  const names = new Names();
  const functions = new Map<
    string,
    { readonly name: string; readonly found: Found; readonly units: Names; readonly list: ReadUnit[] }
  >();
  for (const found of workloads) {
    const all = labelsOf(found);
    const [name, component] = [textOf(all[labels.name]), textOf(all[labels.component])];
    const grouped = name !== undefined && component !== undefined;
    const key = grouped ? `${found.namespace ?? ''} ${name}` : `${found.namespace ?? ''} ${found.kind} ${found.name}`;
    let fn = functions.get(key);
    if (fn === undefined) {
      fn = { name: names.fresh(grouped ? name : found.name), found, units: new Names(), list: [] };
      functions.set(key, fn);
    }
    const unit = fn.units.fresh(grouped ? component : found.name);
    fn.list.push(readUnit(found, all, fn.name, grouped ? unit : fn.name, around));
  }
  const read = [...functions.values()].map(({ name, found, list }) => {
    const description = textOf(groupAt(found.value, 'metadata', 'annotations')[notes.function])?.slice(0, 4096);
    return { name, found, units: list, ...given({ description }) };
  });
  const all = read.flatMap(({ units }) => units);
  for (const unit of all) place(unit, all, read, around);
  return read;
}

/** Of its pods, and of itself where they say nothing. */
function labelsOf({ kind, value }: Found): Group {
  return { ...groupAt(value, 'metadata', 'labels'), ...groupAt(templateOf(kind, value), 'metadata', 'labels') };
}

function readUnit(found: Found, all: Group, fn: string, name: string, around: Around): ReadUnit {
  const { kind, value, namespace, text } = found;
  const path = `${fn}/${name}`;
  const template = templateOf(kind, value);
  const templatePath: Path = template === value ? [] : ['spec', 'template'];
  const annotations = groupAt(template, 'metadata', 'annotations');
  const isMachine = MACHINES.includes(kind);
  const beside = besideOf(namespace, around);
  const attached = isMachine
    ? machineAttachments(template as unknown as MachineTemplate)
    : attachmentsOf(annotations, at(template, 'spec', 'hostNetwork') === true);
  const attachments = typeof attached === 'string' ? [] : attached;
  if (typeof attached === 'string') {
    const position = text.locate([...templatePath, 'metadata', 'annotations', notes.networks]);
    around.report.error('SF-DESCRIPTOR-VALUE', position, `${describe(found)}: ${attached}`);
  }
  const containers = isMachine ? [] : (template as unknown as PodTemplate).spec.containers;
  const { fields, unread } = isMachine
    ? machineOf(found, template as unknown as MachineTemplate, annotations, beside, around)
    : podOf(template as unknown as PodTemplate, annotations, beside);
  for (const what of unread) {
    const message = `${shorten(describe(found))}: ${what} is carried, and not read`;
    around.report.warn('SF-DESCRIPTOR-UNSUPPORTED', text.locate(templatePath), message);
  }
  const scaler = around.scalers.find((one) => scales(one, found));
  const description = textOf(groupAt(value, 'metadata', 'annotations')[notes.description]);
  const unit: NativeUnit = {
    name,
    ...given({ description: description?.slice(0, 4096) }),
    ...fields,
    ports: attachments.map((one, i) => portOf(one, i, namespace ?? '', found, around)),
    ...given({ scale: scaleOf(found, scaler) }),
    carried: { kubernetes: given({ as: path, object: value, scaler: scaler?.value }) },
  };
  const numbers = containers
    .flatMap(({ ports = [] }) => ports)
    .flatMap((one) => (one.name === undefined ? [] : [[one.name, one.containerPort] as const]));
  return {
    path,
    unit,
    objects: scaler === undefined ? [found] : [found, scaler],
    labels: all,
    attachments,
    portNumbers: new Map(numbers),
    template: templatePath,
    container: [...templatePath, 'spec', ...(isMachine ? ['domain'] : ['containers', 0])],
  };
}

function besideOf(namespace: string | undefined, { find }: Around): Beside {
  return {
    configMap: (name) => find('ConfigMap', namespace, name)?.value,
    claimMiB: (name) => {
      const claim = find('PersistentVolumeClaim', namespace, name)?.value as unknown as
        | Shaped<'PersistentVolumeClaim'>
        | undefined;
      const size = claim?.spec.resources?.requests?.['storage'];
      return size === undefined ? undefined : parseQuantity(size, 20);
    },
  };
}

type Fields = Partial<NativeUnit> & Pick<NativeUnit, 'environment'>;

/** A pod of one container is a unit; one of several is a unit around them. */
function podOf(
  pod: PodTemplate,
  annotations: Group,
  beside: Beside,
): { readonly fields: Fields; readonly unread: readonly string[] } {
  const { containers, volumes = [] } = pod.spec;
  const shared = readShared(pod, beside);
  const written = environmentNote(annotations);
  const environment =
    written === 'container' || written === 'nft' || written === 'process' || written === 'click' ? written : 'pod';
  const { unread, ...common } = shared;
  if (containers.length === 1) {
    const said = readContainer(containers[0]!, volumes, beside);
    const { image, command: _pause, ...rest } = fieldsOf(said);
    // What holds the network of a packet function open is no image of its own.
    const running = environment === 'nft' ? {} : given({ image, command: said.command });
    return { fields: { environment, ...rest, ...running, ...common }, unread: [...unread, ...said.unread] };
  }
  const names = new Names();
  const inside = containers.map((container) => ({ container, said: readContainer(container, volumes, beside) }));
  const units = inside.map(({ container, said }) => containerUnit(container, said, names.fresh(container.name)));
  return {
    fields: { environment, ...common, units },
    unread: [...unread, ...inside.flatMap(({ said }) => said.unread)],
  };
}

function containerUnit(container: Container, said: Said, name: string): NativeUnit {
  const { image = `name:${container.name}`, ...fields } = fieldsOf(said);
  return { name, environment: 'container', image, ...fields, carried: { kubernetes: { as: name, container } } };
}

function fieldsOf({ unread: _, requirements, ...said }: Said): Omit<Fields, 'environment'> {
  return { ...said, ...(Object.keys(requirements).length === 0 ? {} : { requirements: { ...requirements } }) };
}

function machineOf(found: Found, template: MachineTemplate, annotations: Group, beside: Beside, { report }: Around) {
  const said = readMachine(template, beside);
  const environment: 'vm' | 'unikernel' = environmentNote(annotations) === 'unikernel' ? 'unikernel' : 'vm';
  const image = said.image ?? `name:${found.name === '' ? 'unnamed' : found.name}`;
  if (said.image === undefined) {
    const message = `${shorten(describe(found))} does not say its image: ${image} is assumed`;
    report.warn('SF-DESCRIPTOR-ASSUMED', found.text.locate(['spec']), message);
  }
  return { fields: { environment, ...fieldsOf(said), image }, unread: said.unread };
}

function portOf(
  one: Attachment,
  index: number,
  namespace: string,
  found: Found,
  around: Around,
): Exclude<NativePort, string> {
  const inside = one.interface.length <= modelLimits.interfaceName ? one.interface : `net${index}`;
  return {
    name: one.port,
    network: around.network(one.network, namespace, found),
    ...(inside === one.port ? {} : { internalIf: inside }),
    ...given({ address: one.address, mac: one.mac, bandwidthMbps: one.bandwidthMbps }),
  };
}

function scales({ namespace, value }: Found, found: Found): boolean {
  const { kind, name } = (value as unknown as Shaped<'HorizontalPodAutoscaler'>).spec.scaleTargetRef;
  return namespace === found.namespace && kind === found.kind && name === found.name;
}

function scaleOf({ value }: Found, scaler: Found | undefined): NativeUnit['scale'] {
  const replicas = at(value, 'spec', 'replicas');
  const initial = typeof replicas === 'number' ? replicas : undefined;
  if (scaler === undefined) return initial === undefined ? undefined : { initial, min: initial, max: initial };
  const { minReplicas: min = 1, maxReplicas: max } = (scaler.value as unknown as Shaped<'HorizontalPodAutoscaler'>)
    .spec;
  return { initial: Math.min(Math.max(initial ?? min, min), Math.max(min, max)), min, max };
}

/** Placement: in a virtual machine of these files, with pods or apart from them. */
function place(read: ReadUnit, all: readonly ReadUnit[], functions: readonly ReadFunction[], { report }: Around): void {
  const [found] = read.objects as [Found];
  const spec = groupAt(templateOf(found.kind, found.value), 'spec');
  const node = textOf(groupAt(spec, 'nodeSelector')[labels.hostname]);
  const parent =
    node === undefined
      ? undefined
      : all.find(({ objects: [one] }) => MACHINES.includes(one!.kind) && one!.name === node);
  if (parent !== undefined && parent !== read) read.unit.nested = { parent: parent.path, parentMandatory: true };
  const { rules, unread } = affinityOf(spec, read, all, functions);
  if (rules.length > 0)
    read.unit.requirements = {
      ...read.unit.requirements,
      affinity: rules.map((rule) => ({ ...rule, with: [...rule.with] })),
    };
  if (unread) {
    const message = `${shorten(describe(found))}: rules of affinity that have no words here are carried`;
    report.warn('SF-DESCRIPTOR-UNSUPPORTED', found.text.locate([...read.template, 'spec', 'affinity']), message);
  }
}

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';

export function affinityOf(spec: Group, read: ReadUnit, all: readonly ReadUnit[], functions: readonly ReadFunction[]) {
  const affinity = groupAt(spec, 'affinity');
  const rules: AffinityRule[] = [];
  let unread = Object.keys(affinity).some((name) => name !== 'podAffinity' && name !== 'podAntiAffinity');
  for (const [name, kind] of [
    ['podAffinity', 'together'],
    ['podAntiAffinity', 'apart'],
  ] as const) {
    const terms = listOf(at(affinity, name, REQUIRED)).filter(isGroup);
    unread ||= Object.keys(groupAt(affinity, name)).some((field) => field !== REQUIRED);
    for (const term of terms) {
      const scope =
        term['topologyKey'] === labels.hostname ? 'host' : term['topologyKey'] === labels.zone ? 'site' : undefined;
      const selector = groupAt(term, 'labelSelector');
      const plain =
        Object.keys(selector).every((field) => field === 'matchLabels') && term['namespaceSelector'] === undefined;
      const wanted = all.filter((one) => selects(groupAt(selector, 'matchLabels'), one.labels));
      const fn = functions.find(
        ({ units }) => units.length === wanted.length && units.every((unit) => wanted.includes(unit)),
      );
      if (scope === undefined || !plain || wanted.length === 0 || wanted.includes(read)) unread = true;
      else {
        const paths = fn === undefined ? wanted.map(({ path }) => path) : [fn.name];
        const before = rules.findIndex((rule) => rule.kind === kind && rule.scope === scope);
        if (before === -1) rules.push({ kind, scope, with: paths });
        else rules[before] = { kind, scope, with: [...rules[before]!.with, ...paths] };
      }
    }
  }
  return { rules, unread };
}
