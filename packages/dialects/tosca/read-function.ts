import { append, canonicalJson } from '@superfluidity/core';
import type { TrafficRule } from '@superfluidity/model';
import { z } from 'zod';
import type { DescriptorFile } from '../files.ts';
import {
  unitFragmentShape,
  type NativeFunction,
  type NativePort,
  type NativeRequirements,
  type NativeUnit,
  type NativeUnitFragment,
} from '../native/schema.ts';
import { Names, renamed } from '../names.ts';
import { readShape, type JsonSchema } from '../shape.ts';
import { shorten, yamlOf, type Path } from '../yaml-text.ts';
import { at, carry, groupAt, isGroup, listOf, textOf, without, type Group } from './groups.ts';
import { affinityOf, trafficOf } from './policies.ts';
import { checkScaling, isScaling, profileOf, scaleOf, scalingPolicies } from './scaling.ts';
import { mebibytes } from './scalars.ts';
import { leftOfPort, leftOfUnit } from './usual.ts';
import type { Templates } from './templates.ts';
import type { Node, Topology } from './topology.ts';
import { own, requirementNames } from './types.ts';

const fragmentSchema = z.toJSONSchema(unitFragmentShape, { io: 'input' }) as JsonSchema;

export interface Around {
  readonly templates: Templates;
  readonly files: readonly DescriptorFile[];
  /** Label of the network that a virtual link of a topology is. */
  readonly network: (link: Node, topology: Topology, fn: string) => string;
  /** Label of the network to which the function's requirement of that name leads; undefined where nobody says. */
  readonly outer: (requirement: string, node: Node) => string | undefined;
}

/** What was made, and which node it was made of. */
export interface ReadFunction {
  readonly fn: NativeFunction;
  /** In the order of `fn.units`. */
  readonly units: readonly Node[];
  /** By the node names of VDUs and of ports: `unit` or `unit.port`. */
  readonly paths: ReadonlyMap<string, string>;
}

/** The VDUs of a topology, with their ports and policies, as a function of that name. */
export class FunctionReader {
  readonly #topology: Topology;
  readonly #around: Around;
  readonly #name: string;
  readonly #read = new Set<string>();
  readonly #paths = new Map<string, string>();
  readonly #allow = new Map<string, TrafficRule[]>();
  readonly #absorbed = new Map<string, string>();

  constructor(topology: Topology, around: Around, name: string) {
    this.#topology = topology;
    this.#around = around;
    this.#name = name;
  }

  read(vdus: readonly Node[], carried: Group, isPart: (node: Node) => boolean = () => true): ReadFunction {
    const { report } = this.#around.templates;
    const topology = this.#topology;
    const names = new Names();
    const labels = vdus.map((vdu) => names.label(nodeName(vdu)));
    vdus.forEach((vdu, i) => this.#paths.set(vdu.name, `${this.#name}/${labels[i]!}`));
    if (topology.self !== undefined) this.#read.add(topology.self.name);
    checkScaling(topology, new Map(vdus.map((vdu) => [vdu.name, vdu])), report);

    const unread = new Set(topology.policies.filter((policy) => !isScaling(policy)));
    const affinity = new Map<string, NonNullable<NativeRequirements['affinity']>>();
    for (const policy of topology.policies) {
      const rules = affinityOf(policy, topology, (node) => this.#paths.get(node), report);
      for (const { node, rule } of rules ?? []) affinity.set(node, [...(affinity.get(node) ?? []), rule]);
      const traffic = trafficOf(policy, topology, report);
      for (const node of traffic?.nodes ?? []) this.#allow.set(node, [...(this.#allow.get(node) ?? []), traffic!.rule]);
      if (rules !== undefined || traffic !== undefined) unread.delete(policy);
    }

    const units = vdus.map((vdu, i) => this.#unit(vdu, labels[i]!, affinity.get(vdu.name) ?? []));
    const scaling = topology.policies.filter(isScaling).map(({ name, value }) => ({ [name]: value }));
    const scaled = units.flatMap(({ scale }, i) => (typeof scale === 'object' ? [{ name: vdus[i]!.name, scale }] : []));
    const usual = canonicalJson(scaling) === canonicalJson(scalingPolicies(scaled));
    const inputs = groupAt(topology.value, 'inputs');
    const fn: NativeFunction = {
      name: this.#name,
      units,
      ...carry({
        ...carried,
        ...(topology.self === undefined ? {} : { self: without(topology.self.value, ['type'], ['metadata', 'name']) }),
        inputs,
        groups: groupAt(topology.value, 'groups'),
        node_templates: this.#unread(isPart),
        exposed: Object.fromEntries(this.#absorbed),
        policies: [...unread].map(({ name, value }) => ({ [name]: value })),
        scaling: usual ? [] : scaling,
        types: this.#around.templates.typesUsed(topology.template, [...topology.types(), ...listOf([carried['type']])]),
      }),
    };
    return { fn, units: vdus, paths: this.#paths };
  }

  #unread(isPart: (node: Node) => boolean): Group {
    const unread = this.#topology.unread(this.#read);
    return Object.fromEntries(Object.entries(unread).filter(([name]) => isPart(this.#topology.nodes.get(name)!)));
  }

  #unit(vdu: Node, name: string, affinity: NonNullable<NativeRequirements['affinity']>): NativeUnit {
    const topology = this.#topology;
    this.#read.add(vdu.name);
    const description = textOf(topology.property(vdu, 'description'));
    const fragment = this.#nested(vdu) ?? this.#plain(vdu);
    const { requirements, ...execution } = fragment;
    const assumed =
      execution.environment === 'vm' && execution.image === undefined ? this.#assumedImage(vdu) : undefined;
    const after = topology
      .requirements(vdu, 'dependency')
      .map((requirement) => this.#paths.get(topology.target(requirement)?.name ?? '') ?? '')
      .filter((path) => path !== '');
    const asked: NativeRequirements = {
      ...requirements,
      ...(affinity.length === 0 ? {} : { affinity: [...(requirements?.affinity ?? []), ...affinity] }),
      ...(after.length === 0 ? {} : { after: [...new Set([...(requirements?.after ?? []), ...after])] }),
    };
    const scale = scaleOf(topology.policies, vdu.name, profileOf(topology, vdu));
    const ports = this.#ports(vdu);
    const unit: NativeUnit = {
      name,
      ...(description === undefined ? {} : { description }),
      ...execution,
      ...(assumed === undefined ? {} : { image: assumed }),
      ...(ports.length === 0 ? {} : { ports }),
      ...(Object.keys(asked).length === 0 ? {} : { requirements: asked }),
      ...(scale === undefined ? {} : { scale }),
    };
    return {
      ...unit,
      ...carry({
        ...renamed(nodeName(vdu), name),
        imageAssumed: assumed,
        node: leftOfUnit(vdu, nodeName(vdu), this.#image(vdu)),
      }),
    };
  }

  /** How it is run, from the descriptor that the derived type refers to. */
  #nested(vdu: Node): NativeUnitFragment | undefined {
    const topology = this.#topology;
    const { report } = this.#around.templates;
    const reference = textOf(topology.property(vdu, 'vduNestedDesc'));
    const type = textOf(topology.property(vdu, 'vduNestedDescType'));
    const parent = textOf(topology.property(vdu, 'vduParent'));
    const mandatory = topology.property(vdu, 'vduParentMandatory');
    const path = (property: string): Path => [...vdu.path, 'properties', property];
    const nesting = {
      ...(parent === undefined
        ? {}
        : {
            parent: parent.toLowerCase() === 'none' ? 'none' : (this.#paths.get(parent) ?? `${this.#name}/${parent}`),
          }),
      ...(typeof mandatory === 'boolean' ? { parentMandatory: mandatory } : {}),
    };
    const inside = (fragment: NativeUnitFragment): NativeUnitFragment =>
      Object.keys(nesting).length === 0 ? fragment : { ...fragment, nested: { ...fragment.nested, ...nesting } };
    if (reference === undefined) return Object.keys(nesting).length === 0 ? undefined : inside(this.#plain(vdu));
    if (type === 'kubernetes') {
      const { requirements } = this.#plain(vdu);
      return inside({
        environment: 'pod',
        nested: { descriptor: reference, descriptorType: type },
        ...(requirements === undefined ? {} : { requirements }),
      });
    }
    const file = this.#file(reference);
    if (file === undefined) {
      const message = `there is no file '${shorten(reference)}' in the package`;
      report('SF-DESCRIPTOR-REFERENCE', topology.template, path('vduNestedDesc'), message);
      return { environment: 'vm' };
    }
    if (type === 'click' || type === 'nft') {
      return inside({ environment: type, program: new TextDecoder().decode(file.bytes), forwards: true });
    }
    if (type !== own.nestedType) {
      const message = `nested descriptors of type '${shorten(type ?? '')}' are not supported`;
      report('SF-DESCRIPTOR-UNSUPPORTED', topology.template, path('vduNestedDescType'), message);
      return { environment: 'vm' };
    }
    const shape = readShape(yamlOf(file), unitFragmentShape, fragmentSchema);
    if ('value' in shape) return inside(shape.value);
    append(this.#around.templates.problems, shape.problems);
    return { environment: 'vm' };
  }

  /** Relative to the template, or to the root of the package. */
  #file(reference: string): DescriptorFile | undefined {
    const { file } = this.#topology.template;
    const folder = file.slice(0, file.lastIndexOf('/') + 1);
    const { files } = this.#around;
    return files.find(({ path }) => path === folder + reference) ?? files.find(({ path }) => path === reference);
  }

  /** A virtual machine has one: that of the distribution which is asked for, or else the guest kernel of the host. */
  #assumedImage(vdu: Node): string {
    const topology = this.#topology;
    const [distribution, version] = ['distribution', 'version'].map((one) =>
      textOf(topology.capability(vdu, 'os', one)),
    );
    const image =
      distribution === undefined ? 'guest:' : `name:${[distribution.toLowerCase(), version].filter(Boolean).join('-')}`;
    const message = `'${shorten(vdu.name)}' has no image: ${image} is assumed`;
    this.#around.templates.report('SF-DESCRIPTOR-ASSUMED', topology.template, vdu.path, message, 'warning');
    return image;
  }

  /** Of a pod, that of its first container. */
  #image(vdu: Node): string | undefined {
    const [container] = this.#topology
      .requirements(vdu, 'container')
      .flatMap(({ to }) => this.#topology.nodes.get(to) ?? []);
    return imageOf(container ?? vdu, this.#topology);
  }

  /** A virtual machine from its software image; a pod where it is made of containers. */
  #plain(vdu: Node): NativeUnitFragment {
    const topology = this.#topology;
    const containers = topology.requirements(vdu, 'container').flatMap(({ to }) => topology.nodes.get(to) ?? []);
    const image = this.#image(vdu);
    const cpu =
      topology.capability(vdu, 'virtual_compute', 'virtual_cpu', 'num_virtual_cpu') ??
      topology.capability(vdu, 'host', 'num_cpus');
    const memory =
      topology.capability(vdu, 'virtual_compute', 'virtual_memory', 'virtual_mem_size') ??
      topology.capability(vdu, 'host', 'mem_size');
    const disk = topology.capability(vdu, 'host', 'disk_size');
    const local = listOf(topology.capability(vdu, 'virtual_compute', 'virtual_local_storage'));
    const disks = local.map((one) => this.#size(vdu, at(one, 'size_of_storage')));
    const milli = containers.map((container) => topology.property(container, 'requested_cpu_resources'));
    const cores =
      typeof cpu === 'number' ? cpu : sum(milli.map((one) => (typeof one === 'number' ? one / 1000 : undefined)));
    const memories = containers.map((one) => this.#size(one, topology.property(one, 'requested_memory_resources')));
    const memoryMiB = memory === undefined ? sum(memories) : this.#size(vdu, memory);
    const storageMiB = disk === undefined ? sum(disks) : this.#size(vdu, disk);
    const requirements = {
      ...(cores === undefined ? {} : { cpu: cores }),
      ...(memoryMiB === undefined ? {} : { memoryMiB }),
      ...(storageMiB === undefined ? {} : { storageMiB }),
    };
    return {
      environment: vdu.type.endsWith('.OsContainerDeployableUnit') ? 'pod' : 'vm',
      ...(image === undefined ? {} : { image }),
      ...(Object.keys(requirements).length === 0 ? {} : { requirements }),
    };
  }

  #size(node: Node, value: unknown): number | undefined {
    if (value === undefined || value === null || isGroup(value)) return undefined;
    const size = mebibytes(value);
    if (size === undefined) {
      const message = `'${shorten(String(value))}' is no size: a number and a unit, like 512 MiB`;
      this.#around.templates.report(
        'SF-DESCRIPTOR-VALUE',
        this.#topology.template,
        [...node.path, 'capabilities'],
        message,
      );
    }
    return size;
  }

  #ports(vdu: Node): Exclude<NativePort, string>[] {
    const names = new Names();
    return this.#topology.portsOf(vdu).map((port) => {
      this.#read.add(port.name);
      const written = portName(port, vdu);
      const name = names.fresh(written);
      this.#paths.set(port.name, `${this.#paths.get(vdu.name)!}.${name}`);
      const { network, link, requirement } = this.#network(port);
      for (const external of link === undefined ? [] : this.#externalOf(link)) {
        if (!this.#paths.has(external.name)) this.#paths.set(external.name, this.#paths.get(port.name)!);
      }
      const address = addressOf(this.#topology.property(port, 'protocol'));
      const internalIf = textOf(this.#topology.property(port, 'internalIfRef'));
      const bits = this.#topology.property(port, 'bitrate_requirement');
      const allow = [...(this.#allow.get(port.name) ?? []), ...(link === undefined ? [] : this.#allowedBy(link))];
      return {
        name,
        ...(network === undefined ? {} : { network }),
        ...(address === undefined ? {} : { address }),
        ...(internalIf === undefined ? {} : { internalIf }),
        ...(allow.length === 0 ? {} : { allow: allow as NonNullable<Exclude<NativePort, string>['allow']> }),
        ...(typeof bits === 'number' ? { bandwidthMbps: bits / 1e6 } : {}),
        ...carry({
          // Written names begin with that of the unit; others are kept.
          ...(port.name === `${vdu.name}_${name}` || textOf(at(port.value, 'metadata', 'name')) === name
            ? {}
            : { id: port.name }),
          link,
          requirement,
          node: leftOfPort(port, address),
        }),
      };
    });
  }

  /** What external connection points of an internal virtual link let in. */
  #allowedBy(link: string): readonly TrafficRule[] {
    return this.#externalOf(link).flatMap(({ name }) => this.#allow.get(name) ?? []);
  }

  #externalOf(link: string): readonly Node[] {
    const topology = this.#topology;
    return topology
      .of('external-port')
      .filter((one) => topology.requirements(one, 'internal_virtual_link').some(({ to }) => to === link));
  }

  /** The network inside, or the one outside to which its external connection point or the port itself leads. */
  #network(port: Node): { readonly network?: string; readonly link?: string; readonly requirement?: string } {
    const topology = this.#topology;
    const [requirement] = topology.requirements(port, ...requirementNames.link);
    if (requirement === undefined) {
      for (const name of topology.mappingsTo(port.name)) {
        const network = this.#around.outer(name, port);
        if (network !== undefined) return { network, ...(name === port.name ? {} : { requirement: name }) };
      }
      return {};
    }
    const link = topology.target(requirement);
    if (link === undefined) return {};
    for (const external of this.#externalOf(link.name)) {
      for (const name of topology.mappingsTo(external.name)) {
        const network = this.#around.outer(name, external);
        if (network === undefined) continue;
        this.#absorbed.set(external.name, name);
        return { network, link: link.name };
      }
    }
    this.#read.add(link.name);
    return { network: this.#around.network(link, topology, this.#name) };
  }
}

/** The name that a node was given, where the package needed another one for it. */
export function nodeName({ name, value }: Node): string {
  return textOf(at(value, 'metadata', 'name')) ?? name;
}

function portName(port: Node, unit: Node): string {
  const prefix = `${unit.name}_`;
  const given = nodeName(port);
  return given === port.name && given.startsWith(prefix) && given.length > prefix.length
    ? given.slice(prefix.length)
    : given;
}

function addressOf(protocol: unknown): string | undefined {
  const data = listOf(protocol).flatMap((one) => listOf(at(one, 'address_data')));
  const fixed = data.flatMap((one) => [at(one, 'l3_address_data', 'fixed_ip_address')].flat());
  return fixed.map(textOf).find((address) => address?.includes('.'));
}

/** A file of the package or an image that is known by name. */
function imageOf(node: Node, topology: Topology): string | undefined {
  const artifacts = Object.values(groupAt(node.value, 'artifacts'));
  const image = artifacts.find((one) => /SwImage|Deployment\.Image/.test(textOf(at(one, 'type')) ?? ''));
  const file = textOf(topology.resolve(isGroup(image) ? image['file'] : undefined, node));
  if (file !== undefined) {
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(file)) return `name:${file}`;
    if (file.startsWith('name:')) return file;
    return `disk:${file.replace(/^(?:\.{0,2}\/)+/, '')}`;
  }
  const name = textOf(topology.property(node, 'sw_image_data', 'name')) ?? textOf(topology.property(node, 'image'));
  return name === undefined ? undefined : `name:${name}`;
}

function sum(numbers: readonly (number | undefined)[]): number | undefined {
  const known = numbers.filter((one) => one !== undefined);
  return known.length === 0 ? undefined : known.reduce((a, b) => a + b, 0);
}
