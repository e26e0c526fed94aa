import type { Block, Port, Service } from '@superfluidity/model';
import type { Lose } from '../dialect.ts';
import { groupsIn } from '../sol006/form.ts';
import type { Fields } from '../sol006/style.ts';
import { groupIn } from '../sol006/writing.ts';
import { carriedBy, idOf, innerPoint, pointIn, pointOf, same, usual, without } from './carried.ts';
import { scaleOf } from './meaning.ts';
import { vduOwn, vnfdOwn } from './own.ts';
import { scalingGroups } from './shape.ts';

/** Writes functions as VNFDs. */
export class VnfdWriter {
  readonly #service: Service;
  readonly #inside: ReadonlyMap<string, Block>;
  readonly #lose: Lose;

  /** `inside` has the networks that are virtual links inside of one function. */
  constructor(service: Service, inside: ReadonlyMap<string, Block>, lose: Lose) {
    this.#service = service;
    this.#inside = inside;
    this.#lose = lose;
  }

  write(fn: Block, id: string): Fields {
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
        'internal-connection-point': machines.flatMap((unit) =>
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
    // Every VDU is a machine with an image; \`host:\` names none, and a packet function has none.
    const named = image === undefined || image.endsWith(':') ? idOf(unit) : image.slice(image.indexOf(':') + 1);
    if (image !== undefined && !image.startsWith('name:')) lose('image', `that the image '${named}' is ${image}`);
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
      image: named,
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
      ...(port.mac === undefined ? {} : { 'mac-address': port.mac }),
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
