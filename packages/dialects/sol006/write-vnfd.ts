import type { Block } from '@superfluidity/model';
import { isKdu, kduOf } from './write-kdu.ts';
import { groupsIn } from './form.ts';
import { REQUIREMENTS_KEY } from './mapping.ts';
import { flavourOf, levelOf, sameScale, scaleOf } from './meaning.ts';
import { profileRequirements } from './read-function.ts';
import { nsDfShape } from './shape.ts';
import type { Fields } from './style.ts';
import { others, same, writeVdu, type WrittenUnit } from './write-unit.ts';
import { groupIn, textIn, type Writing } from './writing.ts';

/** Fields of a VNFD that follow from the model, or are put together here. */
export const vnfdOwn = new Set(['id', 'vdu', 'kdu', 'vnf-profile']);
const pools = ['virtual-compute-desc', 'virtual-storage-desc', 'sw-image-desc', 'security-group-rule'] as const;
const composed = new Set<string>([...pools, 'int-virtual-link-desc', 'ext-cpd', 'df', 'modifiable-attributes']);

export interface WrittenVnfd {
  readonly document: Fields;
  /** Units whose nested descriptors belong to it. */
  readonly nested: readonly Block[];
}

export function writeVnfd(w: Writing, fn: Block): WrittenVnfd {
  const { form, service } = w;
  const index = service.block.children.indexOf(fn);
  const all = w.carried(fn);
  const carried = Object.fromEntries(
    Object.entries(all).filter(([name]) => !vnfdOwn.has(name) && !composed.has(name) && name !== form.description.vnfd),
  );
  const isPod = (unit: Block) => form.style === 'osm' && isKdu(unit);
  const at = (unit: Block) => `functions[${index}].units[${fn.children.indexOf(unit)}]`;
  const machines = fn.children.filter((unit) => !isPod(unit));
  const units = machines.map((unit) => writeVdu(w, fn, unit, at(unit)));
  const kdus = fn.children.filter(isPod).map((unit) => kduOf(w, fn, unit, at(unit)));
  const list = (name: (typeof pools)[number], written: readonly Fields[]) => {
    const unique = [...new Map(written.map((one) => [one['id'], one])).values()];
    const items = [...unique, ...others(all, name, unique)];
    return items.length === 0 ? {} : { [name]: items };
  };
  const pick = (name: 'compute' | 'storage' | 'image'): readonly Fields[] =>
    units.flatMap((unit: WrittenUnit): readonly Fields[] => (unit[name] === undefined ? [] : [unit[name]]));
  const nets = kdus.flatMap((kdu) => kdu.nets);
  const id = w.vnfdId(fn);
  const document = {
    id,
    ...form.vnfd(id, service.version),
    ...carried,
    ...(fn.description === undefined ? {} : { [form.description.vnfd]: fn.description }),
    ...(units.length === 0 && kdus.length > 0 ? {} : { vdu: units.map(({ vdu }) => vdu) }),
    ...(kdus.length === 0 ? {} : { kdu: kdus.map(({ kdu }) => kdu) }),
    ...(nets.length === 0 || w.keepsConnection(fn) ? {} : { 'k8s-cluster': { ...groupIn(all, 'k8s-cluster'), nets } }),
    ...list('virtual-compute-desc', pick('compute')),
    ...list('virtual-storage-desc', pick('storage')),
    ...list('sw-image-desc', pick('image')),
    ...list(
      'security-group-rule',
      units.flatMap(({ rules }) => rules),
    ),
    ...connectionPoints(
      w,
      fn,
      machines,
      kdus.flatMap((kdu) => kdu.external),
    ),
    df: flavours(w, fn, all),
    ...modifiable(w, fn, all, index),
  };
  return { document, nested: machines.filter((_, i) => units[i]!.nested) };
}

function connectionPoints(w: Writing, fn: Block, machines: readonly Block[], pods: readonly Fields[]): Fields {
  const { form } = w;
  // One for each port, so that forwarding paths can tell them apart.
  const alone = machines.flatMap((unit) =>
    unit.ports.map((port) => ({ unit, port, id: w.externalOf(fn, unit, port) })),
  );
  const external = ({ unit, port, id }: (typeof alone)[number]) =>
    form.external(id, { 'int-cpd': { 'vdu-id': w.id(unit), cpd: w.id(port) } });
  if (w.keepsConnection(fn)) {
    const carried = groupsIn(w.carried(fn), 'ext-cpd');
    const known = new Set(carried.map(({ id }) => id));
    const used = new Set(
      w.service.chains.flatMap(({ from, through, to }) => [from, ...through, to]).map((hop) => w.place(hop).port),
    );
    const needed = alone.filter(({ port, id }) => used.has(port) && !known.has(id));
    const ext = [...carried, ...needed.map(external)];
    const links = [
      ...groupsIn(w.carried(fn), 'int-virtual-link-desc'),
      ...w.networksInside(fn).map((network) => groupIn(w.carried(network), 'int-virtual-link-desc')),
    ];
    return {
      ...(links.length === 0 ? {} : { 'int-virtual-link-desc': links }),
      ...(ext.length === 0 ? {} : { 'ext-cpd': ext }),
    };
  }
  if (form.style === 'osm') {
    const ext = [...alone.map(external), ...pods];
    const management = w.carried(fn)['mgmt-cp'] ?? ext[0]?.['id'];
    return { 'ext-cpd': ext, ...(management === undefined ? {} : { 'mgmt-cp': management }) };
  }
  const networks = w.networksOf(fn).map((network) => w.id(network));
  return {
    'int-virtual-link-desc': networks.map((network) => form.internalLink(network)),
    'ext-cpd': [
      ...networks.map((network) => form.external(network, { 'int-virtual-link-desc': network })),
      ...alone.map(external),
    ],
  };
}

/** The flavours that the function carries, the one in use with the numbers of the model; else one. */
function flavours(w: Writing, fn: Block, carried: Fields): readonly Fields[] {
  const known = groupsIn(carried, 'df');
  const parsed = flavourOf(w.pools(fn), w.flavourId(fn));
  const place = parsed === undefined ? -1 : w.pools(fn).df!.indexOf(parsed);
  if (parsed === undefined) return [newFlavour(w, fn)];
  const level = levelOf(parsed, textIn(groupIn(carried, 'vnf-profile'), 'instantiation-level'));
  const ids = new Set(fn.children.map((unit) => w.id(unit)));
  const changed = fn.children.filter((unit) => !sameScale(scaleOf(parsed, level?.id, w.id(unit)), unit.scale));
  return known.map((df, i) => {
    const profiles = groupsIn(df, 'vdu-profile').filter(({ id }) => typeof id !== 'string' || ids.has(id));
    const here = df['vdu-profile'] === undefined ? df : { ...df, 'vdu-profile': profiles };
    if (i !== place || changed.length === 0) return here;
    const numbers = new Map(changed.map((unit) => [w.id(unit), unit.scale ?? { initial: 1, min: 1, max: 1 }]));
    const levels = groupsIn(df, 'instantiation-level');
    const id = level?.id ?? w.form.level;
    return {
      ...here,
      'vdu-profile': merged(profiles, 'id', numbers, ({ min, max }) => ({
        'min-number-of-instances': min,
        'max-number-of-instances': max,
      })),
      'instantiation-level': (levels.length === 0 ? [{ id }] : levels).map((one) =>
        one['id'] !== id
          ? one
          : {
              ...one,
              'vdu-level': merged(groupsIn(one, 'vdu-level'), 'vdu-id', numbers, ({ initial }) => ({
                'number-of-instances': initial,
              })),
            },
      ),
    };
  });
}

/** A list with other values for some of its keys, in which those that were missing are added. */
function merged<T>(
  list: readonly Fields[],
  key: string,
  values: ReadonlyMap<string, T>,
  fields: (value: T) => Fields,
): readonly Fields[] {
  const known = new Set(list.map((item) => item[key]));
  return [
    ...list.map((item) => {
      const value = values.get(String(item[key]));
      return value === undefined ? item : { ...item, ...fields(value) };
    }),
    ...[...values].filter(([id]) => !known.has(id)).map(([id, value]) => ({ [key]: id, ...fields(value) })),
  ];
}

function newFlavour(w: Writing, fn: Block): Fields {
  const { flavour, level, style } = w.form;
  const machines = style === 'osm' ? fn.children.filter((unit) => !isKdu(unit)) : fn.children;
  if (machines.length === 0) return { id: flavour };
  return {
    id: flavour,
    'vdu-profile': machines.map((unit) => ({
      id: w.id(unit),
      'min-number-of-instances': unit.scale?.min ?? 1,
      'max-number-of-instances': unit.scale?.max ?? 1,
    })),
    'instantiation-level': [
      {
        id: level,
        'vdu-level': machines.map((unit) => ({
          'vdu-id': w.id(unit),
          'number-of-instances': unit.scale?.initial ?? 1,
        })),
      },
    ],
    ...(style === 'osm' ? {} : { 'default-instantiation-level': level }),
  };
}

/** Requirements of a function that no flavour of the network service states. */
function modifiable(w: Writing, fn: Block, carried: Fields, index: number): Fields {
  const attributes = groupIn(carried, 'modifiable-attributes');
  const metadata = (Array.isArray(attributes['metadata']) ? attributes['metadata'] : []).filter(
    (entry: unknown) => typeof entry !== 'string' || !entry.startsWith(`${REQUIREMENTS_KEY}=`),
  );
  const said = same(fn.requirements, requirementsIn(w, fn));
  if (!said && w.form.style === 'osm')
    w.lose(`functions[${index}].requirements`, `requirements of function '${fn.name}'`);
  const own = said || w.form.style === 'osm' ? [] : [`${REQUIREMENTS_KEY}=${JSON.stringify(fn.requirements)}`];
  const all = [...metadata, ...own];
  const { metadata: _replaced, ...rest } = attributes;
  const written = { ...rest, ...(all.length === 0 ? {} : { metadata: all }) };
  return Object.keys(written).length === 0 ? {} : { 'modifiable-attributes': written };
}

/** What the carried flavour of the network service asks of a function. */
function requirementsIn(w: Writing, fn: Block): unknown {
  const functions = w.service.block.children;
  const [df] = groupsIn(w.carried(w.service.block), 'df');
  if (df === undefined) return {};
  const parsed = nsDfShape.safeParse({
    ...df,
    'vnf-profile': functions.map((one) => ({
      ...groupIn(w.carried(one), 'vnf-profile'),
      id: w.profileId(one),
      'vnfd-id': w.vnfdId(one),
    })),
    'virtual-link-profile': [],
  });
  if (!parsed.success) return {};
  const byProfile = new Map(functions.map((one) => [w.profileId(one), one]));
  return profileRequirements(
    parsed.data,
    w.profileId(fn),
    (id) => byProfile.get(id)?.name ?? id,
    (id) => byProfile.get(id)?.children.map((unit) => `${byProfile.get(id)!.name}/${unit.name}`) ?? [],
  );
}
