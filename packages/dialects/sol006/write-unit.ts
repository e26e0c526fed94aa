import { canonicalJson } from '@superfluidity/core';
import type { Block, Port } from '@superfluidity/model';
import { bandwidth, fixedAddress, groupsIn, securityRule } from './form.ts';
import { AUGMENTATION, NESTED_TYPE } from './mapping.ts';
import { flavourOf, plainOf } from './meaning.ts';
import { attachments, fixedAddressOf } from './connectivity.ts';
import { orderOf, unitAffinity, withOrder } from './read-function.ts';
import { interfaceOf, ruleFor } from './read-unit.ts';
import { intCpdShape, poolsShape, vduShape } from './shape.ts';
import { groupIn, textIn, type Writing } from './writing.ts';
import type { Fields } from './style.ts';

/** A VDU with what it adds to the lists of its VNFD. */
export interface WrittenUnit {
  readonly vdu: Fields;
  readonly compute?: Fields;
  readonly storage?: Fields;
  readonly image?: Fields;
  readonly rules: readonly Fields[];
  /** Whether all of how it is run stands in a nested descriptor. */
  readonly nested: boolean;
}

/** Fields of a VDU that follow from the model. */
export const vduOwn = new Set([
  'id',
  'description',
  'int-cpd',
  'vduNestedDesc',
  'vduNestedDescType',
  'vduParent',
  'vduParentMandatory',
]);
export const cpdOwn = new Set(['id', 'internalIfRef', 'bitrate-requirement']);
const references = ['virtual-compute-desc', 'virtual-storage-desc', 'sw-image-desc'] as const;

export function writeVdu(w: Writing, fn: Block, unit: Block, at: string): WrittenUnit {
  const id = w.id(unit);
  const rules: Fields[] = [];
  const carried = Object.fromEntries(Object.entries(w.carried(unit)).filter(([name]) => !vduOwn.has(name)));
  const resources =
    w.form.style === 'osm' ? osmResources(w, fn, unit, carried, at) : sol006Resources(w, fn, unit, carried);
  for (const name of references) delete carried[name];
  const { nested, parent, parentMandatory } = { nested: resources.nested, ...unit.execution?.nested };
  const vdu = {
    id,
    name: id,
    ...carried,
    ...(unit.description === undefined ? {} : { description: unit.description }),
    'int-cpd': unit.ports.map((port, i) => writeCpd(w, fn, unit, port, i, `${at}.ports[${i}]`, rules)),
    ...resources.references,
    ...(nested
      ? { [`${AUGMENTATION}:vduNestedDesc`]: nestedPath(fn, unit), [`${AUGMENTATION}:vduNestedDescType`]: NESTED_TYPE }
      : {}),
    ...(parent === undefined
      ? {}
      : { [`${AUGMENTATION}:vduParent`]: parent === 'none' ? 'None' : parentId(w, fn, parent) }),
    ...(parentMandatory === undefined ? {} : { [`${AUGMENTATION}:vduParentMandatory`]: parentMandatory }),
  };
  return { vdu, ...resources.added, rules, nested };
}

export function nestedPath(fn: Block, unit: Block): string {
  return `nested/${fn.name}-${unit.name}.yaml`;
}

function parentId(w: Writing, fn: Block, path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const unit = fn.children.find((one) => one.name === name);
  return unit === undefined ? name : w.id(unit);
}

interface Resources {
  readonly nested: boolean;
  readonly references: Fields;
  readonly added: { readonly compute?: Fields; readonly storage?: Fields; readonly image?: Fields };
}

const chosen = (carried: Fields) =>
  Object.fromEntries(references.flatMap((name) => (carried[name] === undefined ? [] : [[name, carried[name]]])));

/**
 * As the unit carries them where that says all, or with figures that say it where the service came in this form; else in figures
 * that the modules allow, and exactly in a nested descriptor.
 */
function sol006Resources(w: Writing, fn: Block, unit: Block, carried: Fields): Resources {
  if (saysAll(w, fn, unit, carried)) return { nested: false, references: chosen(carried), added: {} };
  const own = Object.keys(w.carried(w.service.block)).length > 0 ? ownResources(w, fn, unit, carried) : undefined;
  if (own !== undefined) return own;
  const { cpu = 1, memoryMiB = 1024 } = { ...fn.requirements, ...unit.requirements };
  const id = w.id(unit);
  return {
    nested: true,
    references: { 'virtual-compute-desc': id },
    added: { compute: w.form.compute(id, cpu, memoryMiB) },
  };
}

/** Whether a VDU with the references that the unit carries is that unit. */
function saysAll(w: Writing, fn: Block, unit: Block, carried: Fields, pools = w.pools(fn)): boolean {
  const parsed = vduShape.safeParse({ id: w.id(unit), ...chosen(carried) });
  if (!parsed.success || Object.keys(chosen(carried)).length === 0) return false;
  const { requirements: own, ...plain } = plainOf(parsed.data, pools, w.form.style);
  const { affinity, after } = grouping(w, fn, unit);
  const requirements = withOrder(own, after, affinity) ?? {};
  const { nested: _nested, ...execution } = unit.execution!;
  const elsewhere = unit.execution?.nested;
  const described = elsewhere?.descriptor !== undefined || elsewhere?.descriptorType !== undefined;
  return !described && same(plain, execution) && same(requirements, unit.requirements);
}

/** Descriptors of image, compute and storage that say of a machine what the model does; undefined where none do. */
function ownResources(w: Writing, fn: Block, unit: Block, carried: Fields): Resources | undefined {
  const { image } = unit.execution ?? {};
  const { cpu, memoryMiB, storageMiB } = unit.requirements;
  if (image?.startsWith('name:') !== true) return undefined;
  const named = image.slice('name:'.length);
  const before = chosen(carried);
  const pools = w.pools(fn);
  const said = (name: string | undefined) => pools['sw-image-desc']?.find(({ id }) => id === name);
  const ownImage = textIn(before, 'sw-image-desc');
  const keepsImage = (said(ownImage)?.image ?? said(ownImage)?.name) === named;
  const isAsked = cpu !== undefined || memoryMiB !== undefined;
  const compute = isAsked ? computeOf(w, fn, unit, before) : undefined;
  const id = `${w.id(unit)}-storage`;
  const storage = storageMiB === undefined ? undefined : w.form.storage(id, Math.ceil(storageMiB / 1024));
  const added = {
    ...(keepsImage ? {} : { image: { id: named, name: named, image: named } }),
    ...(compute === undefined ? {} : { compute }),
    ...(storage === undefined ? {} : { storage }),
  };
  const references = {
    'sw-image-desc': keepsImage ? ownImage : named,
    ...(compute === undefined ? {} : { 'virtual-compute-desc': compute['id'] }),
    ...(storage === undefined ? {} : { 'virtual-storage-desc': [id] }),
  };
  const among = (list: readonly { readonly id: string }[] = [], one: Fields | undefined) =>
    one === undefined ? list : [...list.filter((other) => other.id !== one['id']), one];
  const parsed = poolsShape.safeParse({
    ...pools,
    'sw-image-desc': among(pools['sw-image-desc'], added.image),
    'virtual-compute-desc': among(pools['virtual-compute-desc'], compute),
    'virtual-storage-desc': among(pools['virtual-storage-desc'], storage),
  });
  const isSaid = parsed.success && saysAll(w, fn, unit, { ...carried, ...references }, parsed.data);
  return isSaid ? { nested: false, references, added } : undefined;
}

/** Its own compute descriptor with other figures; of one that others use, another beside it. */
function computeOf(w: Writing, fn: Block, unit: Block, before: Fields): Fields {
  const { cpu, memoryMiB } = unit.requirements;
  const id = textIn(before, 'virtual-compute-desc');
  const users = fn.children.filter((one) => textIn(w.carried(one), 'virtual-compute-desc') === id);
  const isOwn = id !== undefined && users.length === 1;
  const written = w.form.compute(isOwn ? id : `${w.id(unit)}-compute`, cpu ?? 1, memoryMiB ?? 1024);
  const old = isOwn ? groupsIn(w.carried(fn), 'virtual-compute-desc').find((one) => one['id'] === id) : undefined;
  const both = (name: string, isSaid: boolean) =>
    isSaid ? { [name]: { ...groupIn(old ?? {}, name), ...groupIn(written, name) } } : {};
  const others = Object.entries(old ?? {}).filter(([name]) => name !== 'virtual-cpu' && name !== 'virtual-memory');
  return {
    id: written['id'],
    ...both('virtual-memory', memoryMiB !== undefined),
    ...both('virtual-cpu', cpu !== undefined),
    ...Object.fromEntries(others),
  };
}

/** What the flavour that the function carries says of a unit among others. */
export function grouping(w: Writing, fn: Block, unit: Block) {
  const df = flavourOf(w.pools(fn), w.flavourId(fn));
  const pathOf = (id: string) => `${fn.name}/${fn.children.find((one) => w.id(one) === id)?.name ?? id}`;
  return {
    after: orderOf(df, w.id(unit), pathOf),
    affinity: unitAffinity(df, w.id(unit), pathOf, fn.requirements as Parameters<typeof unitAffinity>[3]),
  };
}

export const same = (a: unknown, b: unknown) => canonicalJson(a) === canonicalJson(b);

/** OSM has no words but its own: what they cannot say exactly is lost. */
function osmResources(w: Writing, fn: Block, unit: Block, carried: Fields, at: string): Resources {
  const { cpu, memoryMiB, storageMiB, affinity = [], after = [] } = unit.requirements;
  const said = grouping(w, fn, unit);
  if (!same(affinity, said.affinity)) w.lose(`${at}.requirements.affinity`, `affinity of unit '${unit.name}'`);
  if (!same(after, said.after)) w.lose(`${at}.requirements.after`, `the order in which unit '${unit.name}' starts`);
  const image = unit.execution?.image;
  const parsed = vduShape.safeParse({ id: w.id(unit), ...chosen(carried) });
  const plain = parsed.success ? plainOf(parsed.data, w.pools(fn), 'osm') : undefined;
  const lose = (field: string, what: string) => w.lose(`${at}.${field}`, `${what} of unit '${unit.name}'`);
  if (unit.execution!.environment !== 'vm') lose('environment', `environment ${unit.execution!.environment}`);
  // Every VDU is a machine with an image; `host:` names none, and a packet function has none.
  const named = image?.slice(image.indexOf(':') + 1);
  const name = named === undefined || named === '' ? w.id(unit) : named;
  const { 'sw-image-desc': ownImage, ...own } = chosen(carried);
  const keepsImage = ownImage !== undefined && plain?.image === image;
  if (image !== undefined && !keepsImage && !image.startsWith('name:'))
    lose('image', `that the image '${name}' is ${image}`);
  const images: Resources = keepsImage
    ? { nested: false, references: { 'sw-image-desc': ownImage }, added: {} }
    : { nested: false, references: { 'sw-image-desc': name }, added: { image: { id: name, name, image: name } } };
  const asked = Object.fromEntries(
    Object.entries({ cpu, memoryMiB, storageMiB }).filter(([, value]) => value !== undefined),
  );
  if (Object.keys(own).length > 0 && same(plain?.requirements ?? {}, asked))
    return { ...images, references: { ...images.references, ...own } };
  if (cpu !== undefined && (!Number.isInteger(cpu) || cpu < 1)) lose('requirements.cpu', `${cpu} cores`);
  if (memoryMiB !== undefined && (memoryMiB <= 0 || (memoryMiB * 10) % 1024 !== 0))
    lose('requirements.memoryMiB', `${memoryMiB} MiB of memory`);
  if (storageMiB !== undefined && (storageMiB <= 0 || storageMiB % 1024 !== 0))
    lose('requirements.storageMiB', `${storageMiB} MiB of storage`);
  const id = w.id(unit);
  const compute = w.form.compute(`${id}-compute`, cpu ?? Number.NaN, memoryMiB ?? Number.NaN);
  const storage =
    storageMiB === undefined ? undefined : w.form.storage(`${id}-storage`, Math.max(1, Math.ceil(storageMiB / 1024)));
  return {
    nested: false,
    references: {
      ...images.references,
      'virtual-compute-desc': textIn(compute, 'id'),
      ...(storage === undefined ? {} : { 'virtual-storage-desc': [textIn(storage, 'id')] }),
    },
    added: { ...images.added, compute, ...(storage === undefined ? {} : { storage }) },
  };
}

function writeCpd(w: Writing, fn: Block, unit: Block, port: Port, index: number, at: string, rules: Fields[]): Fields {
  const id = w.id(port);
  const all = w.carried(port);
  const keeps = w.keepsConnection(fn);
  const { protocol, 'int-virtual-link-desc': internal, 'security-group-rule-id': rule, ...rest } = all;
  const carried = Object.fromEntries(Object.entries(rest).filter(([name]) => !cpdOwn.has(name)));
  const network = w.service.networks.find(({ name }) => name === port.network);
  const anew = w.form.style === 'osm' || network === undefined ? {} : { 'int-virtual-link-desc': w.id(network) };
  const link = keeps ? (internal === undefined ? {} : { 'int-virtual-link-desc': internal }) : anew;
  return {
    id,
    ...link,
    ...w.form.cpd(plainPort(w, port, carried, index), id, index),
    ...carried,
    ...bandwidth(port),
    ...ruleOf(w, fn, unit, port, rule, at, rules),
    ...addressOf(w, port, protocol),
  };
}

/** A port whose interface inside follows from what it carries, or from its place, has no name for it to be written. */
function plainPort(w: Writing, port: Port, carried: Fields, index: number): Port {
  const parsed = intCpdShape.safeParse({ id: port.name, ...carried });
  if (!parsed.success || interfaceOf(parsed.data, w.form.style, port.name, index) !== port.internalIf) return port;
  const { internalIf: _follows, ...plain } = port;
  return plain;
}

function addressOf(w: Writing, port: Port, protocol: unknown): Fields {
  const parsed = intCpdShape.safeParse({ id: port.name, ...(protocol === undefined ? {} : { protocol }) });
  const said = parsed.success ? fixedAddressOf(parsed.data) : undefined;
  const kept =
    protocol !== undefined &&
    (port.network === undefined || said === port.address || (said === undefined && w.form.style === 'osm'));
  if (kept) return { protocol };
  return port.address === undefined || w.form.style === 'osm' ? {} : { protocol: [fixedAddress(port.address)] };
}

function ruleOf(w: Writing, fn: Block, unit: Block, port: Port, carried: unknown, at: string, rules: Fields[]): Fields {
  const own = typeof carried === 'string' ? { 'security-group-rule-id': carried } : {};
  const point = w.keepsConnection(fn)
    ? attachments(w.pools(fn)['ext-cpd']).point(w.id(unit), w.id(port), undefined)
    : { external: [] };
  const said = ruleFor(own, point, w.pools(fn));
  if (same(said ?? null, port.allow ?? null)) return own;
  if (port.allow === undefined) return {};
  const rule = securityRule(`${w.id(unit)}-${w.id(port)}`, port);
  if (rule === undefined) {
    w.lose(`${at}.allow`, `what may come in at port '${port.name}' of unit '${unit.name}', in one rule`);
    return {};
  }
  rules.push(rule);
  return { 'security-group-rule-id': rule['id'] };
}

/** Items of a carried list that nothing written replaces. */
export function others(carried: Fields, name: string, written: readonly Fields[]): readonly Fields[] {
  const ids = new Set(written.map(({ id }) => id));
  return groupsIn(carried, name).filter(({ id }) => !ids.has(id));
}
