import { canonicalJson, type Problem } from '@superfluidity/core';
import type { Balancer, Block, Chain, Link, Network, Port, Service } from '@superfluidity/model';
import type { Format } from './dialect.ts';

/**
 * What a service says, aspect by aspect, against what a dialect has words for.
 *
 * An aspect is a field of one kind of thing: `network.mtu`, `port.allow`, `execution.health`, `requirements.cpu`,
 * `unit.scale`, `chain.latencyMaxMs`, `service.balancers`. Names, kinds, and what makes the tree (functions, units of a
 * function, ports of a unit) every dialect can say in some way. Fields that have the value which is meant where nothing
 * is said are no aspects. `unit.units` and `unit.elements` are the blocks inside a unit. What is carried for a dialect
 * is an aspect of all the others.
 */
export interface Expressed {
  /** Without what the dialect cannot say. */
  readonly service: Service;
  readonly losses: readonly Problem[];
}

/** `expresses` lists aspects, or `chain.*` for all of a kind, or `*`. */
export function express(service: Service, format: Format, expresses: readonly string[]): Expressed {
  return new Expression(format, new Set(expresses)).reduce(service);
}

type Fields = Readonly<Record<string, unknown>>;

/** Every dialect can say these, or they are looked at one by one. */
const structure: Readonly<Record<string, readonly string[]>> = {
  service: ['block', 'kind', 'name', 'children'],
  block: ['kind', 'name', 'children'],
  unit: ['kind', 'name', 'children', 'ports', 'execution', 'requirements'],
  element: ['kind', 'name', 'children', 'ports', 'execution', 'requirements'],
  execution: ['environment'],
  network: ['name', 'prefix'],
  port: ['name', 'network'],
  link: ['name', 'ends'],
  chain: ['name', 'from', 'to', 'through', 'address'],
  balancer: ['name', 'unit', 'address', 'port'],
  requirements: [],
};

/** What is meant where nothing is said. */
const customary: Fields = {
  'service.version': '1.0',
  'chain.protocol': 'tcp',
  'chain.ports': [],
  'balancer.layer': 'tcp',
};

class Expression {
  readonly losses: Problem[] = [];
  readonly #format: Format;
  readonly #expresses: ReadonlySet<string>;

  constructor(format: Format, expresses: ReadonlySet<string>) {
    this.#format = format;
    this.#expresses = expresses;
  }

  reduce(service: Service): Expressed {
    const { block, networks, chains, balancers, ...rest } = service;
    const lists = this.#keep('service', 'the service', '', { networks, chains, balancers });
    const reduced = {
      version: customary['service.version'],
      ...this.#keep('service', 'the service', '', rest),
      block: this.#block(block, '', ''),
      networks: each(lists.networks, (one: Network, i) =>
        this.#keep('network', `network '${one.name}'`, `networks[${i}]`, one),
      ),
      chains: each(lists.chains, (one: Chain, i) => ({
        protocol: customary['chain.protocol'],
        ports: customary['chain.ports'],
        ...this.#keep('chain', `chain '${one.name}'`, `chains[${i}]`, one),
      })),
      balancers: each(lists.balancers, (one: Balancer, i) => ({
        layer: customary['balancer.layer'],
        targetPort: one.port,
        ...this.#keep('balancer', `balancer '${one.name}'`, `balancers[${i}]`, one, { targetPort: one.port }),
      })),
    } as unknown as Service;
    return { service: reduced, losses: this.losses };
  }

  #block(block: Block, path: string, at: string): Block {
    const name = block.kind === 'service' ? 'the service' : `${block.kind} '${path}'`;
    const { ports, links, requirements, execution, children, ...rest } = block;
    const isUnit = block.kind === 'unit' || block.kind === 'element';
    // Units have ports and requirements in every dialect; what else has some is worth a question.
    // Elements and links of a Click unit say what its program says.
    const isTold = execution?.environment === 'click' && this.#has('execution.program') && !this.#has('unit.elements');
    const some = isUnit
      ? { links: isTold ? [] : links }
      : { links, ports, ...(Object.keys(requirements).length > 0 ? { requirements } : {}) };
    const kept = this.#keep(block.kind, name, at, some) as {
      links?: readonly Link[];
      ports?: readonly Port[];
      requirements?: Fields;
    };
    const keptPorts = isUnit ? ports : (kept.ports ?? []);
    const keptRequirements = isUnit ? requirements : (kept.requirements ?? {});
    return {
      ...this.#keep(block.kind, name, at, rest),
      ports: keptPorts.map((port, i) =>
        this.#keep('port', `port '${port.name}' of ${name}`, join(at, `ports[${i}]`), port),
      ),
      links: (kept.links ?? []).map((link, i) =>
        this.#keep('link', `link '${link.name}' of ${name}`, join(at, `links[${i}]`), link),
      ),
      requirements: this.#keep('requirements', name, join(at, 'requirements'), keptRequirements),
      ...(execution === undefined ? {} : { execution: this.#keep('execution', name, at, execution) }),
      children: this.#children(
        block,
        isTold ? children.filter(({ kind }) => kind !== 'element') : children,
        path,
        at,
        name,
      ),
    } as unknown as Block;
  }

  #children(block: Block, children: readonly Block[], path: string, at: string, name: string): readonly Block[] {
    const lists = { service: 'functions', function: 'units', unit: 'units', element: 'elements' } as const;
    const kept: Block[] = [];
    const counts = new Map<string, number>();
    for (const child of children) {
      const list = child.kind === 'element' ? 'elements' : lists[block.kind];
      const index = counts.get(list) ?? 0;
      counts.set(list, index + 1);
      const childAt = join(at, `${list}[${index}]`);
      const nested = block.kind === 'unit' || block.kind === 'element';
      if (nested && !this.#has(`${block.kind}.${list}`)) {
        this.#lose(childAt, `${child.kind} '${child.name}' inside ${name}`);
        continue;
      }
      kept.push(this.#block(child, path === '' ? child.name : `${path}/${child.name}`, childAt));
    }
    return kept;
  }

  /** The fields that are structure, customary, or expressed. */
  #keep<T extends object>(kind: string, name: string, at: string, value: T, usual: Fields = {}): Partial<T> {
    const always = structure[kind] ?? structure['block']!;
    const entries = Object.entries(value).flatMap(([field, inner]): [string, unknown][] => {
      if (always.includes(field) || inner === undefined) return [[field, inner]];
      if (field === 'carried') return this.#carried(kind, name, at, inner as Fields);
      const meant = field in usual ? usual[field] : customary[`${kind}.${field}`];
      // An empty list says nothing, but at a port: nothing may come in.
      const nothing = Array.isArray(inner) && inner.length === 0 && kind !== 'port';
      if (meant !== undefined && canonicalJson(meant) === canonicalJson(inner)) return [[field, inner]];
      if (this.#has(`${kind}.${field}`)) return [[field, inner]];
      if (nothing) return [];
      this.#lose(join(at, field), `${field} of ${name}`);
      return [];
    });
    return Object.fromEntries(entries) as Partial<T>;
  }

  #carried(kind: string, name: string, at: string, carried: Fields): [string, unknown][] {
    const own = Object.entries(carried).filter(([dialect, value]) => {
      if (dialect === this.#format || this.#has(`${kind}.carried`)) return true;
      this.#lose(join(at, 'carried'), `what ${name} carries of ${dialect} (${fieldsOf(value)})`);
      return false;
    });
    return own.length === 0 ? [] : [['carried', Object.fromEntries(own)]];
  }

  #has(aspect: string): boolean {
    const kind = aspect.slice(0, aspect.indexOf('.'));
    return this.#expresses.has('*') || this.#expresses.has(`${kind}.*`) || this.#expresses.has(aspect);
  }

  #lose(path: string, what: string): void {
    this.losses.push(lossOf(this.#format, path, what));
  }
}

/** What is lost is a warning: it is for the user to say whether it matters. */
export function lossOf(format: Format, path: string, what: string): Problem {
  return { severity: 'warning', code: 'SF-DESCRIPTOR-LOSS', path, message: `${format} cannot say: ${what}` };
}

function each<T, U>(list: unknown, map: (one: T, index: number) => U): readonly U[] {
  return ((list ?? []) as readonly T[]).map(map);
}

function join(at: string, field: string): string {
  return at === '' ? field : `${at}.${field}`;
}

function fieldsOf(value: unknown): string {
  if (value === null || typeof value !== 'object') return String(value).slice(0, 40);
  const names = Object.keys(value);
  return names.length > 5 ? `${names.slice(0, 5).join(', ')} ...` : names.join(', ');
}
