import { type Environment, type Link, type Port, type Service, splitPortReference } from '@superfluidity/model';
import type { Path } from '@superfluidity/dialects/languages';
import type { Problem } from '@superfluidity/core';
import { inside, lineTo, type Placed, problemsUnder, type Reading } from './reading.ts';

/** What is drawn of a design at once: the inside of one block, with the networks and the chains that lead through it. */
export interface Level {
  /** From the service to the block that is open. */
  readonly line: readonly Placed[];
  readonly open: Placed;
  readonly nodes: readonly LevelNode[];
  readonly edges: readonly LevelEdge[];
  /** Whether what is drawn are the elements of a program, whose text is changed with them. */
  readonly isProgram: boolean;
}

export type NodeKind = 'function' | 'unit' | 'element' | 'network' | 'port';

export interface LevelNode {
  readonly id: string;
  readonly kind: NodeKind;
  readonly name: string;
  /** A word or two under the name. */
  readonly about: string;
  readonly environment?: Environment;
  readonly ports: readonly LevelPort[];
  /** Path of the block, which can be opened. */
  readonly opens?: string;
  /** How many blocks are in it. */
  readonly inner: number;
  readonly scale: number;
  readonly at: Path;
  /** Where its ports stand; absent where several units have ports, so that one of them has to be chosen. */
  readonly portsAt?: Path;
  readonly errors: number;
  readonly warnings: number;
}

export interface LevelPort {
  /** `eth0`; of a function of several units `bbu.eth0`. */
  readonly id: string;
  readonly at: Path;
  readonly network?: string;
}

export interface LevelEdge {
  readonly id: string;
  readonly kind: 'attached' | 'link' | 'chain';
  readonly name: string;
  readonly source: string;
  readonly sourcePort?: string;
  readonly target: string;
  readonly targetPort?: string;
  /** Of chains: which colour. */
  readonly colour?: number;
  readonly at: Path;
}

export const nodeId = (kind: NodeKind, name: string): string =>
  kind === 'network' ? `net:${name}` : kind === 'port' ? `port:${name}` : `block:${name}`;

/** The level that is open at a path of blocks. The service is one that could be read. */
export function levelOf(reading: Reading, service: Service, path: string): Level {
  const { language } = reading.version;
  const line = lineTo(service, path, language);
  const open = line.at(-1)!;
  const program = line.find(({ isProgram: is }) => is === true);
  const isProgram = program !== undefined;
  const { documentPath, problems } = reading;
  const programAt: Path = program === undefined ? [] : [...documentPath(program.at), 'program'];
  const counted = (at: Path): Pick<LevelNode, 'errors' | 'warnings'> => countOf(problems, at);
  const taken = new Set<string>();
  const fresh = (id: string) => {
    let free = id;
    for (let n = 2; taken.has(free); n += 1) free = `${id}#${n}`;
    taken.add(free);
    return free;
  };
  const blocks = inside(open).map((child): LevelNode => {
    const at = isProgram ? programAt : documentPath(child.at);
    const { kind, name, execution, scale } = child.block;
    const first = execution ?? (child.block.children.length === 1 ? child.block.children[0]!.execution : undefined);
    return {
      id: fresh(nodeId(kind as NodeKind, name)),
      kind: kind as NodeKind,
      name,
      about: aboutOf(child),
      ...(first === undefined ? {} : { environment: first.environment }),
      ports: portsOf(child, reading),
      ...(kind === 'function' || kind === 'unit' || child.block.children.length > 0 ? { opens: child.path } : {}),
      inner: child.block.children.length,
      scale: scale?.initial ?? 1,
      at,
      ...portsAt(child, reading),
      ...(isProgram ? { errors: 0, warnings: 0 } : counted(at)),
    };
  });
  const used = new Set(blocks.flatMap(({ ports }) => ports.flatMap(({ network }) => network ?? [])));
  const showsAll = open.block.kind === 'service' || (open.block.kind === 'function' && service.networks.length <= 12);
  const networks = service.networks.flatMap(({ name, prefix }, i): LevelNode[] => {
    if (!showsAll && !used.has(name)) return [];
    const at: Path = ['service', 'networks', i];
    const id = fresh(nodeId('network', name));
    return [{ id, kind: 'network', name, about: prefix, ports: [], inner: 0, scale: 1, at, ...counted(at) }];
  });
  const own = open.block.kind === 'unit' || open.block.kind === 'element' || open.block.links.length > 0;
  const openAt = documentPath(open.at);
  const borders = (own ? open.block.ports : []).map((port, i): LevelNode => {
    const at = [...openAt, 'ports', i];
    const about = port.network ?? 'port of it';
    const id = fresh(nodeId('port', port.name));
    return { id, kind: 'port', name: port.name, about, ports: [], inner: 0, scale: 1, at, ...counted(at) };
  });
  const nodes = [...blocks, ...networks, ...borders];
  const known = new Set(nodes.map(({ id }) => id));
  const edges = [
    ...attachments(blocks, known),
    ...linksOf(open.block.links, nodes, isProgram ? programAt : [...openAt, 'links'], isProgram),
    ...chainsOf(service, open, known),
  ];
  return { line, open, nodes, edges, isProgram };
}

function countOf(problems: readonly Problem[], at: Path): Pick<LevelNode, 'errors' | 'warnings'> {
  if (problems.length === 0) return { errors: 0, warnings: 0 };
  const here = problemsUnder(problems, at);
  const errors = here.filter(({ severity }) => severity === 'error').length;
  return { errors, warnings: here.length - errors };
}

function aboutOf({ block }: Placed): string {
  const click = block.carried?.['click'] as { readonly class?: unknown; readonly configuration?: unknown } | undefined;
  if (block.kind === 'element' && typeof click?.class === 'string')
    return typeof click.configuration === 'string' ? `${click.class}(${click.configuration})` : click.class;
  if (block.kind === 'function' && block.children.length > 1) return `${block.children.length} units`;
  return block.execution?.image ?? block.children[0]?.execution?.image ?? block.description ?? '';
}

/** Of a function: the ports of its units, through which it is connected. */
function portsOf(child: Placed, { documentPath }: Reading): readonly LevelPort[] {
  const own = (placed: Placed, prefix: string): readonly LevelPort[] =>
    placed.block.ports.map((port: Port, i) => ({
      id: `${prefix}${port.name}`,
      at: [...documentPath(placed.at), 'ports', i],
      ...(port.network === undefined ? {} : { network: port.network }),
    }));
  if (child.block.kind !== 'function') return own(child, '');
  const units = inside(child);
  return [...own(child, ''), ...units.flatMap((unit) => own(unit, units.length === 1 ? '' : `${unit.block.name}.`))];
}

function portsAt(child: Placed, { documentPath }: Reading): Pick<LevelNode, 'portsAt'> {
  if (child.block.kind !== 'function') return { portsAt: [...documentPath(child.at), 'ports'] };
  const [only, ...others] = inside(child);
  return only === undefined || others.length > 0 ? {} : { portsAt: [...documentPath(only.at), 'ports'] };
}

function attachments(blocks: readonly LevelNode[], known: ReadonlySet<string>): readonly LevelEdge[] {
  return blocks.flatMap(({ id, ports }) =>
    ports.flatMap((port): LevelEdge[] => {
      const target = port.network === undefined ? undefined : nodeId('network', port.network);
      if (target === undefined || !known.has(target)) return [];
      const name = `${port.id} on ${port.network!}`;
      return [{ id: `${id}.${port.id}`, kind: 'attached', name, source: id, sourcePort: port.id, target, at: port.at }];
    }),
  );
}

/** A link of more than two ends is drawn from its first to each of the others. */
function linksOf(
  links: readonly Link[],
  nodes: readonly LevelNode[],
  at: Path,
  isProgram: boolean,
): readonly LevelEdge[] {
  const byName = new Map(nodes.filter(({ kind }) => kind !== 'network').map((node) => [node.id, node]));
  const endOf = (end: string) => {
    const { path, port } = splitPortReference(end);
    if (port === undefined) return byName.has(nodeId('port', path)) ? { node: nodeId('port', path) } : undefined;
    const node = byName.get(nodeId('unit', path));
    return node?.ports.some(({ id }) => id === port) === true ? { node: node.id, port } : undefined;
  };
  return links.flatMap((link, i) => {
    const [first, ...others] = link.ends.map(endOf);
    if (first === undefined) return [];
    return others.flatMap((other, j): LevelEdge[] =>
      other === undefined
        ? []
        : [
            {
              id: `link:${i}.${j}`,
              kind: 'link',
              name: isProgram ? link.ends.join(' → ') : link.name,
              source: first.node,
              ...(first.port === undefined ? {} : { sourcePort: first.port }),
              target: other.node,
              ...(other.port === undefined ? {} : { targetPort: other.port }),
              at: isProgram ? at : [...at, i],
            },
          ],
    );
  });
}

/** From block to block of this level, as far as the chain leads through it. */
function chainsOf(service: Service, open: Placed, known: ReadonlySet<string>): readonly LevelEdge[] {
  if (open.block.kind !== 'service' && open.block.kind !== 'function') return [];
  const depth = open.path === '' ? 0 : open.path.split('/').length;
  return service.chains.flatMap(({ name, from, through, to }, colour) => {
    const stops: string[] = [];
    for (const reference of [from, ...through, to]) {
      const names = splitPortReference(reference).path.split('/');
      const isHere = names.slice(0, depth).join('/') === open.path && names.length > depth;
      const id = isHere ? nodeId('unit', names[depth]!) : undefined;
      if (id !== undefined && known.has(id) && stops.at(-1) !== id) stops.push(id);
    }
    return stops.slice(1).map((target, i): LevelEdge => {
      const at: Path = ['service', 'chains', colour];
      return { id: `chain:${colour}.${i}`, kind: 'chain', name, source: stops[i]!, target, colour, at };
    });
  });
}
