import { modelLimits, type Block } from '@superfluidity/model';
import { at, given, isGroup, listOf, put, same, type Group } from '../groups.ts';
import { formatCores, formatMiB } from './quantity.ts';
import { graceOf, imageOf, placed, probeOf } from './write-pod.ts';
import type { WrittenUnit } from './written.ts';
import { notes } from './words.ts';

const ROOT = 'root';
const STORAGE = 'storage';
/** A machine has to be given memory: this much where nobody says how much. */
const MEMORY = '1Gi';

type Say = (path: string, what: string) => void;

/** A virtual machine of KubeVirt: the one that was read, with what has changed since. */
export function machineTemplate(written: WrittenUnit, template: Group): Group {
  const { unit, was, asked, wasAsked } = written;
  const say: Say = (path, what) => written.lose(path, `${what} of unit '${written.path}'`);
  const { execution } = unit;
  for (const field of ['command', 'env', 'program', 'forwards'] as const)
    if (execution?.[field] !== undefined && !same(was?.execution?.[field], execution[field])) say(field, field);
  unit.children.forEach(({ name, kind }, i) => {
    if (kind === 'unit') say(`units[${i}]`, `unit '${name}' inside`);
  });
  let machine = template;
  for (const [name, value] of Object.entries(written.templateLabels))
    machine = put(machine, ['metadata', 'labels', name], value);
  if (was?.execution?.environment !== execution?.environment) {
    const note = execution?.environment === 'unikernel' ? 'unikernel' : undefined;
    machine = put(machine, ['metadata', 'annotations', notes.environment], note);
  }
  if (was === undefined || !same(was.execution?.image, execution?.image)) {
    machine = withVolume(machine, ROOT, { containerDisk: { image: imageOf(execution, say) } }, (one) =>
      ['containerDisk', 'dataVolume'].some((source) => source in one),
    );
  }
  if (!same(was?.execution?.health, execution?.health))
    machine = put(machine, ['spec', 'readinessProbe'], probeOf(execution?.health, say));
  if (!same(was?.execution?.drain, execution?.drain))
    machine = put(machine, ['spec', 'terminationGracePeriodSeconds'], graceOf(execution, say));
  if (!same(was?.execution?.nested?.parent, execution?.nested?.parent)) machine = placed(machine, written, say);
  if (asked.affinity !== undefined && !same(wasAsked?.affinity, asked.affinity))
    say('requirements.affinity', 'affinity');
  if ((asked.accelerators ?? []).length > 0) say('requirements.accelerators', 'accelerators');
  machine = withAmounts(machine, written, say);
  return plain(was) !== undefined && same(plain(was), plain(unit)) ? machine : withPorts(machine, written, say);
}

const plain = (block: Block | undefined) => block?.ports.map(({ allow: _a, carried: _c, ...port }) => port);

function withAmounts(template: Group, { asked, wasAsked, was }: WrittenUnit, say: Say): Group {
  let machine = template;
  const domain = (path: readonly string[], value: unknown) =>
    (machine = put(machine, ['spec', 'domain', ...path], value));
  if (!same(wasAsked?.cpu, asked.cpu)) {
    const { cpu } = asked;
    const whole = cpu !== undefined && Number.isInteger(cpu) && cpu > 0 && cpu <= 1_000_000;
    const part = cpu === undefined || whole ? undefined : (formatCores(cpu) ?? formatCores(Math.ceil(cpu)));
    if (cpu !== undefined && !whole && formatCores(cpu) === undefined)
      say('requirements.cpu', `cpu ${cpu} to the last digit`);
    domain(['cpu', 'cores'], whole ? cpu : undefined);
    domain(['resources', 'requests', 'cpu'], part);
  }
  if (was === undefined || !same(wasAsked?.memoryMiB, asked.memoryMiB)) {
    const { memoryMiB } = asked;
    const text = memoryMiB === undefined ? MEMORY : formatMiB(memoryMiB);
    if (text === undefined) say('requirements.memoryMiB', `memoryMiB ${memoryMiB!} to the last digit`);
    domain(['memory', 'guest'], text ?? formatMiB(Math.ceil(memoryMiB!)));
    machine = put(machine, ['metadata', 'annotations', notes.assumed], memoryMiB === undefined ? 'memory' : undefined);
  }
  if (same(wasAsked?.storageMiB, asked.storageMiB)) return machine;
  const { storageMiB } = asked;
  const capacity = storageMiB === undefined ? undefined : formatMiB(storageMiB);
  if (storageMiB !== undefined && capacity === undefined)
    say('requirements.storageMiB', `storageMiB ${storageMiB} to the last digit`);
  const size = capacity ?? (storageMiB === undefined ? undefined : formatMiB(Math.ceil(storageMiB)));
  const source = size === undefined ? undefined : { emptyDisk: { capacity: size } };
  return withVolume(machine, STORAGE, source, (one) => 'emptyDisk' in one || 'persistentVolumeClaim' in one);
}

/** A volume with its disk, in the place of those that were there for the same. */
function withVolume(machine: Group, name: string, source: Group | undefined, is: (volume: Group) => boolean): Group {
  const volumes = listOf(at(machine, 'spec', 'volumes')).filter(isGroup);
  const gone = new Set(volumes.filter(is).map((one) => one['name']));
  const others = volumes.filter((one) => !gone.has(one['name']));
  const path = ['spec', 'domain', 'devices', 'disks'];
  const disks = listOf(at(machine, ...path)).filter((one) => !gone.has(at(one, 'name')));
  const filled = (list: readonly unknown[]) => (list.length === 0 ? undefined : list);
  const [own, disk] = source === undefined ? [[], []] : [[{ name, ...source }], [{ name, disk: { bus: 'virtio' } }]];
  return put(put(machine, ['spec', 'volumes'], filled([...own, ...others])), path, filled([...disk, ...disks]));
}

/** Inside, the machine names its interfaces itself. */
function withPorts(machine: Group, written: WrittenUnit, say: Say): Group {
  const elements = written.attached(say);
  written.unit.ports.forEach(({ name, address, bandwidthMbps, internalIf }, i) => {
    if (address !== undefined) say(`ports[${i}].address`, `address of port '${name}'`);
    if (bandwidthMbps !== undefined) say(`ports[${i}].bandwidthMbps`, `bandwidth of port '${name}'`);
    if (internalIf !== undefined && name.length <= modelLimits.interfaceName)
      say(`ports[${i}].internalIf`, `internalIf of port '${name}'`);
  });
  const networks = elements.map(({ cluster, port: name, namespace, name: network = '' }) =>
    cluster === true
      ? { name, pod: {} }
      : { name, multus: { networkName: namespace === undefined ? network : `${namespace}/${network}` } },
  );
  const interfaces = elements.map(({ cluster, port: name, mac }) => ({
    name,
    ...given({ macAddress: mac }),
    ...(cluster === true ? { masquerade: {} } : { bridge: {} }),
  }));
  const filled = (list: readonly unknown[]) => (list.length === 0 ? undefined : list);
  const devices = put(machine, ['spec', 'domain', 'devices', 'interfaces'], filled(interfaces));
  // Without any, KubeVirt gives a machine the network of the cluster.
  const alone = elements.length === 0 ? false : undefined;
  const attached = put(devices, ['spec', 'domain', 'devices', 'autoattachPodInterface'], alone);
  return put(attached, ['spec', 'networks'], filled(networks));
}
