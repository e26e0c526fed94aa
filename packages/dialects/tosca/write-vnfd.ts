import type { AffinityRule, Block, Service } from '@superfluidity/model';
import type { Lose } from '../dialect.ts';
import { unitFragmentDocument } from '../native/write.ts';
import { at, carriedOf, groupAt, isGroup, listOf, over, textOf, type Group } from './groups.ts';
import { affinityPolicies, securityPolicies } from './policies.ts';
import { mebibytes, size } from './scalars.ts';
import { scalingPolicies, stillSay } from './scaling.ts';
import { own } from './types.ts';
import {
  imageArtifact,
  imageFile,
  localStorage,
  protocolOf,
  types,
  usualMemory,
  usualPort,
  usualUnit,
} from './usual.ts';
import { FLAVOUR, usualVnf } from './usual-whole.ts';
import { link } from './written-link.ts';
import { called, type WrittenFunction, type WrittenPort, type WrittenUnit } from './written-nodes.ts';

export interface WrittenVnfd {
  readonly path: string;
  readonly document: Group;
  readonly ownTypes: boolean;
  readonly nested: readonly { readonly path: string; readonly document: object }[];
}

export const vnfType = (fn: Block): string => `superfluidity.vnf.${fn.name}`;

export function flavourOf(fn: Block, version: string): string {
  const said = [groupAt(carriedOf(fn), 'node'), groupAt(carriedOf(fn), 'self'), usualVnf(fn.name, version)];
  return said.flatMap((node) => textOf(at(node, 'properties', 'flavour_id')) ?? [])[0] ?? FLAVOUR;
}

/** A deployment flavour of a VNF: its node type, and the template that substitutes nodes of that type. */
export function vnfd(written: WrittenFunction, service: Service, lose: Lose): WrittenVnfd {
  const { fn, names, units, links, outside } = written;
  const carried = carriedOf(fn);
  const nodeOf = new Map(units.map(({ unit, node }) => [`${fn.name}/${unit.name}`, node]));
  const forms = units.map((unit) => ({ ...unit, plain: isPlain(unit.unit, nodeOf) }));
  const ports = units.flatMap((unit) => unit.ports.map((port) => ({ unit, port })));
  const ownTypes = forms.some(({ plain }) => !plain) || ports.some(({ port }) => port.port.internalIf !== undefined);
  const self = names.claim('vnf', 'vnf');
  const nested = forms
    .filter(({ plain }) => !plain)
    .map(({ unit }) => ({ path: nestedPath(fn, unit), document: unitFragmentDocument(unit, service) }));
  forms.forEach(({ unit }, i) => {
    unit.ports.forEach((port, j) => {
      for (const what of lostOf(port.allow))
        lose(`units[${i}].ports[${j}].allow`, `${what} of port '${port.name}' of unit '${fn.name}/${unit.name}'`);
    });
  });
  const flavour = flavourOf(fn, service.version);
  const base = textOf(carried['type']) ?? 'tosca.nodes.nfv.VNF';
  const usual = over(usualVnf(fn.name, service.version), { properties: groupAt(carried, 'node', 'properties') });
  const nodes: Group = {
    [self]: called(
      over(over(usual, groupAt(carried, 'self')), {
        type: vnfType(fn),
        properties: { flavour_id: flavour },
      }),
      self,
      self,
    ),
    ...Object.fromEntries(forms.map((form) => [form.node, called(vdu(form, fn, nodeOf), form.node, form.wanted)])),
    ...Object.fromEntries(
      ports.map(({ unit, port }) => [port.node, called(connectionPoint(port, unit), port.node, port.wanted)]),
    ),
    ...Object.fromEntries(
      links.map(({ network, node, wanted }) => [
        node,
        called(link(network, 'tosca.nodes.nfv.VnfVirtualLink'), node, wanted),
      ]),
    ),
    ...groupAt(carried, 'node_templates'),
  };
  const policies = [
    ...scaling(written, (message) => lose('', message)),
    ...forms.flatMap(({ unit, node, plain }) =>
      plain ? affinityPolicies(unit.requirements.affinity ?? [], node, false, (path) => nodeOf.get(path)!) : [],
    ),
    ...ports.flatMap(({ port }) => securityPolicies(port.port.allow ?? [], port.node)),
    ...(listOf(carried['policies']) as readonly Group[]),
  ];
  const extra = (name: string) => (Object.keys(groupAt(carried, name)).length === 0 ? {} : { [name]: carried[name] });
  const document = {
    tosca_definitions_version: 'tosca_simple_yaml_1_3',
    ...(fn.description === undefined ? {} : { description: fn.description }),
    imports: ['etsi_nfv_sol001_common_types.yaml', 'etsi_nfv_sol001_vnfd_types.yaml', ...(ownTypes ? [own.file] : [])],
    node_types: { ...groupAt(carried, 'types'), [vnfType(fn)]: typeOf(base, written, groupAt(nodes, self)) },
    topology_template: {
      ...extra('inputs'),
      substitution_mappings: {
        node_type: vnfType(fn),
        properties: { flavour_id: flavour },
        ...(outside.size === 0
          ? {}
          : {
              requirements: Object.fromEntries(
                [...outside].map(([name, { node, requirement }]) => [name, [node, requirement]]),
              ),
            }),
      },
      node_templates: nodes,
      ...extra('groups'),
      ...(policies.length === 0 ? {} : { policies }),
    },
  };
  return { path: `vnfd_${fn.name}.yaml`, document, ownTypes, nested };
}

/** Its properties have the values of the descriptor (clause 6.8.1), and each connection point that leads outside a requirement. */
function typeOf(base: string, { outside }: WrittenFunction, self: Group): Group {
  const requirement = {
    capability: 'tosca.capabilities.nfv.VirtualLinkable',
    relationship: 'tosca.relationships.nfv.VirtualLinksTo',
    occurrences: [0, 1],
  };
  const requirements = [...outside.keys()].map((name) => ({ [name]: requirement }));
  return { derived_from: base, properties: propertiesOf(self), ...(requirements.length === 0 ? {} : { requirements }) };
}

function propertiesOf(self: Group): Group {
  const constants = Object.entries(groupAt(self, 'properties')).filter(([, value]) => !isGroup(value));
  const typed = constants.map(([name, value]) => [
    name,
    Array.isArray(value)
      ? { type: 'list', entry_schema: { type: 'string' }, default: value as readonly unknown[] }
      : { type: 'string', default: String(value) },
  ]);
  const known = Object.keys(groupAt(usualVnf('', ''), 'properties'));
  return Object.fromEntries(typed.filter(([name]) => known.includes(name as string))) as Group;
}

function scaling({ fn, units }: WrittenFunction, lose: (message: string) => void): readonly Group[] {
  const scales = units.map(({ unit: { scale }, node }) => ({ name: node, ...(scale === undefined ? {} : { scale }) }));
  const carried = listOf(carriedOf(fn)['scaling']) as readonly Group[];
  if (carried.length > 0 && stillSay(carried, scales)) return carried;
  if (carried.length > 0)
    lose(`the scaling aspects that function '${fn.name}' carried, which no longer fit its numbers of instances`);
  return scalingPolicies(scales.flatMap(({ name, scale }) => (scale === undefined ? [] : [{ name, scale }])));
}

const nestedPath = (fn: Block, unit: Block) => `nested/${fn.name}-${unit.name}.yaml`;
const IMAGE = /^(?:name:[^\s:/][^\s]*|disk:[\w-][\w.-]*(?:\/[\w-][\w.-]*)*)$/;

/** Whether SOL001 can say all of how it is run: a virtual machine of whole cores from a disk image. */
function isPlain(unit: Block, nodeOf: ReadonlyMap<string, string>): boolean {
  const { execution, requirements } = unit;
  const { environment, image: _image, ...more } = execution!;
  const image = writtenImage(unit);
  const { cpu = 1, memoryMiB: _memory, storageMiB: _storage, affinity = [], after = [], ...others } = requirements;
  const alone = environment === 'vm' && Object.keys(more).length + Object.keys(others).length === 0;
  const sayable = affinity.every((rule) => isFunctionsOnly(rule, nodeOf)) && after.every((path) => nodeOf.has(path));
  return alone && sayable && Number.isInteger(cpu) && cpu > 0 && (image === undefined || IMAGE.test(image));
}

/** What was assumed of a descriptor is not written into it. */
function writtenImage(unit: Block): string | undefined {
  const image = unit.execution?.image;
  return carriedOf(unit)['imageAssumed'] === image ? undefined : image;
}

/** Whether all that a rule is about are nodes of the same topology. */
export function isFunctionsOnly(rule: AffinityRule, nodeOf: ReadonlyMap<string, string>): boolean {
  return rule.with.length > 0 && rule.with.every((path) => nodeOf.has(path));
}

function vdu(
  { unit, wanted, plain }: WrittenUnit & { readonly plain: boolean },
  fn: Block,
  nodeOf: ReadonlyMap<string, string>,
): Group {
  const carried = groupAt(carriedOf(unit), 'node');
  const { nested } = unit.execution!;
  const { min, max } = unit.scale ?? { min: 1, max: 1 };
  const parent =
    nested?.parent === undefined || nested.parent === 'none'
      ? nested?.parent
      : (nodeOf.get(nested.parent) ?? nested.parent.slice(nested.parent.lastIndexOf('/') + 1));
  const said = plain ? writtenImage(unit) : undefined;
  const artifact = imageArtifact(carried);
  const after = plain ? (unit.requirements.after ?? []) : [];
  const { type } = carried;
  const derived = {
    type: plain ? (typeof type === 'string' ? type : types.vdu) : own.vdu,
    properties: {
      description: unit.description ?? '',
      vdu_profile: { min_number_of_instances: min, max_number_of_instances: max },
      ...(plain
        ? {}
        : {
            vduNestedDesc: nestedPath(fn, unit),
            vduNestedDescType: own.nestedType,
            ...(parent === undefined ? {} : { vduParent: parent === 'none' ? 'None' : parent }),
            ...(nested?.parentMandatory === undefined ? {} : { vduParentMandatory: nested.parentMandatory }),
          }),
    },
    ...compute(unit, plain, carried),
    ...(said === undefined ? {} : { artifacts: { [artifact]: { file: imageFile(said) } } }),
    ...(after.length === 0 ? {} : { requirements: after.map((path) => ({ dependency: nodeOf.get(path) })) }),
  };
  const memory = unit.requirements.memoryMiB === undefined ? {} : usualMemory;
  return over(over(over(usualUnit(wanted, said, artifact), memory), carried), derived);
}

/** Of a unit that is run in another way, in whole cores; the exact figures are in its nested descriptor. */
function compute({ requirements: { cpu, memoryMiB, storageMiB } }: Block, plain: boolean, carried: Group): Group {
  const cores = cpu === undefined ? undefined : plain ? cpu : Math.max(1, Math.ceil(cpu));
  const kept = listOf(at(carried, 'capabilities', 'virtual_compute', 'properties', 'virtual_local_storage'));
  const total = kept.reduce<number>((sum, one) => sum + (mebibytes(at(one, 'size_of_storage')) ?? 0), 0);
  const properties = {
    ...(cores === undefined ? {} : { virtual_cpu: { num_virtual_cpu: cores } }),
    ...(memoryMiB === undefined ? {} : { virtual_memory: { virtual_mem_size: size(memoryMiB) } }),
    ...(storageMiB === undefined || (kept.length > 0 && total === storageMiB)
      ? {}
      : { virtual_local_storage: localStorage(storageMiB) }),
  };
  return Object.keys(properties).length === 0 ? {} : { capabilities: { virtual_compute: { properties } } };
}

function connectionPoint({ port, link: inside }: WrittenPort, unit: WrittenUnit): Group {
  const carried = groupAt(carriedOf(port), 'node');
  const { type } = carried;
  const properties = {
    ...(port.address === undefined || keepsAddress(carried, port.address)
      ? {}
      : { protocol: protocolOf(port.address) }),
    ...(port.bandwidthMbps === undefined ? {} : { bitrate_requirement: Math.round(port.bandwidthMbps * 1e6) }),
    ...(port.internalIf === undefined ? {} : { internalIfRef: port.internalIf }),
  };
  const derived = {
    type: port.internalIf !== undefined ? own.port : typeof type === 'string' ? type : types.port,
    properties,
    requirements: [{ virtual_binding: unit.node }, ...(inside === undefined ? [] : [{ virtual_link: inside }])],
  };
  return over(over(usualPort, carried), derived);
}

const keepsAddress = (carried: Group, address: string) =>
  JSON.stringify(at(carried, 'properties', 'protocol') ?? []).includes(`"${address}"`);

/** What SOL001 cannot say of what may come in. */
function lostOf(allow: Block['ports'][number]['allow']): readonly string[] {
  if (allow === undefined) return [];
  if (allow.length === 0) return ['that nothing may come in'];
  return allow.some(({ from }) => from !== undefined) ? ['from where it may come in'] : [];
}
