import {
  splitPortReference,
  type Block,
  type Execution,
  type HealthCheck,
  type Requirements,
} from '@superfluidity/model';
import { at, groupAt, isGroup, listOf, put, same, textOf, type Group } from '../groups.ts';
import { escaped } from './expansion.ts';
import { formatCores, formatMiB } from './quantity.ts';
import { FORWARDING, images, labels, notes, program as programs } from './words.ts';
import type { Attached, WrittenUnit } from './written.ts';

type Say = (path: string, what: string) => void;

/** The pods of a unit: those that were read, with what has changed since. */
export function podTemplate(written: WrittenUnit, template: Group): Group {
  const { unit, was } = written;
  const say: Say = (path, what) => written.lose(path, `${what} of unit '${written.path}'`);
  const children = unit.children.filter(({ kind }) => kind === 'unit');
  let pod = annotated(written, template, say);
  pod = put(
    pod,
    ['spec', 'containers'],
    containersOf(written, children, listOf(at(template, 'spec', 'containers')).filter(isGroup), say),
  );
  const changed = (field: keyof Execution) => !same(was?.execution?.[field], unit.execution?.[field]);
  if (changed('program')) pod = withProgram(pod, written, say);
  if (changed('forwards')) pod = withForwarding(pod, unit.execution?.forwards);
  if (changed('drain')) pod = put(pod, ['spec', 'terminationGracePeriodSeconds'], graceOf(unit.execution, say));
  if (!same(was?.execution?.nested?.parent, unit.execution?.nested?.parent)) pod = placed(pod, written, say);
  if (!same(written.wasAsked?.affinity, written.asked.affinity)) {
    pod = put(pod, ['spec', 'affinity', 'podAffinity'], undefined);
    pod = put(pod, ['spec', 'affinity', 'podAntiAffinity'], undefined);
    for (const [path, value] of Object.entries(affinityOf(written, say)))
      pod = put(pod, ['spec', 'affinity', path], value);
  }
  return pod;
}

function containersOf(
  written: WrittenUnit,
  children: readonly Block[],
  before: readonly Group[],
  say: Say,
): readonly Group[] {
  const { unit, was, asked, wasAsked } = written;
  if (children.length === 0) {
    const [first, ...sidecars] = before;
    const kept = was?.children.some(({ kind }) => kind === 'unit') === true ? [] : sidecars;
    return [container(first ?? { name: unit.name }, { unit, was, asked, wasAsked }, say), ...kept];
  }
  const { image, command, env, health } = unit.execution ?? {};
  if (image !== undefined || command !== undefined || env !== undefined || health !== undefined)
    say('', 'what is run beside the containers inside');
  return children.flatMap((child, i) => {
    const base = groupAt(child.carried, 'kubernetes', 'container');
    const old = was?.children.find(({ name }) => name === child.name);
    if (child.execution?.environment !== 'container') {
      say(`units[${i}]`, `unit '${child.name}', which is no container, inside`);
      return [];
    }
    if (child.ports.length > 0) say(`units[${i}].ports`, `ports of '${child.name}' inside`);
    const sayInside: Say = (path, what) =>
      say(`units[${i}]${path === '' ? '' : `.${path}`}`, `${what} of '${child.name}' inside`);
    const parts = { unit: child, was: old, asked: child.requirements, wasAsked: old?.requirements };
    return [container(old === undefined ? { name: child.name } : base, parts, sayInside)];
  });
}

interface Parts {
  readonly unit: Block;
  readonly was: Block | undefined;
  readonly asked: Requirements;
  readonly wasAsked: Requirements | undefined;
}

function container(base: Group, { unit, was, asked, wasAsked }: Parts, say: Say): Group {
  const [now, before] = [unit.execution, was?.execution];
  const changed = (field: keyof Execution) => !same(before?.[field], now?.[field]);
  let one: Group = { name: unit.name, ...base };
  if (was === undefined || changed('image') || changed('environment')) one = put(one, ['image'], imageOf(now, say));
  if (changed('command')) {
    one = put(put(one, ['args'], undefined), ['command'], now?.command?.map(escaped));
  }
  if (changed('env')) one = put(put(one, ['envFrom'], undefined), ['env'], variables(now?.env, say));
  if (changed('health')) {
    const probe = probeOf(now?.health, say);
    one = put(put(one, ['readinessProbe'], probe), ['livenessProbe'], probe);
  }
  return withAmounts(one, asked, wasAsked, say);
}

/** The image of a registry. What no registry has gets a name under `invalid` (RFC 2606), and is seen to be missing. */
export function imageOf(execution: Execution | undefined, say: Say): string {
  const { image = '', environment } = execution ?? {};
  if (environment === 'nft') {
    if (image !== '') say('image', `image '${image}'`);
    return images.pause;
  }
  if (image.startsWith('name:')) return image.slice('name:'.length);
  const what =
    image === '' ? `an image for environment '${environment ?? ''}'` : `image '${image}', which no registry has,`;
  say('image', what);
  const label = (image === '' ? (environment ?? 'none') : image).toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return `superfluidity.invalid/${label.replace(/^-+|-+$/g, '').slice(0, 100) || 'none'}`;
}

function variables(env: Execution['env'], say: Say): readonly Group[] | undefined {
  const entries = Object.entries(env ?? {}).filter(([name]) => {
    // Printable characters of ASCII but `=`: validation of names of environment variables since v1.30.
    if (/^[ -<>-~]+$/.test(name)) return true;
    say('env', `variable '${name.slice(0, 40)}'`);
    return false;
  });
  return entries.length === 0 ? undefined : entries.map(([name, value]) => ({ name, value: escaped(value) }));
}

/** Seconds are all that Kubernetes knows, and one is the least. */
export function probeOf(health: HealthCheck | undefined, say: Say): Group | undefined {
  if (health?.kind === 'ping') say('health', "health 'ping'");
  // Whether it runs is looked at in any case.
  if (health?.kind !== 'tcp' && health?.kind !== 'http') return undefined;
  const timeoutSeconds = Math.max(1, Math.ceil(health.timeoutMs / 1_000));
  if (timeoutSeconds * 1_000 !== health.timeoutMs) say('health', `a time limit of ${health.timeoutMs} ms`);
  if (health.kind === 'tcp') return { tcpSocket: { port: health.port }, timeoutSeconds };
  return { httpGet: { path: health.path, port: health.port }, timeoutSeconds };
}

export function graceOf(execution: Execution | undefined, say: Say): number | undefined {
  const { drain } = execution ?? {};
  if (drain === undefined) return undefined;
  if (drain.signal !== 'SIGTERM') say('drain', `signal ${drain.signal}`);
  const seconds = Math.ceil(drain.timeoutMs / 1_000);
  if (seconds * 1_000 !== drain.timeoutMs) say('drain', `a drain of ${drain.timeoutMs} ms`);
  return seconds;
}

function withAmounts(one: Group, asked: Requirements, was: Requirements | undefined, say: Say): Group {
  let result = one;
  const set = (
    name: string,
    field: 'cpu' | 'memoryMiB' | 'storageMiB',
    format: (amount: number) => string | undefined,
  ) => {
    if (same(was?.[field], asked[field])) return;
    const amount = asked[field];
    const text = amount === undefined ? undefined : format(amount);
    if (amount !== undefined && text === undefined)
      say(`requirements.${field}`, `${field} ${amount} to the last digit`);
    const rounded = text ?? (amount === undefined ? undefined : format(Math.ceil(amount)));
    result = put(result, ['resources', 'requests', name], rounded);
    result = put(result, ['resources', 'limits', name], undefined);
  };
  set('cpu', 'cpu', formatCores);
  set('memory', 'memoryMiB', formatMiB);
  set('ephemeral-storage', 'storageMiB', formatMiB);
  if (!same(was?.accelerators ?? [], asked.accelerators ?? [])) {
    for (const name of was?.accelerators ?? []) {
      result = put(put(result, ['resources', 'limits', name], undefined), ['resources', 'requests', name], undefined);
    }
    for (const name of asked.accelerators ?? []) {
      // Qualified names: those without a prefix are Kubernetes' own.
      const sayable = /^[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?\/[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/.test(
        name,
      );
      if (sayable) result = put(result, ['resources', 'limits', name], 1);
      else say('requirements.accelerators', `accelerator '${name.slice(0, 40)}', which is no name of a resource,`);
    }
  }
  return result;
}

/** The ruleset is loaded by a container that runs first: those of a pod share one network namespace. */
function withProgram(pod: Group, written: WrittenUnit, say: Say): Group {
  const { program, environment } = written.unit.execution ?? {};
  const others = (path: readonly string[]) =>
    listOf(at(pod, ...path)).filter((one) => at(one, 'name') !== programs.volume);
  const [first, volumes] = [others(['spec', 'initContainers']), others(['spec', 'volumes'])];
  const filled = (list: readonly unknown[]) => (list.length === 0 ? undefined : list);
  if (program === undefined || environment === 'click' || environment === 'unikernel') {
    if (program !== undefined) say('program', `the program for '${environment}'`);
    return put(put(pod, ['spec', 'initContainers'], filled(first)), ['spec', 'volumes'], filled(volumes));
  }
  const load = {
    name: programs.volume,
    image: images.nft,
    command: ['nft', '-f', `${programs.folder}/${programs.file}`],
    securityContext: { capabilities: { add: ['NET_ADMIN'] } },
    volumeMounts: [{ name: programs.volume, mountPath: programs.folder, readOnly: true }],
  };
  const volume = { name: programs.volume, configMap: { name: written.programName } };
  return put(put(pod, ['spec', 'initContainers'], [...first, load]), ['spec', 'volumes'], [...volumes, volume]);
}

function withForwarding(pod: Group, forwards: boolean | undefined): Group {
  const path = ['spec', 'securityContext', 'sysctls'];
  const others = listOf(at(pod, ...path)).filter((one) => at(one, 'name') !== FORWARDING);
  const own = forwards === undefined ? [] : [{ name: FORWARDING, value: forwards ? '1' : '0' }];
  return put(pod, path, others.length + own.length === 0 ? undefined : [...others, ...own]);
}

/** A pod in a virtual machine runs on the node that this is. */
export function placed(pod: Group, { unit, hostOf, wasHostOf }: WrittenUnit, say: Say): Group {
  const { parent, parentMandatory } = unit.execution?.nested ?? {};
  const path = ['spec', 'nodeSelector', labels.hostname];
  const node = parent === undefined ? undefined : hostOf(splitPortReference(parent).path);
  if (parent !== undefined && node === undefined)
    say('nested.parent', parent === 'none' ? 'that no virtual machine is around it' : `that it runs in '${parent}'`);
  if (parent === undefined && parentMandatory === true)
    say('nested.parentMandatory', 'that it runs in a virtual machine');
  if (node !== undefined && parentMandatory !== true)
    say('nested.parentMandatory', `that '${parent}' is only preferred`);
  // What names a node that is none of these stays.
  const before = textOf(at(pod, ...path));
  return node === undefined && before !== undefined && !wasHostOf(before) ? pod : put(pod, path, node);
}

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';

function affinityOf({ asked, selectorOf }: WrittenUnit, say: Say): Group {
  const terms = (kind: 'together' | 'apart') =>
    (asked.affinity ?? [])
      .filter((rule) => rule.kind === kind)
      .flatMap(({ scope, with: others }) =>
        others.flatMap((path) => {
          const matchLabels = selectorOf(path);
          if (matchLabels === undefined) {
            say('requirements.affinity', `affinity with '${path}'`);
            return [];
          }
          return [{ labelSelector: { matchLabels }, topologyKey: scope === 'host' ? labels.hostname : labels.zone }];
        }),
      );
  const [together, apart] = [terms('together'), terms('apart')];
  return {
    ...(together.length === 0 ? {} : { podAffinity: { [REQUIRED]: together } }),
    ...(apart.length === 0 ? {} : { podAntiAffinity: { [REQUIRED]: apart } }),
  };
}

/** Labels, and the networks in which Multus puts the pod. */
function annotated(written: WrittenUnit, template: Group, say: Say): Group {
  const { unit, was, templateLabels } = written;
  let pod = template;
  for (const [name, value] of Object.entries(templateLabels)) pod = put(pod, ['metadata', 'labels', name], value);
  const environment = unit.execution?.environment ?? 'pod';
  if (was?.execution?.environment !== environment)
    pod = put(pod, ['metadata', 'annotations', notes.environment], environment === 'pod' ? undefined : environment);
  const plain = (block: Block | undefined) => block?.ports.map(({ allow: _a, carried: _c, ...port }) => port);
  if (was !== undefined && same(plain(was), plain(unit))) return pod;
  const elements = written.attached(say);
  const [outer, more] = [elements.filter(isOuter), elements.filter((one) => !isOuter(one))];
  const shown = (list: readonly Attached[]) =>
    list.length === 0 ? undefined : JSON.stringify(list.map(({ cluster: _, port: _p, ...element }) => element));
  const put1 = (name: string, value: string | undefined) => (pod = put(pod, ['metadata', 'annotations', name], value));
  // eth0 is not asked for by that name: it is the default network's, which Multus looks for in its own namespace.
  const instead = outer.filter(({ cluster }) => cluster !== true);
  const home = written.namespace === undefined ? {} : { namespace: written.namespace };
  put1(
    notes.defaultNetwork,
    shown(instead.map(({ interface: _, name, ...rest }) => ({ name, ...home, ...rest }) as Attached)),
  );
  put1(notes.networks, shown(more));
  put1(notes.ports, JSON.stringify(elements.map(({ port, interface: inside }) => [port, inside])));
  return pod;
}

const isOuter = ({ interface: inside }: Attached) => inside === 'eth0';
