import { z } from 'zod';
import { ASSUMED, assumedPrefix } from '../assumed.ts';
import type { ReadResult } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { withQuestions } from '../check-questions.ts';
import type { InputValues } from '../inputs.ts';
import { Names, renamed } from '../names.ts';
import {
  policyShape,
  requirementsShape,
  type NativeFunction,
  type NativePolicy,
  type NativeRequirements,
  type NativeService,
} from '../native/schema.ts';
import { Origins } from '../origins.ts';
import { readShape, type JsonSchema } from '../shape.ts';
import { toService } from '../to-service.ts';
import { formatPath, partOf, readYamlText, shorten, type Path } from '../yaml-text.ts';
import { at, beyond, carry, groupAt, isGroup, listOf, over, textOf, without, type Group } from './groups.ts';
import { affinityOf } from './policies.ts';
import { FunctionReader, nodeName, type ReadFunction } from './read-function.ts';
import { readPaths } from './read-paths.ts';
import { Templates, substitutionOf, type Template } from './templates.ts';
import { Topology, type Node, type Policy } from './topology.ts';
import { isNormative, isOwn, own, requirementNames } from './types.ts';
import { leftOfLink, saidBy } from './usual.ts';
import { REQUIREMENTS, usualNs, usualVnf } from './usual-whole.ts';

const policySchema = z.toJSONSchema(policyShape, { io: 'input' }) as JsonSchema;
const requirementsSchema = z.toJSONSchema(requirementsShape, { io: 'input' }) as JsonSchema;

/**
 * Reads TOSCA: the NFV profile (ETSI GS NFV-SOL 001 v2.6.1 to v4.4.1, and the profile of OASIS that was before it), and nodes of
 * the Simple Profile in YAML 1.0 to 1.3: servers, ports, networks. One service template is the service; the nodes of it that
 * others substitute are its functions. Never throws.
 */
export function readTosca(files: readonly DescriptorFile[], inputs: InputValues = {}): ReadResult {
  return new Reader(files, inputs).read();
}

type NativeNetwork = NonNullable<NativeService['networks']>[number];

class Reader {
  readonly #files: readonly DescriptorFile[];
  readonly #inputs: InputValues;
  readonly #templates: Templates;
  readonly #networks: NativeNetwork[] = [];
  readonly #networkNames = new Names();
  /** By file, function and node: a VNFD may be used twice. */
  readonly #links = new Map<string, string>();
  readonly #origins = new Origins();
  readonly #functionNames = new Names();
  /** Of the policies that are the service's own: where their properties stand. */
  readonly #claims: { readonly policy: NativePolicy; readonly path: Path }[] = [];
  readonly #functions: { readonly node: Node | undefined; readonly read: ReadFunction; readonly topology: Topology }[] =
    [];

  constructor(files: readonly DescriptorFile[], inputs: InputValues) {
    this.#files = files;
    this.#inputs = inputs;
    this.#templates = new Templates(files);
  }

  read(): ReadResult {
    const { problems } = this.#templates;
    const entry = problems.length > 0 ? undefined : this.#templates.entry();
    if (entry === undefined || problems.some(({ severity }) => severity === 'error')) return { problems };
    const topology = new Topology(this.#templates, entry, this.#inputs);
    this.#origins.note('', entry.text.locate(['topology_template'], 'key'));
    const service = this.#service(topology);
    const read = toService(service, this.#origins, problems);
    return withQuestions(read, entry.text, (policy) => this.#claims[policy]!.path);
  }

  #service(topology: Topology): NativeService {
    const { template, self } = topology;
    const { report } = this.#templates;
    for (const link of topology.of('link')) this.#network(link, topology, '');
    const vnfs = topology.of('vnf').filter((node) => node !== self);
    const vdus = topology.of('vdu');
    for (const nested of topology.of('ns').filter((node) => node !== self)) {
      const message = `'${shorten(nested.name)}' is a network service inside of this one: give its functions here`;
      report('SF-DESCRIPTOR-UNSUPPORTED', template, nested.path, message);
    }
    for (const vnf of vnfs) this.#substituted(vnf, topology);
    // A VNFD alone is a service of one function.
    if (vdus.length > 0) this.#whole(topology, vdus);
    for (const server of topology.of('compute')) this.#server(server, topology);
    if (this.#functions.length === 0)
      report('SF-DESCRIPTOR-MISSING', template, ['topology_template'], 'there is nothing in it that runs');

    const paths = readPaths(topology, new Names(), (vnf, capability) => this.#hop(vnf, capability, topology), report);
    const affinity = new Map<string, NonNullable<NativeRequirements['affinity']>>();
    const read = new Set([...paths.policies, ...(vdus.length > 0 ? topology.policies : [])]);
    const pathOf = (name: string) => this.#functions.find(({ node }) => node?.name === name)?.read.fn.name;
    for (const policy of topology.policies) {
      const rules = vdus.length > 0 ? undefined : affinityOf(policy, topology, pathOf, report);
      if (rules === undefined) continue;
      read.add(policy);
      for (const { node, rule } of rules) affinity.set(pathOf(node)!, [...(affinity.get(pathOf(node)!) ?? []), rule]);
    }
    for (const policy of topology.policies) if (this.#claim(policy, topology)) read.add(policy);
    const functions = this.#functions.map(({ read: { fn } }) => withAffinity(fn, affinity.get(fn.name)));
    this.#note(
      paths.chains.map(({ node }) => node),
      topology,
    );

    const label = this.#name(topology);
    const name = new Names().label(label);
    const description = textOf(template.value['description']);
    const kept = new Set([
      ...paths.nodes,
      ...(self === undefined ? [] : [self.name]),
      ...topology.of('link', 'vnf', 'vdu', 'compute', 'port').map((node) => node.name),
    ]);
    // Connection points of the whole are ports of nothing.
    const loose = topology
      .of('port')
      .filter((port) => topology.requirements(port, ...requirementNames.binding).length === 0);
    const nodes = {
      ...(vdus.length > 0 ? {} : topology.unread(kept)),
      ...Object.fromEntries(vdus.length > 0 ? [] : loose.map((port) => [port.name, port.value])),
    };
    const isFunction = vdus.length > 0;
    return {
      name,
      version: this.#version(topology),
      ...(description === undefined ? {} : { description: description.slice(0, 4096) }),
      ...carry({
        ...renamed(label, name),
        ...(self === undefined || isFunction
          ? {}
          : {
              self: beyond(
                without(self.value, ['type'], ['metadata', 'name'], ['properties', 'name'], ['properties', 'version']),
                usualNs(name),
              ),
            }),
        ...(isFunction ? {} : { inputs: groupAt(topology.value, 'inputs'), groups: groupAt(topology.value, 'groups') }),
        node_templates: nodes,
        policies: topology.policies
          .filter((policy) => !read.has(policy))
          .map((policy) => ({ [policy.name]: policy.value })),
        outputs: groupAt(topology.value, 'outputs'),
        metadata: groupAt(template.value, 'metadata'),
        types: isFunction
          ? {}
          : this.#templates.typesUsed(
              template,
              Object.values(nodes).map((node) => at(node, 'type')),
            ),
      }),
      networks: this.#networks,
      functions,
      chains: paths.chains.map(({ chain }) => chain),
      ...(this.#claims.length === 0 ? {} : { policies: this.#claims.map(({ policy }) => policy) }),
    };
  }

  /** A claim about the data plane, in the words of the native format. @returns whether it is one. */
  #claim({ name, type, value, path: base }: Policy, { template }: Topology): boolean {
    if (type !== own.policy) return false;
    const path = [...base, 'properties'];
    const text = partOf(template.text, path);
    const fields = isGroup(text.value) ? text.value : {};
    const description = textOf(value['description']);
    const said = { name, ...(description === undefined ? {} : { description: description.slice(0, 4096) }), ...fields };
    const shape = readShape({ ...text, value: said }, policyShape, policySchema);
    if ('value' in shape) {
      const at = `policies[${this.#claims.length}]`;
      this.#origins.note(at, template.text.locate(path));
      for (const [claim, parts] of Object.entries(fields)) {
        for (const field of isGroup(parts) ? Object.keys(parts) : []) {
          this.#origins.note(`${at}.${claim}.${field}`, template.text.locate([...path, claim, field]));
        }
      }
      this.#claims.push({ policy: shape.value, path });
    } else {
      this.#templates.problems.push(
        ...shape.problems.map((problem) => ({ ...problem, path: `${formatPath(path)}.${problem.path}` })),
      );
    }
    return true;
  }

  #name({ self, template, nodes }: Topology): string {
    const vnf = [...nodes.values()].find(({ kind }) => kind === 'vnf');
    const said =
      self === undefined
        ? undefined
        : (textOf(at(self.value, 'properties', 'name')) ?? textOf(at(self.value, 'properties', 'product_name')));
    const file = template.file.slice(template.file.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
    const product =
      vnf === undefined || nodes.size > 1 ? undefined : textOf(at(vnf.value, 'properties', 'product_name'));
    return said ?? textOf(at(template.value, 'metadata', 'template_name')) ?? product ?? file;
  }

  #version(topology: Topology): string {
    const { self, template } = topology;
    const said =
      self === undefined
        ? undefined
        : (textOf(topology.property(self, 'version')) ?? textOf(topology.property(self, 'descriptor_version')));
    return said ?? textOf(at(template.value, 'metadata', 'template_version')) ?? '1.0';
  }

  /** A node that another template substitutes: of several flavours, the one that it names. */
  #substituted(vnf: Node, topology: Topology): void {
    const { report } = this.#templates;
    const candidates = this.#templates.substituting(vnf.type).filter((one) => one !== topology.template);
    const flavours = candidates.filter((one) => fits(one, vnf, topology));
    const [template, other] = flavours;
    if (template === undefined) {
      const message =
        candidates.length === 0
          ? `no service template of the package substitutes nodes of type '${shorten(vnf.type)}'`
          : `none of the ${candidates.length} service templates that substitute '${shorten(vnf.type)}' is of this flavour`;
      report('SF-DESCRIPTOR-REFERENCE', topology.template, [...vnf.path, 'type'], message);
      return;
    }
    if (other !== undefined) {
      const message = `'${shorten(vnf.name)}' may be of several flavours: that of ${template.file} is assumed`;
      report('SF-DESCRIPTOR-ASSUMED', topology.template, vnf.path, message, 'warning');
    }
    const inner = new Topology(this.#templates, template, groupAt(vnf.value, 'properties'));
    const name = this.#functionNames.label(nodeName(vnf));
    const isLink = (to: string) => ['link', 'forwarding'].includes(topology.nodes.get(to)?.kind ?? '');
    const outer = (requirement: string) => {
      const [link] = topology.requirements(vnf, requirement).flatMap((one) => topology.linkBehind(one) ?? []);
      return link === undefined ? undefined : this.#network(link, topology, '');
    };
    const requirements = listOf(vnf.value['requirements']).filter(
      (one) =>
        !Object.values(isGroup(one) ? one : {}).some(
          (to) =>
            isLink(textOf(isGroup(to) ? to['node'] : to) ?? '') && inner.hasMapping(Object.keys(one as Group)[0]!),
        ),
    );
    const bare = without(vnf.value, ['type'], ['requirements'], ['metadata', 'name'], ['metadata', REQUIREMENTS]);
    const node = {
      ...beyond(
        flavoured(over(defaultsOf(vnf, topology), bare), template, topology.property(vnf, 'flavour_id')),
        usualVnf(name, this.#version(topology)),
      ),
      ...(requirements.length === 0 ? {} : { requirements }),
    };
    const asked = this.#requirements(vnf, topology);
    const description = textOf(template.value['description']);
    const around = { templates: this.#templates, files: this.#files, network: this.#network, outer };
    const read = new FunctionReader(inner, around, name).read(inner.of('vdu', 'compute'), {
      ...renamed(nodeName(vnf), name),
      node,
      ...this.#baseOf(vnf, template),
    });
    this.#add(vnf, inner, {
      ...read,
      fn: {
        ...tidied(read.fn, name, this.#version(topology)),
        ...(description === undefined ? {} : { description: description.slice(0, 4096) }),
        ...(asked === undefined ? {} : { requirements: asked }),
      },
    });
  }

  /** The type of the author, of which the written one is derived. */
  #baseOf({ type }: Node, template: Template): { readonly type?: string } {
    const types = this.#templates.typesOf(template);
    const base = isOwn(type) ? (textOf(types.get(type)?.['derived_from']) ?? '') : type;
    return isNormative(base) || !types.has(base) ? {} : { type: base };
  }

  /** The template is itself the function. Where its connection points lead outside, nobody has said. */
  #whole(topology: Topology, vdus: readonly Node[]): void {
    const label = topology.self === undefined ? this.#name(topology) : nodeName(topology.self);
    const name = this.#functionNames.label(label);
    const outside = new Map<string, string>();
    const outer = (requirement: string, node: Node) => {
      const known = outside.get(requirement);
      if (known !== undefined) return known;
      const network = this.#assumed(this.#networkNames.fresh(requirement), node, topology, undefined, {});
      outside.set(requirement, network);
      return network;
    };
    const around = { templates: this.#templates, files: this.#files, network: this.#network, outer };
    const flavour = topology.self === undefined ? undefined : topology.property(topology.self, 'flavour_id');
    const node = beyond(flavoured({}, topology.template, flavour), usualVnf(name, this.#version(topology)));
    const read = new FunctionReader(topology, around, name).read(vdus, { ...renamed(label, name), node });
    this.#add(topology.self, topology, { ...read, fn: tidied(read.fn, name, this.#version(topology)) });
  }

  /** A server of the Simple Profile: a function of one unit. */
  #server(server: Node, topology: Topology): void {
    const name = this.#functionNames.label(nodeName(server));
    const around = { templates: this.#templates, files: this.#files, network: this.#network, outer: () => undefined };
    const read = new FunctionReader(topology, around, name).read([server], {}, () => false);
    const { carried: _carried, ...fn } = read.fn;
    this.#add(server, topology, { ...read, fn });
  }

  #add(node: Node | undefined, topology: Topology, read: ReadFunction): void {
    const i = this.#functions.length;
    const { text } = topology.template;
    this.#functions.push({ node, read, topology });
    this.#origins.note(
      `functions[${i}]`,
      text.locate(
        node !== undefined && topology.nodes.get(node.name) === node ? node.path : ['topology_template'],
        'key',
      ),
    );
    for (const [j, unit] of read.units.entries()) {
      this.#origins.note(`functions[${i}].units[${j}]`, text.locate(unit.path, 'key'));
      for (const [k, port] of topology.portsOf(unit).entries()) {
        this.#origins.note(`functions[${i}].units[${j}].ports[${k}]`, text.locate(port.path, 'key'));
      }
    }
  }

  #note(paths: readonly Node[], { template }: Topology): void {
    paths.forEach((node, i) => this.#origins.note(`chains[${i}]`, template.text.locate(node.path, 'key')));
  }

  readonly #network = (link: Node, topology: Topology, fn: string): string => {
    // Of a template that is no VNFD's, links are those of the service.
    const inner = this.#links.get(`${topology.template.file} ${link.name}`);
    if (inner !== undefined) return inner;
    const key = `${topology.template.file} ${fn === '' ? '' : `${fn} `}${link.name}`;
    const known = this.#links.get(key);
    if (known !== undefined) return known;
    const written = nodeName(link);
    const label = this.#networkNames.fresh(fn === '' ? written : `${fn}-${written}`);
    this.#links.set(key, label);
    const protocols = topology.property(link, 'vl_profile', 'virtual_link_protocol_data');
    const { prefix, mtu } = saidBy(protocols);
    const cidr = prefix ?? textOf(topology.property(link, 'cidr'));
    const fields = {
      ...renamed(written, label),
      ...(fn === '' ? {} : { of: fn }),
      node: leftOfLink(link, protocols, prefix ?? cidr, mtu),
    };
    if (cidr === undefined) return this.#assumed(label, link, topology, mtu, fields);
    this.#push({ name: label, prefix: cidr, ...(mtu === undefined ? {} : { mtu }), ...carry(fields) }, link, topology);
    return label;
  };

  #assumed(label: string, node: Node, topology: Topology, mtu: number | undefined, fields: Group): string {
    const prefix = assumedPrefix(this.#networks.length);
    const message = `virtual link '${shorten(label)}' has no cidr: ${prefix} is assumed`;
    this.#templates.report('SF-DESCRIPTOR-ASSUMED', topology.template, node.path, message, 'warning');
    this.#push(
      { name: label, prefix, ...(mtu === undefined ? {} : { mtu }), ...carry({ ...fields, ...ASSUMED }) },
      node,
      topology,
    );
    return label;
  }

  #push(network: NativeNetwork, node: Node, topology: Topology): void {
    this.#origins.note(`networks[${this.#networks.length}]`, topology.template.text.locate(node.path, 'key'));
    this.#networks.push(network);
  }

  #requirements(vnf: Node, topology: Topology): NativeRequirements | undefined {
    const text = textOf(at(vnf.value, 'metadata', REQUIREMENTS));
    if (text === undefined) return undefined;
    const shape = readShape(readYamlText(new TextEncoder().encode(text)), requirementsShape, requirementsSchema);
    if ('value' in shape) return shape.value;
    const path = [...vnf.path, 'metadata', REQUIREMENTS];
    for (const { message } of shape.problems)
      this.#templates.report('SF-DESCRIPTOR-VALUE', topology.template, path, message);
    return undefined;
  }

  /** The connection point of a function that has a requirement of that name. */
  #hop(vnf: string, capability: string | undefined, topology: Topology): string | undefined {
    // Between a function and its link stands the node that paths go by.
    if (topology.nodes.get(vnf)?.kind === 'forwarding') {
      for (const node of topology.of('vnf')) {
        const before = topology.requirements(node).find(({ to }) => to === vnf);
        if (before !== undefined) return this.#hop(node.name, before.name, topology);
      }
      return undefined;
    }
    const found = this.#functions.find(({ node }) => node?.name === vnf && topology.nodes.has(vnf));
    if (found === undefined) return undefined;
    for (const [node, path] of found.read.paths) {
      if (!path.includes('.')) continue;
      if (capability === undefined || node === capability || found.topology.mappingsTo(node).includes(capability)) {
        const [unit] = path.split('.') as [string];
        const only =
          (found.read.fn.units ?? []).find(({ name }) => `${found.read.fn.name}/${name}` === unit)?.ports?.length === 1;
        return only ? unit : path;
      }
    }
    return undefined;
  }
}

/** A flavour fits where no constant of the node contradicts what it is a flavour of. */
function fits(template: Template, vnf: Node, topology: Topology): boolean {
  return Object.entries(groupAt(substitutionOf(template.value), 'properties')).every(([name, value]) => {
    const said = topology.property(vnf, name);
    return said === undefined || isGroup(value) || textOf(said) === textOf(value);
  });
}

/** What the type of the author says where the node does not: the written type is another. */
function defaultsOf(vnf: Node, topology: Topology): Group {
  const names = Object.keys(groupAt(usualVnf('', ''), 'properties'));
  const said = names.map((name) => [name, topology.property(vnf, name)] as const);
  return { properties: Object.fromEntries(said.filter(([, value]) => value !== undefined && !isGroup(value))) };
}

/** Which flavour was chosen, where the node leaves it to an input. */
function flavoured(node: Group, template: Template, said: unknown): Group {
  const flavour = textOf(said) ?? textOf(groupAt(substitutionOf(template.value), 'properties')['flavour_id']);
  return flavour === undefined ? node : over(node, { properties: { flavour_id: flavour } });
}

function withAffinity(fn: NativeFunction, rules: NativeRequirements['affinity']): NativeFunction {
  if (rules === undefined) return fn;
  return { ...fn, requirements: { ...fn.requirements, affinity: [...(fn.requirements?.affinity ?? []), ...rules] } };
}

/** What the self node of a function says beyond what is usual. */
function tidied(fn: NativeFunction, name: string, version: string): NativeFunction {
  const { carried, ...rest } = fn;
  const fields = groupAt(carried, 'tosca');
  const said = { properties: groupAt(fields['node'], 'properties') };
  const usual = over(usualVnf(name, version), said);
  const self = isGroup(fields['self']) ? beyond(without(fields['self'], ['properties', 'flavour_id']), usual) : {};
  return { ...rest, ...carry({ ...fields, self }) };
}
