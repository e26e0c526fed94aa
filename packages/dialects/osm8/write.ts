import { canonicalJson } from '@superfluidity/core';
import {
  splitPortReference,
  type Block,
  type Chain,
  type Network,
  type Port,
  type Service,
} from '@superfluidity/model';
import { isAssumed } from '../assumed.ts';
import type { Lose } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { spells } from '../names.ts';
import { groupsIn } from '../sol006/form.ts';
import { carriedIn, type Fields } from '../sol006/style.ts';
import { yamlFile } from '../sol006/write.ts';
import { groupIn, textIn } from '../sol006/writing.ts';
import { ruleOf, scaleOf } from './meaning.ts';
import { nsdOwn, vduOwn, vnfdOwn } from './own.ts';
import { classifierShape, ipProfiles, scalingGroups } from './shape.ts';

const OSM8 = 'osm8';

/** A service as packages of OSM up to release 8: a folder for the NSD, one for each VNFD. */
export function writeOsm8(service: Service, lose: Lose = () => {}): readonly DescriptorFile[] {
  return new Writer(service, lose).files();
}

const carriedBy = (thing: { readonly carried?: Fields }) => carriedIn(OSM8, thing);
const same = (a: unknown, b: unknown) => canonicalJson(a) === canonicalJson(b);

/** The name as the descriptors had it, unless the thing has been renamed since. */
function idOf(thing: { readonly name: string; readonly carried?: Fields }): string {
  const id = textIn(carriedBy(thing), 'id');
  return id !== undefined && spells(id, thing.name) ? id : thing.name;
}

function without(fields: Fields, own: ReadonlySet<string>): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !own.has(name)));
}

class Writer {
  readonly #service: Service;
  readonly #lose: Lose;
  /** Networks that are virtual links inside of one function. */
  readonly #inside: ReadonlyMap<string, Block>;
  readonly #indices: ReadonlyMap<Block, string>;

  constructor(service: Service, lose: Lose) {
    this.#service = service;
    this.#lose = lose;
    const functions = service.block.children;
    this.#inside = new Map(
      service.networks.flatMap((network): [string, Block][] => {
        const users = functions.filter((fn) =>
          fn.children.some((unit) => unit.ports.some((port) => port.network === network.name)),
        );
        const inner = carriedBy(network)['internal-vld'] !== undefined && users.length === 1;
        return inner && this.#profileHolds(network, carriedBy(users[0]!), groupIn(carriedBy(network), 'internal-vld'))
          ? [[network.name, users[0]!]]
          : [];
      }),
    );
    const taken = new Set<string>();
    this.#indices = new Map(
      functions.map((fn, i) => {
        const carried = textIn(groupIn(carriedBy(fn), 'constituent-vnfd'), 'member-vnf-index');
        const index = carried !== undefined && !taken.has(carried) ? carried : free(taken, i + 1);
        taken.add(index);
        return [fn, index] as const;
      }),
    );
  }

  files(): readonly DescriptorFile[] {
    const { block, chains } = this.#service;
    const vnfds = new Map<string, { readonly name: string; readonly document: Fields }>();
    const ids = new Map<Block, string>();
    for (const fn of block.children) {
      const document = this.#vnfd(fn, idOf(fn));
      const known = vnfds.get(idOf(fn));
      const id = known === undefined || same(known.document, document) ? idOf(fn) : fn.name;
      ids.set(fn, id);
      if (!vnfds.has(id)) vnfds.set(id, { name: fn.name, document: id === idOf(fn) ? document : this.#vnfd(fn, id) });
    }
    const alone = carriedBy(block)['alone'] === true && block.children.length === 1 && chains.length === 0;
    const bare =
      alone && block.description === undefined && this.#service.networks.every(({ name }) => this.#inside.has(name));
    const { name } = block;
    return [
      ...(bare ? [] : [yamlFile(`${name}_ns/${name}_nsd.yaml`, { 'nsd:nsd-catalog': { nsd: [this.#nsd(ids)] } })]),
      ...[...vnfds.values()].map((one) =>
        yamlFile(`${one.name}_vnf/${one.name}_vnfd.yaml`, { 'vnfd:vnfd-catalog': { vnfd: [one.document] } }),
      ),
    ];
  }

  #nsd(ids: ReadonlyMap<Block, string>): Fields {
    const { block, version, networks, chains } = this.#service;
    const carried = carriedBy(block);
    const outside = networks.filter(({ name }) => !this.#inside.has(name));
    const profiles: Fields[] = [];
    const vld = outside.map((network) => {
      const {
        id: _id,
        prefixAssumed: _note,
        'internal-vld': _inner,
        'ip-profile-ref': profile,
        ...rest
      } = carriedBy(network);
      const id = idOf(network);
      const points = this.#points(network, ids);
      return {
        id,
        ...usual(rest, { name: id, 'short-name': id, type: 'ELAN' }),
        ...rest,
        ...this.#profile(network, carried, profile, profiles),
        ...(points.length === 0 ? {} : { 'vnfd-connection-point-ref': points }),
      };
    });
    const used = new Set(profiles.map(({ name }) => name));
    const all = [...groupsIn(carried, 'ip-profiles').filter(({ name }) => !used.has(name)), ...profiles];
    const id = idOf(block);
    const graphs = [...chains.map((chain) => this.#graph(chain, ids)), ...groupsIn(carried, 'vnffgd')];
    block.children.forEach((fn, i) => {
      if (!same(fn.requirements, this.#order(fn)))
        this.#lose(`functions[${i}].requirements`, `requirements of function '${fn.name}'`);
    });
    return {
      id,
      ...usual(carried, { name: id, 'short-name': id }),
      ...without(carried, new Set([...nsdOwn, 'alone', 'ip-profiles'])),
      ...(block.description === undefined ? {} : { description: block.description }),
      version,
      'constituent-vnfd': block.children.map((fn) => ({
        ...groupIn(carriedBy(fn), 'constituent-vnfd'),
        'member-vnf-index': asCarried(
          groupIn(carriedBy(fn), 'constituent-vnfd')['member-vnf-index'],
          this.#indices.get(fn)!,
        ),
        'vnfd-id-ref': ids.get(fn)!,
      })),
      ...(all.length === 0 ? {} : { 'ip-profiles': all }),
      ...(vld.length === 0 ? {} : { vld }),
      ...(graphs.length === 0 ? {} : { vnffgd: graphs }),
    };
  }

  /** What carried dependencies between members ask of a function. */
  #order(fn: Block): unknown {
    const functions = this.#service.block.children;
    const byIndex = new Map(functions.map((one) => [this.#indices.get(one)!, one]));
    const after = groupsIn(carriedBy(this.#service.block), 'vnf-dependency')
      .filter((one) => String(one['vnf-source-ref']) === this.#indices.get(fn))
      .flatMap((one) => {
        const other = byIndex.get(String(one['vnf-depends-on-ref']));
        return (other?.children ?? []).map((unit) => `${other!.name}/${unit.name}`);
      });
    return after.length === 0 ? {} : { after };
  }

  #points(network: Network, ids: ReadonlyMap<Block, string>): readonly Fields[] {
    const points = new Map<string, Fields>();
    for (const fn of this.#service.block.children) {
      for (const unit of fn.children) {
        for (const port of unit.ports.filter((one) => one.network === network.name)) {
          const point = pointOf(unit, port);
          points.set(`${this.#indices.get(fn)!}\n${point}`, {
            'member-vnf-index-ref': this.#indices.get(fn)!,
            'vnfd-id-ref': ids.get(fn)!,
            'vnfd-connection-point-ref': point,
            ...(port.address === undefined ? {} : { 'ip-address': port.address }),
          });
        }
      }
    }
    return [...points.values()];
  }

  /** Whether the profile to which a link refers has the prefix of the network. */
  #profileHolds(network: Network, owner: Fields, link: Fields): boolean {
    const reference = textIn(link, 'ip-profile-ref');
    const parsed = ipProfiles.safeParse(groupsIn(owner, 'ip-profiles'));
    const profile = parsed.success ? parsed.data?.find(({ name }) => name === reference) : undefined;
    const subnet = profile?.['ip-profile-params']?.['subnet-address'];
    return subnet === network.prefix || isAssumed(OSM8, network);
  }

  #profile(network: Network, owner: Fields, reference: unknown, profiles: Fields[]): Fields {
    const kept = reference === undefined ? {} : { 'ip-profile-ref': reference };
    if (this.#profileHolds(network, owner, kept)) return kept;
    const name = `${idOf(network)}-ip`;
    profiles.push({ name, 'ip-profile-params': { 'ip-version': 'ipv4', 'subnet-address': network.prefix } });
    return { 'ip-profile-ref': name };
  }

  #vnfd(fn: Block, id: string): Fields {
    const carried = carriedBy(fn);
    const index = this.#service.block.children.indexOf(fn);
    const isPod = (unit: Block) => unit.execution?.environment === 'pod';
    const machines = fn.children.filter((unit) => !isPod(unit));
    const pods = fn.children.filter(isPod);
    const at = (unit: Block) => `functions[${index}].units[${fn.children.indexOf(unit)}]`;
    const points = new Set<string>();
    const groups: NewGroup[] = [];
    const vdu = machines.map((unit) => this.#vdu(fn, unit, at(unit), points, groups));
    const kdu = pods.map((unit) => this.#kdu(unit, at(unit)));
    const known = groupsIn(carried, 'connection-point');
    const names = new Set(known.map(({ name }) => String(name)));
    const connection = [
      ...known,
      ...[...points].filter((name) => !names.has(name)).map((name) => ({ name, type: 'VPORT' })),
    ];
    const links = this.#service.networks
      .filter((network) => this.#inside.get(network.name) === fn)
      .map((network) => ({
        ...groupIn(carriedBy(network), 'internal-vld'),
        'internal-connection-point': fn.children.flatMap((unit) =>
          unit.ports
            .filter((port) => port.network === network.name)
            .map((port) => ({ 'id-ref': innerPoint(unit, port) })),
        ),
      }));
    const anew = new Set(groups.map(({ of }) => of));
    const scaling = [
      ...keptGroups(groupsIn(carried, 'scaling-group-descriptor'), anew),
      ...groups.flatMap(({ group }) => group ?? []),
    ];
    const own = new Set([...vnfdOwn, 'constituent-vnfd', 'connection-point', 'scaling-group-descriptor']);
    return {
      id,
      ...usual(carried, { name: id, 'short-name': id, version: this.#service.version }),
      ...without(carried, own),
      ...(fn.description === undefined ? {} : { description: fn.description }),
      ...(Object.keys(carried).length > 0 || connection.length === 0
        ? {}
        : { 'mgmt-interface': { cp: connection[0]!['name'] } }),
      ...(connection.length === 0 ? {} : { 'connection-point': connection }),
      ...(links.length === 0 ? {} : { 'internal-vld': links }),
      ...(vdu.length === 0 ? {} : { vdu }),
      ...(kdu.length === 0 ? {} : { kdu }),
      ...(scaling.length === 0 ? {} : { 'scaling-group-descriptor': scaling }),
    };
  }

  #kdu(unit: Block, at: string): Fields {
    const lost = {
      image: unit.execution?.image,
      ports: unit.ports.length > 0 || undefined,
      scale: unit.scale,
      ...unit.requirements,
    };
    for (const [field, value] of Object.entries(lost))
      if (value !== undefined) this.#lose(`${at}.${field}`, `${field} of pod '${unit.name}'`);
    const description = unit.description === undefined ? {} : { description: unit.description };
    return { name: idOf(unit), ...description, ...groupIn(carriedBy(unit), 'kdu') };
  }

  #vdu(fn: Block, unit: Block, at: string, points: Set<string>, groups: NewGroup[]): Fields {
    const { cpu, memoryMiB, storageMiB } = unit.requirements;
    const { image, environment } = unit.execution!;
    const lose = (field: string, what: string) => this.#lose(`${at}.${field}`, `${what} of unit '${unit.name}'`);
    const whole = (value: number | undefined) => (value === undefined ? undefined : Math.max(1, Math.ceil(value)));
    if (environment !== 'vm') lose('environment', `environment ${environment}`);
    if (image !== undefined && !image.startsWith('name:')) lose('image', `that image ${image} is in the package`);
    for (const [field, value] of Object.entries({
      cpu,
      memoryMiB,
      storageMiB: storageMiB === undefined ? undefined : storageMiB / 1024,
    }))
      if (value !== undefined && value !== whole(value)) lose(`requirements.${field}`, `fractions of ${field}`);
    const flavor = {
      ...(cpu === undefined ? {} : { 'vcpu-count': whole(cpu) }),
      ...(memoryMiB === undefined ? {} : { 'memory-mb': whole(memoryMiB) }),
      ...(storageMiB === undefined ? {} : { 'storage-gb': whole(storageMiB / 1024) }),
    };
    const interfaces: Record<string, Fields[]> = {};
    const inner: Fields[] = [];
    unit.ports.forEach((port, i) => {
      const { list, value } = this.#interface(fn, unit, port, i, `${at}.ports[${i}]`, points, inner);
      (interfaces[list] ??= []).push(value);
    });
    const carried = carriedBy(unit);
    const known = groupsIn(carried, 'internal-connection-point');
    const missing = inner.filter(({ id }) => !known.some((one) => one['id'] === id));
    const all = [...known, ...missing];
    const id = idOf(unit);
    return {
      id,
      ...usual(carried, { name: id }),
      ...without(carried, new Set([...vduOwn, 'internal-connection-point'])),
      ...(unit.description === undefined ? {} : { description: unit.description }),
      count: this.#count(fn, unit, lose, groups),
      ...(Object.keys(flavor).length === 0 ? {} : { 'vm-flavor': flavor }),
      ...(image === undefined ? {} : { image: image.slice(image.indexOf(':') + 1) }),
      ...interfaces,
      ...(all.length === 0 ? {} : { 'internal-connection-point': all }),
    };
  }

  /** OSM counts from what is there at first; fewer than that there cannot be. */
  #count(fn: Block, unit: Block, lose: (field: string, what: string) => void, groups: NewGroup[]): number {
    const scale = unit.scale ?? { initial: 1, min: 1, max: 1 };
    const parsed = scalingGroups.safeParse(groupsIn(carriedBy(fn), 'scaling-group-descriptor'));
    const said = scaleOf(idOf(unit), scale.min, parsed.success ? parsed.data : []) ?? { initial: 1, min: 1, max: 1 };
    if (same(said, scale)) return scale.min;
    if (scale.min !== scale.initial) lose('scale', `that there may be ${scale.min} instances`);
    const id = idOf(unit);
    const group = {
      name: `${id}-scale`,
      'min-instance-count': 0,
      'max-instance-count': scale.max - scale.initial,
      vdu: [{ 'vdu-id-ref': id, count: 1 }],
    };
    groups.push({ of: id, ...(scale.max > scale.initial ? { group } : {}) });
    return scale.initial;
  }

  #interface(
    fn: Block,
    unit: Block,
    port: Port,
    index: number,
    at: string,
    points: Set<string>,
    inner: Fields[],
  ): { readonly list: string; readonly value: Fields } {
    const carried = carriedBy(port);
    const old = (['external-interface', 'internal-interface'] as const).find((name) => carried[name] !== undefined);
    const rest = groupIn(carried, old ?? 'interface');
    const isInside = this.#inside.get(port.network ?? '') === fn;
    if (port.internalIf !== undefined && port.internalIf !== (port.name.length > 15 ? `eth${index}` : undefined))
      this.#lose(`${at}.internalIf`, `the name inside of port '${port.name}' of unit '${unit.name}'`);
    const { bandwidth: _replaced, ...virtual } = groupIn(rest, 'virtual-interface');
    const bits = port.bandwidthMbps === undefined ? undefined : Math.round(port.bandwidthMbps * 1e6);
    const bandwidth =
      bits === undefined
        ? _replaced === undefined || Number(_replaced) !== 0
          ? {}
          : { bandwidth: _replaced }
        : { bandwidth: String(bits) };
    const references = new Set([
      'external-connection-point-ref',
      'internal-connection-point-ref',
      'vnfd-connection-point-ref',
      'vdu-internal-connection-point-ref',
      'virtual-interface',
      'type',
    ]);
    const kept = without(rest, references);
    const reference = isInside ? innerPoint(unit, port) : pointOf(unit, port);
    if (isInside) inner.push({ id: reference, name: reference, type: 'VPORT' });
    const unconnected = !isInside && port.network === undefined && old !== undefined && pointIn(rest) === undefined;
    if (!isInside && !unconnected) points.add(reference);
    const form = {
      name: idOf(port),
      ...(old === undefined ? { position: index + 1, type: isInside ? 'INTERNAL' : 'EXTERNAL' } : {}),
      ...kept,
      'virtual-interface': { type: 'PARAVIRT', ...virtual, ...bandwidth },
    };
    if (old === undefined)
      return {
        list: 'interface',
        value: { ...form, [isInside ? 'internal-connection-point-ref' : 'external-connection-point-ref']: reference },
      };
    if (isInside)
      return { list: 'internal-interface', value: { ...form, 'vdu-internal-connection-point-ref': reference } };
    return {
      list: unconnected ? old : 'external-interface',
      value: unconnected ? { ...form, ...rest } : { ...form, 'vnfd-connection-point-ref': reference },
    };
  }

  #graph(chain: Chain, ids: ReadonlyMap<Block, string>): Fields {
    const [from, ...rest] = [chain.from, ...chain.through, chain.to].map((reference) => this.#hop(reference, ids));
    const carried = carriedBy(chain);
    const name = chain.name;
    const matches = (chain.ports.length === 0 ? [undefined] : chain.ports).map((port, i) => ({
      id: `match-${i + 1}`,
      ...(chain.protocol === 'any' ? {} : { 'ip-proto': chain.protocol === 'tcp' ? 6 : 17 }),
      'destination-ip-address': chain.address,
      ...(port === undefined ? {} : { 'destination-port': port }),
    }));
    const rsp = groupIn(carried, 'rsp');
    const known = classifierShape.safeParse(carried['classifier']);
    const { address, protocol, ports } = chain;
    const keepsMatches = known.success && same(ruleOf(known.data) ?? {}, { address, protocol, ports });
    const refs = rest.map(({ point, ...member }, order) => ({
      ...member,
      order,
      'vnfd-ingress-connection-point-ref': point,
      'vnfd-egress-connection-point-ref': point,
    }));
    const hop = (ref: Fields) =>
      `${String(ref['member-vnf-index-ref'])} ${String(ref['vnfd-ingress-connection-point-ref'] ?? ref['vnfd-connection-point-ref'])}`;
    const keepsPath = same(groupsIn(rsp, 'vnfd-connection-point-ref').map(hop), refs.map(hop));
    const classifier = groupIn(carried, 'classifier');
    const rspId = textIn(rsp, 'id') ?? `${name}-path`;
    return {
      id: textIn(groupIn(carried, 'vnffgd'), 'id') ?? name,
      name,
      'short-name': name,
      ...groupIn(carried, 'vnffgd'),
      rsp: [
        {
          id: rspId,
          name: rspId,
          ...rsp,
          ...(keepsPath ? {} : { 'vnfd-connection-point-ref': refs }),
        },
      ],
      classifier: [
        {
          id: name,
          name,
          ...classifier,
          'rsp-id-ref': rspId,
          'member-vnf-index-ref': asCarried(classifier['member-vnf-index-ref'], from!['member-vnf-index-ref']),
          'vnfd-id-ref': from!['vnfd-id-ref'],
          'vnfd-connection-point-ref': from!.point,
          ...(keepsMatches ? {} : { 'match-attributes': matches }),
        },
      ],
    };
  }

  #hop(reference: string, ids: ReadonlyMap<Block, string>) {
    const { path, port } = splitPortReference(reference);
    const [name, inner] = path.split('/');
    const fn = this.#service.block.children.find((block) => block.name === name)!;
    const unit = fn.children.find((block) => block.name === inner)!;
    const at = unit.ports.find((one) => one.name === port) ?? unit.ports[0]!;
    return { 'member-vnf-index-ref': this.#indices.get(fn)!, 'vnfd-id-ref': ids.get(fn)!, point: pointOf(unit, at) };
  }
}

/** A unit of which carried groups no longer say how it scales, with the group that does where it scales at all. */
interface NewGroup {
  readonly of: string;
  readonly group?: Fields;
}

/** Carried groups without units that have another now. */
function keptGroups(groups: readonly Fields[], anew: ReadonlySet<string>): readonly Fields[] {
  return groups.flatMap((group) => {
    const vdu = groupsIn(group, 'vdu').filter((one) => !anew.has(String(one['vdu-id-ref'])));
    return vdu.length === 0 ? [] : [{ ...group, vdu }];
  });
}

function free(taken: ReadonlySet<string>, from: number): string {
  let index = from;
  while (taken.has(String(index))) index += 1;
  return String(index);
}

/** Fields that descriptors have which are written anew. */
const usual = (carried: Fields, fields: Fields) => (Object.keys(carried).length === 0 ? fields : {});

/** As it was written, where that is a number: text in the model of OSM. */
const asCarried = (raw: unknown, index: string) => (String(raw) === index ? raw : index);

const pointIn = (rest: Fields) =>
  textIn(rest, 'external-connection-point-ref') ?? textIn(rest, 'vnfd-connection-point-ref');

function interfaceIn(port: Port): Fields {
  const carried = carriedBy(port);
  const list = ['interface', 'external-interface', 'internal-interface'].find((name) => carried[name] !== undefined);
  return list === undefined ? {} : groupIn(carried, list);
}

/** The external connection point of a port. */
function pointOf(unit: Block, port: Port): string {
  return pointIn(interfaceIn(port)) ?? `${idOf(unit)}-${idOf(port)}`;
}

function innerPoint(unit: Block, port: Port): string {
  const rest = interfaceIn(port);
  return (
    textIn(rest, 'internal-connection-point-ref') ??
    textIn(rest, 'vdu-internal-connection-point-ref') ??
    `${idOf(unit)}-${idOf(port)}`
  );
}
