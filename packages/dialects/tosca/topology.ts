import { dialectLimits } from '../errors.ts';
import { shorten, type Path } from '../yaml-text.ts';
import { at, groupAt, isGroup, listOf, textOf, type Group } from './groups.ts';
import { substitutionOf, type Template, type Templates } from './templates.ts';
import { requirementNames, type Kind } from './types.ts';

/** A node template. */
export interface Node {
  readonly name: string;
  readonly kind: Kind | 'unknown' | undefined;
  readonly type: string;
  readonly value: Group;
  readonly path: Path;
}

export interface Policy {
  readonly name: string;
  readonly type: string;
  readonly value: Group;
  readonly path: Path;
}

export interface Requirement {
  readonly name: string;
  readonly to: string;
  readonly capability?: string;
  readonly path: Path;
}

/** What a template says of its nodes: functions of properties are resolved where what they stand for is constant. */
export class Topology {
  readonly template: Template;
  readonly value: Group;
  readonly nodes: ReadonlyMap<string, Node>;
  readonly policies: readonly Policy[];
  /** The node that is what the template substitutes: it says of the whole what no part does. */
  readonly self: Node | undefined;
  readonly #templates: Templates;
  readonly #given: Group;
  #steps = 0;

  /** `given` are properties of the node that the template substitutes: they are inputs of it. */
  constructor(templates: Templates, template: Template, given: Group = {}) {
    this.#templates = templates;
    this.#given = given;
    this.template = template;
    this.value = groupAt(template.value, 'topology_template');
    this.nodes = this.#nodes();
    this.policies = this.#policies();
    const { node_type: own } = substitutionOf(template.value);
    const candidates = [...this.nodes.values()].filter(({ kind }) => kind === 'ns' || kind === 'vnf');
    this.self = candidates.find(({ type }) => type === own);
  }

  #nodes(): ReadonlyMap<string, Node> {
    const nodes = new Map<string, Node>();
    for (const [name, value] of Object.entries(groupAt(this.value, 'node_templates'))) {
      const path = ['topology_template', 'node_templates', name];
      const type = textOf(at(value, 'type'));
      if (!isGroup(value) || type === undefined) {
        this.#templates.report('SF-DESCRIPTOR-MISSING', this.template, path, `node '${shorten(name)}' has no type`);
        continue;
      }
      const kind = this.#templates.kindOf(this.template, type);
      if (kind === 'unknown') {
        const message = `there is no node type '${shorten(type)}' here, nor in what is imported`;
        this.#templates.report('SF-DESCRIPTOR-REFERENCE', this.template, [...path, 'type'], message);
      }
      nodes.set(name, { name, kind, type, value, path });
    }
    return nodes;
  }

  /** A list of groups with one name each; a group of all in the first versions. */
  #policies(): readonly Policy[] {
    const policies = this.value['policies'];
    const base: Path = ['topology_template', 'policies'];
    const named = Array.isArray(policies)
      ? (policies as readonly unknown[]).flatMap((one, i) =>
          Object.entries(isGroup(one) ? one : {}).map(([name, value]) => ({ name, value, path: [...base, i, name] })),
        )
      : Object.entries(isGroup(policies) ? policies : {}).map(([name, value]) => ({
          name,
          value,
          path: [...base, name],
        }));
    return named.flatMap(({ name, value, path }) => {
      const type = textOf(at(value, 'type'));
      return isGroup(value) && type !== undefined ? [{ name, type, value, path }] : [];
    });
  }

  /** In the order in which they are written. */
  of(...kinds: readonly Kind[]): readonly Node[] {
    return [...this.nodes.values()].filter(({ kind }) => kinds.some((one) => one === kind));
  }

  /** A property of a node, or of its type where the node does not say. Undefined where it is not constant. */
  property(node: Node, ...path: readonly (string | number)[]): unknown {
    return this.#property(node, path, 0);
  }

  capability(node: Node, capability: string, ...path: readonly string[]): unknown {
    return this.resolve(at(node.value, 'capabilities', capability, 'properties', ...path), node);
  }

  resolve(value: unknown, node?: Node): unknown {
    return this.#resolve(value, node, 0);
  }

  #property(node: Node, [first, ...rest]: readonly (string | number)[], depth: number): unknown {
    if (first === undefined || depth > dialectLimits.functions) return undefined;
    const said = at(node.value, 'properties', first);
    const value = said ?? this.#templates.defaultOf(this.template, node.type, String(first));
    // What stands between may be a function, too.
    return this.#resolve(at(this.#resolve(value, node, depth + 1), ...rest), node, depth + 1);
  }

  /** Of functions inside too. Functions that stand for ever more are not followed for ever. */
  #resolve(value: unknown, node: Node | undefined, depth: number): unknown {
    if (depth > dialectLimits.functions || this.#steps++ > dialectLimits.functionSteps || value === null)
      return undefined;
    if (Array.isArray(value)) return (value as readonly unknown[]).map((one) => this.#inside(one, node, depth));
    if (!isGroup(value)) return value;
    const [[name, argument] = ['', undefined], ...others] = Object.entries(value);
    if (others.length > 0) {
      return Object.fromEntries(Object.entries(value).map(([field, one]) => [field, this.#inside(one, node, depth)]));
    }
    switch (name) {
      case 'get_input': {
        const [input = '', ...rest] = [argument].flat().map(String);
        return this.#resolve(at(this.#input(input), ...rest), node, depth + 1);
      }
      case 'get_property':
      case 'get_attribute': {
        const [whose, ...rest] = listOf(argument).map(String);
        const from = whose === 'SELF' ? node : this.nodes.get(whose ?? '');
        if (from === undefined) return undefined;
        const direct = this.#property(from, rest, depth + 1);
        if (direct !== undefined) return direct;
        const [hop = '', ...inner] = rest;
        // By way of a capability or a requirement (clause 4.4.2).
        const capability = at(from.value, 'capabilities', hop, 'properties', ...inner);
        if (capability !== undefined) return this.#resolve(capability, from, depth + 1);
        const [target] = this.requirements(from, hop).map(({ to }) => this.nodes.get(to));
        return target === undefined ? undefined : this.#property(target, inner, depth + 1);
      }
      case 'concat': {
        const parts = listOf(argument).map((part) => textOf(this.#resolve(part, node, depth + 1)));
        const text = parts.join('');
        return parts.includes(undefined) || text.length > dialectLimits.functionText ? undefined : text;
      }
      default:
        return { [name]: this.#inside(argument, node, depth) };
    }
  }

  /** Depth counts functions: how deep values lie is bounded already. */
  #inside(value: unknown, node: Node | undefined, depth: number): unknown {
    return value !== null && typeof value === 'object' ? this.#resolve(value, node, depth) : value;
  }

  #input(name: string): unknown {
    return this.#given[name] ?? at(this.value, 'inputs', name, 'value') ?? at(this.value, 'inputs', name, 'default');
  }

  requirements(node: Node, ...names: readonly string[]): readonly Requirement[] {
    return listOf(node.value['requirements']).flatMap((one, i) =>
      Object.entries(isGroup(one) ? one : {}).flatMap(([name, value]): Requirement[] => {
        const to = textOf(isGroup(value) ? value['node'] : value);
        if (to === undefined || (names.length > 0 && !names.includes(name))) return [];
        const capability = textOf(at(value, 'capability'));
        return [
          { name, to, path: [...node.path, 'requirements', i], ...(capability === undefined ? {} : { capability }) },
        ];
      }),
    );
  }

  /** The node that a requirement leads to, which is reported where it is not there. */
  target(requirement: Requirement): Node | undefined {
    const target = this.nodes.get(requirement.to);
    if (target === undefined) {
      const message = `'${requirement.name}' leads to '${shorten(requirement.to)}', and there is no such node`;
      this.#templates.report('SF-DESCRIPTOR-REFERENCE', this.template, requirement.path, message);
    }
    return target;
  }

  /** Whether a requirement of the whole is that of one of its nodes. */
  hasMapping(requirement: string): boolean {
    return [...this.nodes.keys()].some((node) => this.mappingsTo(node).includes(requirement));
  }

  /** The link to which a requirement leads, by way of a forwarding node too. */
  linkBehind(requirement: Requirement): Node | undefined {
    const target = this.target(requirement);
    if (target?.kind !== 'forwarding') return target?.kind === 'link' ? target : undefined;
    const [onwards] = this.requirements(target, ...requirementNames.link);
    const link = onwards === undefined ? undefined : this.target(onwards);
    return link?.kind === 'link' ? link : undefined;
  }

  /** Names of the requirements of the whole that are those of one of its nodes: `virtual_link: [cp, virtual_link]`. */
  mappingsTo(node: string): readonly string[] {
    const { requirements } = substitutionOf(this.template.value);
    const pairs = Array.isArray(requirements)
      ? (requirements as readonly unknown[]).flatMap((one) => Object.entries(isGroup(one) ? one : {}))
      : Object.entries(isGroup(requirements) ? requirements : {});
    // Of several with one name there is a list of lists.
    return pairs.flatMap(([name, value]) => {
      const first = at(value, 0);
      const targets = Array.isArray(first) ? (value as readonly unknown[]).map((one) => at(one, 0)) : [first];
      return targets.includes(node) ? [name] : [];
    });
  }

  types(): readonly string[] {
    return [...this.nodes.values()].map(({ type }) => type);
  }

  /** Node templates that nobody has read, as they are written. */
  unread(read: ReadonlySet<string>): Group {
    return Object.fromEntries(
      [...this.nodes.values()].flatMap(({ name, value }) => (read.has(name) ? [] : [[name, value]])),
    );
  }

  portsOf(unit: Node): readonly Node[] {
    const order = (port: Node) => {
      const value = this.property(port, 'order');
      return typeof value === 'number' ? value : 0;
    };
    return this.of('port')
      .filter((port) => this.requirements(port, ...requirementNames.binding).some(({ to }) => to === unit.name))
      .toSorted((a, b) => order(a) - order(b));
  }
}
