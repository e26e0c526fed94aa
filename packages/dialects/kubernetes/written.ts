import {
  findBlock,
  inheritRequirements,
  parseIpv4Prefix,
  type Block,
  type Network,
  type Requirements,
  type Service,
} from '@superfluidity/model';
import type { Lose } from '../dialect.ts';
import { at, given, groupAt, isGroup, listOf, textOf, type Group } from '../groups.ts';
import { Names } from '../names.ts';
import { readKubernetes } from './read.ts';
import { isLabelValue, labels } from './words.ts';

/** An element of the annotations of Multus, with the port that it is. */
export interface Attached {
  readonly port: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly interface: string;
  readonly ips?: readonly string[];
  readonly mac?: string;
  readonly bandwidth?: Group;
  /** On the network that all pods of the cluster have. */
  readonly cluster?: true;
}

/** A unit on its way to an object. */
export interface WrittenUnit {
  readonly path: string;
  readonly at: string;
  readonly fn: Block;
  readonly unit: Block;
  /** The unit as it was read from the object that it carries. */
  readonly was: Block | undefined;
  readonly asked: Requirements;
  readonly wasAsked: Requirements | undefined;
  /** The object that it carries. */
  readonly base: Group | undefined;
  /** Whether it still is what it was read as: then names and labels stay. */
  readonly kept: boolean;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly programName: string;
  readonly selector: Group;
  /** To be set on its pods. */
  readonly templateLabels: Group;
  readonly lose: Lose;
  readonly attached: (say: (path: string, what: string) => void) => readonly Attached[];
  /** Labels of the pods of a unit, or of all units of a function. */
  readonly selectorOf: (path: string) => Group | undefined;
  /** Name of the node that a virtual machine is. */
  readonly hostOf: (path: string) => string | undefined;
  readonly wasHostOf: (node: string) => boolean;
}

export const carriedOf = (thing: { readonly carried?: Group }): Group => groupAt(thing.carried, 'kubernetes');

export const isMachine = ({ execution }: Block): boolean =>
  execution?.environment === 'vm' || execution?.environment === 'unikernel';

/** What the objects say that a service carries: the writer changes what is no longer so. */
export function carriedBefore(service: Service): Service | undefined {
  const units = service.block.children.flatMap(({ children }) => children);
  const objects = [
    carriedOf(service.block)['head'],
    ...[...service.networks, ...units, ...service.balancers].map((thing) => carriedOf(thing)['object']),
    ...units.map((unit) => carriedOf(unit)['scaler']),
    ...(['objects', 'policies'] as const).flatMap((list) => listOf(carriedOf(service.block)[list])),
  ].filter(isGroup);
  if (objects.length === 0) return undefined;
  const bytes = (object: Group) => new TextEncoder().encode(JSON.stringify(object));
  return readKubernetes(objects.map((object, i) => ({ path: `${i}.json`, bytes: bytes(object) }))).service;
}

export function writtenUnits(
  service: Service,
  before: Service | undefined,
  namespace: string | undefined,
  lose: Lose,
): readonly WrittenUnit[] {
  const names = new ObjectNames(service);
  const networks = new Map(service.networks.map((network) => [network.name, network]));
  const heads = service.block.children.flatMap((fn, i) =>
    fn.children.map((unit, j) => {
      const path = `${fn.name}/${unit.name}`;
      const carried = carriedOf(unit);
      const as = textOf(carried['as']);
      const base = isGroup(carried['object']) ? carried['object'] : undefined;
      const was =
        base === undefined || before === undefined || as === undefined ? undefined : findBlock(before.block, as);
      return {
        fn,
        unit,
        path,
        at: `functions[${i}].units[${j}]`,
        was,
        base: was === undefined ? undefined : base,
        kept: was !== undefined && as === path,
      };
    }),
  );
  const named = heads.map((head) => {
    const kept = head.kept ? textOf(at(head.base, 'metadata', 'name')) : undefined;
    const wanted = head.fn.name === head.unit.name ? head.unit.name : `${head.fn.name}-${head.unit.name}`;
    return { ...head, name: kept ?? names.fresh(wanted), ...labelsOf(head, service) };
  });
  const selectors = new Map<string, Group>(named.map(({ path, selector }) => [path, selector]));
  for (const { fn, selector } of named) {
    const { [labels.component]: _, ...shared } = selector;
    const inside = named.filter((one) => one.fn === fn);
    // One unit stands for its function; several do where they share labels that no other has.
    if (inside.length === 1) selectors.set(fn.name, selector);
    else if (inside.every((one) => one.selector[labels.name] === fn.name)) selectors.set(fn.name, shared);
  }
  const machines = new Map(named.filter(({ unit }) => isMachine(unit)).map(({ path, name }) => [path, name]));
  const nodes = new Set([
    ...named.map(({ name }) => name),
    ...named.flatMap(({ base }) => textOf(at(base, 'metadata', 'name')) ?? []),
  ]);
  return named.map(
    (head): WrittenUnit => ({
      ...head,
      namespace,
      asked: inheritRequirements([head.fn, head.unit]),
      wasAsked: head.was?.requirements,
      programName: `${head.name.slice(0, 240)}-program`,
      lose: (path, what) => lose(path === '' ? head.at : `${head.at}.${path}`, what),
      attached: (say) => attachedOf(head.unit, networks, say),
      selectorOf: (path) => selectors.get(path),
      hostOf: (path) => machines.get(path),
      wasHostOf: (node) => nodes.has(node),
    }),
  );
}

type Head = Pick<WrittenUnit, 'fn' | 'unit' | 'base' | 'kept'>;

/** Recommended labels, of which those that tell a unit from others select its pods. What was read keeps its own. */
function labelsOf({ fn, unit, base, kept }: Head, service: Service) {
  const version = isLabelValue(service.version) && service.version !== '' ? { [labels.version]: service.version } : {};
  if (kept) {
    const template = groupAt(base, 'spec', 'template', 'metadata', 'labels');
    const own = Object.keys(template).length === 0 ? groupAt(base, 'metadata', 'labels') : template;
    const written = at(base, 'spec', 'selector');
    const selector = isGroup(at(written, 'matchLabels')) ? groupAt(written, 'matchLabels') : own;
    const moved = labels.version in own && own[labels.version] !== service.version;
    return { selector, templateLabels: moved ? version : {} };
  }
  const selector = { [labels.name]: fn.name, [labels.component]: unit.name, [labels.partOf]: service.block.name };
  return { selector, templateLabels: { ...selector, ...version } };
}

function attachedOf(
  unit: Block,
  networks: ReadonlyMap<string, Network>,
  say: (path: string, what: string) => void,
): readonly Attached[] {
  return unit.ports.flatMap((port, i): Attached[] => {
    const network = networks.get(port.network ?? '');
    const inside = port.internalIf ?? port.name;
    if (network === undefined) {
      say(`ports[${i}]`, `port '${port.name}', which is on no network,`);
      return [];
    }
    if (carriedOf(network)['cluster'] === true) {
      if (inside !== 'eth0' && !isMachine(unit))
        say(`ports[${i}]`, `that port '${port.name}' on the network of the cluster is '${inside}' inside`);
      if (port.address !== undefined) say(`ports[${i}].address`, `address of port '${port.name}'`);
      return [{ port: port.name, interface: 'eth0', cluster: true }];
    }
    const length = parseIpv4Prefix(network.prefix)?.length ?? 32;
    const bits = (port.bandwidthMbps ?? 0) * 1e6;
    const rate = Number.isSafeInteger(bits) && bits > 0 ? bits : undefined;
    if (port.bandwidthMbps !== undefined && rate === undefined)
      say(`ports[${i}].bandwidthMbps`, `bandwidth ${port.bandwidthMbps} of port '${port.name}'`);
    return [
      {
        port: port.name,
        ...referenceTo(network),
        interface: inside,
        ...given({ mac: port.mac }),
        ...(port.address === undefined ? {} : { ips: [`${port.address}/${length}`] }),
        // A second's worth at most, and what the plugin can hold: 32 bits of bytes.
        ...(rate === undefined ? {} : { bandwidth: limits(rate) }),
      },
    ];
  });
}

const limits = (rate: number): Group => {
  const burst = Math.min(rate, 2 ** 32 - 1);
  return { ingressRate: rate, ingressBurst: burst, egressRate: rate, egressBurst: burst };
};

export function referenceTo(network: Network): { readonly name: string; readonly namespace?: string } {
  const carried = carriedOf(network);
  const object = carried['object'];
  const name = textOf(carried['name']) ?? textOf(at(object, 'metadata', 'name')) ?? network.name;
  const namespace = textOf(carried['namespace']) ?? textOf(at(object, 'metadata', 'namespace'));
  return { name, ...(namespace === undefined ? {} : { namespace }) };
}

/** Names of workloads, none twice. */
class ObjectNames {
  readonly #names = new Names();

  constructor(service: Service) {
    for (const unit of service.block.children.flatMap(({ children }) => children)) {
      const name = textOf(at(carriedOf(unit)['object'], 'metadata', 'name'));
      if (name !== undefined) this.#names.label(name);
    }
  }

  fresh(wanted: string): string {
    return this.#names.fresh(wanted);
  }
}
