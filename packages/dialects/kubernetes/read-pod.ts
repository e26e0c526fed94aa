import type { NativeHealth, NativeRequirements } from '../native/schema.ts';
import { at, given, groupAt, isGroup, textOf, type Group } from '../groups.ts';
import { expanded } from './expansion.ts';
import { parseQuantity } from './quantity.ts';
import type { Container, MachineTemplate, PodTemplate } from './shape.ts';
import { FORWARDING, notes, program as programs } from './words.ts';

/** What pods refer to among the other objects of their namespace. */
export interface Beside {
  readonly configMap: (name: string) => Group | undefined;
  /** What a claim of storage asks for. */
  readonly claimMiB: (name: string) => number | undefined;
}

/** How a unit is run and what it asks for, and the fields that say something else, in words. */
export interface Said {
  readonly image?: string;
  readonly command?: string[];
  readonly env?: Record<string, string>;
  readonly program?: string;
  readonly forwards?: boolean;
  readonly health?: NativeHealth;
  readonly drain?: { signal: 'SIGTERM'; timeoutMs: number };
  readonly requirements: Pick<NativeRequirements, 'cpu' | 'memoryMiB' | 'storageMiB' | 'accelerators'>;
  readonly unread: readonly string[];
}

/** A pod without what its containers say: what they share. */
export function readShared(pod: PodTemplate, beside: Beside): Pick<Said, 'program' | 'forwards' | 'drain' | 'unread'> {
  const { spec } = pod;
  const ruleset = programOf(spec.volumes ?? [], beside);
  const forwarding = spec.securityContext?.sysctls?.find(({ name }) => name === FORWARDING)?.value;
  const others = (spec.initContainers ?? []).filter(({ name }) => name !== programs.volume);
  return {
    ...given({ program: ruleset, drain: drainOf(spec.terminationGracePeriodSeconds) }),
    ...(forwarding === '1' || forwarding === '0' ? { forwards: forwarding === '1' } : {}),
    unread: others.map(({ name }) => `container '${name}', which runs first`),
  };
}

/** The ruleset that stands in a ConfigMap, as the writer has put it there. */
function programOf(volumes: readonly Group[], { configMap }: Beside): string | undefined {
  const volume = volumes.find((one) => one['name'] === programs.volume);
  const name = textOf(at(volume, 'configMap', 'name'));
  const text = name === undefined ? undefined : at(configMap(name), 'data', programs.file);
  return typeof text === 'string' ? text : undefined;
}

function drainOf(seconds: number | undefined): Said['drain'] {
  return seconds === undefined || seconds > 86_400 ? undefined : { signal: 'SIGTERM', timeoutMs: seconds * 1_000 };
}

/** What one container runs. */
export function readContainer(container: Container, volumes: readonly Group[], beside: Beside): Said {
  const { values, unread } = environmentOf(container, beside);
  const { command, args = [] } = container;
  const own = command === undefined || command.length === 0;
  if (own && args.length > 0) unread.push('args of a command that only the image knows');
  const health = healthOf(container.readinessProbe ?? container.livenessProbe, container);
  if (health === undefined && (container.readinessProbe ?? container.livenessProbe) !== undefined)
    unread.push('probes that are neither HTTP nor TCP');
  return {
    ...given({
      image: container.image === undefined ? undefined : `name:${container.image}`,
      command: own ? undefined : [...command, ...args].map((text) => expanded(text, values)),
      env: Object.keys(values).length === 0 ? undefined : values,
      health,
    }),
    requirements: amountsOf(container, volumes, beside),
    unread,
  };
}

/** Variables in the order in which they are set; what they take from Secrets and from the pod itself is not known here. */
function environmentOf({ env = [], envFrom = [] }: Container, { configMap }: Beside) {
  const values: Record<string, string> = {};
  const unread: string[] = [];
  for (const source of envFrom) {
    const data = at(configMap(textOf(at(source, 'configMapRef', 'name')) ?? ''), 'data');
    if (!isGroup(data)) unread.push('variables that are not in a ConfigMap of these files');
    for (const [name, value] of Object.entries(isGroup(data) ? data : {}))
      values[`${source.prefix ?? ''}${name}`] = String(value);
  }
  for (const one of env) {
    if (one['valueFrom'] === undefined) {
      values[one.name] = expanded(one.value ?? '', values);
      continue;
    }
    const key = groupAt(one, 'valueFrom', 'configMapKeyRef');
    const value = at(configMap(textOf(key['name']) ?? ''), 'data', textOf(key['key']) ?? '');
    if (typeof value === 'string') values[one.name] = value;
    else unread.push(`variable '${one.name.slice(0, 60)}', which is not in a ConfigMap of these files`);
  }
  return { values, unread };
}

type Probe = NonNullable<Container['readinessProbe']>;

export function healthOf(probe: Probe | undefined, { ports = [] }: Pick<Container, 'ports'>): NativeHealth | undefined {
  if (probe === undefined) return undefined;
  const number = (port: string | number) =>
    typeof port === 'number' ? port : (ports.find(({ name }) => name === port)?.containerPort ?? Number(port));
  const port = number(probe.httpGet?.port ?? probe.tcpSocket?.port ?? '');
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  // The default of the API is one second.
  const timeoutMs = Math.min(86_400, probe.timeoutSeconds ?? 1) * 1_000;
  if (probe.httpGet === undefined) return { kind: 'tcp', port, timeoutMs };
  const path = probe.httpGet.path ?? '/';
  return { kind: 'http', port, path: path === '' ? '/' : path.slice(0, 4_096), timeoutMs };
}

function amountsOf({ resources = {}, volumeMounts = [] }: Container, volumes: readonly Group[], beside: Beside) {
  // What is limited and not requested is requested.
  const asked = { ...resources.limits, ...resources.requests };
  const quantity = (name: string, shift: number) =>
    asked[name] === undefined ? undefined : parseQuantity(asked[name], shift);
  const mounted = volumes.filter(({ name }) => volumeMounts.some((mount) => mount.name === name));
  const accelerators = Object.keys(asked).filter((name) => name.includes('/'));
  return given({
    cpu: quantity('cpu', 0),
    memoryMiB: quantity('memory', 20),
    storageMiB: sum([quantity('ephemeral-storage', 20), ...mounted.map((one) => claimed(one, beside))]),
    accelerators: accelerators.length === 0 ? undefined : accelerators,
  });
}

export function claimed(volume: Group, { claimMiB }: Beside): number | undefined {
  const claim = textOf(at(volume, 'persistentVolumeClaim', 'claimName'));
  return claim === undefined ? undefined : claimMiB(claim);
}

function sum(amounts: readonly (number | undefined)[]): number | undefined {
  const some = amounts.filter((amount) => amount !== undefined);
  return some.length === 0 ? undefined : some.reduce((all, amount) => all + amount, 0);
}

/** A virtual machine of KubeVirt. Its disk is an image of a registry, or a volume that has a name. */
export function readMachine({ metadata = {}, spec }: MachineTemplate, beside: Beside): Said {
  const { domain, volumes = [] } = spec;
  const asked = { ...domain.resources?.limits, ...domain.resources?.requests };
  const disk = volumes.find((volume) => at(volume, 'containerDisk', 'image') !== undefined);
  const named = volumes.flatMap((one) => textOf(at(one, 'dataVolume', 'name')) ?? []);
  const reference = textOf(at(disk, 'containerDisk', 'image')) ?? named[0];
  const quantity = (value: unknown) =>
    typeof value === 'string' || typeof value === 'number' ? parseQuantity(value, 20) : undefined;
  const empty = volumes.map((one) => quantity(at(one, 'emptyDisk', 'capacity')));
  const probe = spec['readinessProbe'];
  const health = isGroup(probe) ? healthOf(probe as Probe, {}) : undefined;
  const seconds = spec['terminationGracePeriodSeconds'];
  return {
    ...given({
      image: reference === undefined ? undefined : `name:${reference}`,
      health,
      drain: typeof seconds === 'number' ? drainOf(seconds) : undefined,
    }),
    requirements: given({
      cpu: domain.cpu?.cores ?? (asked['cpu'] === undefined ? undefined : parseQuantity(asked['cpu'])),
      memoryMiB:
        metadata.annotations?.[notes.assumed] === 'memory'
          ? undefined
          : quantity(domain.memory?.guest ?? asked['memory']),
      storageMiB: sum([...empty, ...volumes.map((one) => claimed(one, beside))]),
    }),
    unread: volumes
      .filter((one) => one['cloudInitNoCloud'] !== undefined || one['cloudInitConfigDrive'] !== undefined)
      .map(() => 'what cloud-init is to do'),
  };
}

/** Environment that was written beside a pod. */
export function environmentNote(annotations: Group | undefined): string | undefined {
  return textOf(annotations?.[notes.environment]);
}
