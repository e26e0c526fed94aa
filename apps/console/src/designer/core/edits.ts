import type { Path } from '@superfluidity/dialects/languages';
import { splitPortReference } from '@superfluidity/model';
import type { Document } from 'yaml';
import { designLimits } from './limits.ts';
import type { Level, LevelEdge, LevelNode, NodeKind } from './level.ts';
import { dropFrom, dropLinks, dropReferences, spread } from './references.ts';
import { append, listAt, Refused, removeAt, set, valueAt } from './yaml-edit.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A name that nothing has yet: `firewall`, `firewall-2`. */
export function freeName(wanted: string, taken: Iterable<string>): string {
  const names = new Set(taken);
  const base =
    wanted
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 56) || 'block';
  for (let n = 1; n < designLimits.names; n += 1) {
    const name = n === 1 ? base : `${base}-${n}`;
    if (!names.has(name)) return name;
  }
  throw new Refused(`there are ${designLimits.names} of '${base}' already`);
}

/** An IPv4 prefix of its own for a new network: 10.n.0.0/16. */
export function freePrefix(prefixes: readonly string[]): string {
  for (let n = 60; n < 256 + 60; n += 1) {
    const octet = n % 256;
    if (!prefixes.some((prefix) => prefix.startsWith(`10.${octet}.`))) return `10.${octet}.0.0/16`;
  }
  throw new Refused('every prefix of 10.0.0.0/8 is taken');
}

const namesIn = (document: Document, path: Path): string[] =>
  listAt(document, path).map((one) => String((one as Fields | null)?.['name'] ?? ''));

export function addNetwork(document: Document, template: Fields = {}): string {
  const path = ['service', 'networks'];
  const name = freeName(String(template['name'] ?? 'net'), namesIn(document, path));
  const prefixes = listAt(document, path).map((one) => String((one as Fields)['prefix'] ?? ''));
  append(document, path, { ...template, name, prefix: template['prefix'] ?? freePrefix(prefixes) });
  return name;
}

/** Adds a block of a kind to what is open. Returns the id of what the level will show for it. */
export function addBlock(document: Document, level: Level, openAt: Path, kind: NodeKind, template: Fields): string {
  const wanted = String(template['name'] ?? kind);
  const { kind: open } = level.open.block;
  if (kind === 'network') return `net:${addNetwork(document, template)}`;
  if (kind === 'port') {
    if (open === 'service' || open === 'function') throw new Refused('open a unit: ports belong to units');
    const path = [...openAt, 'ports'];
    const name = freeName(
      wanted,
      level.open.block.ports.map((port) => port.name),
    );
    append(document, path, { ...template, name });
    return `port:${name}`;
  }
  const taken = level.open.block.children.map((child) => child.name);
  const name = freeName(wanted, taken);
  if (open === 'service') {
    if (kind === 'element') throw new Refused('open a unit: elements lie in units');
    append(document, ['service', 'functions'], { ...template, name });
  } else if (open === 'function') {
    if (kind === 'element') throw new Refused('open a unit: elements lie in units');
    spread(document, openAt);
    const units = kind === 'function' ? unitsOfTemplate(template) : [template];
    for (const unit of units)
      append(document, [...openAt, 'units'], {
        ...unit,
        name: freeName(String(unit['name'] ?? name), namesIn(document, [...openAt, 'units'])),
      });
  } else if (open === 'unit' && kind === 'unit') append(document, [...openAt, 'units'], { ...template, name });
  else if (kind === 'element') append(document, [...openAt, 'elements'], { ...template, name });
  else throw new Refused(`a ${open} cannot contain a ${kind}`);
  return `block:${name}`;
}

const unitsOfTemplate = (template: Fields): readonly Fields[] =>
  Array.isArray(template['units']) ? (template['units'] as readonly Fields[]) : [template];

/** An address of its own for a new chain, in no network: it is the same at whatever site its end is. */
export function freeAddress(used: readonly string[]): string {
  const free = Array.from({ length: 245 }, (_, i) => `10.99.0.${i + 10}`).find((one) => !used.includes(one));
  return free ?? '10.99.1.10';
}

/** An end of a connection: a node of the level, and one of its ports or none yet. */
export interface End {
  readonly node: LevelNode;
  readonly port?: string;
}

/**
 * Connects two things of the level. Blocks of services and functions are connected by networks, of which one is made where
 * neither has one; what lies in a unit by links.
 */
export function connect(document: Document, level: Level, openAt: Path, a: End, b: End): void {
  if (a.node.id === b.node.id) throw new Refused('a connection leads from one thing to another');
  const network = a.node.kind === 'network' ? a.node : b.node.kind === 'network' ? b.node : undefined;
  if (network !== undefined) {
    const other = network === a.node ? b : a;
    if (other.node.kind === 'network') throw new Refused('two networks are connected by a block with a port on each');
    return attach(document, other, network.name);
  }
  const { kind } = level.open.block;
  if (kind === 'unit' || kind === 'element') return link(document, openAt, a, b);
  const networkOf = ({ node, port }: End) => {
    if (port !== undefined) return node.ports.find(({ id }) => id === port)?.network;
    return node.ports.find((one) => one.network !== undefined)?.network;
  };
  const [first, second] = [networkOf(a), networkOf(b)];
  if (first !== undefined && first === second) throw new Refused(`both are on '${first}' already`);
  const joined = first ?? second ?? addNetwork(document);
  if (first !== joined) attach(document, a, joined);
  if (second !== joined) attach(document, b, joined);
}

function attach(document: Document, { node, port }: End, network: string): void {
  const given = port === undefined ? undefined : node.ports.find(({ id }) => id === port);
  if (given !== undefined) return setNetwork(document, given.at, network);
  if (node.portsAt === undefined) throw new Refused(`open '${node.name}' and connect one of its units: it has several`);
  const path = node.portsAt;
  const list = listAt(document, path);
  const free = list.findIndex((one) => typeof one === 'object' && one !== null && !('network' in one));
  if (port === undefined && free !== -1) return setNetwork(document, [...path, free], network);
  const name = freeName(`eth${list.length}`, portNames(list));
  append(document, path, name === `eth${list.length}` ? network : { name, network });
}

const portNames = (ports: readonly unknown[]): string[] =>
  ports.map((port, i) => (typeof port === 'string' ? `eth${i}` : String((port as Fields | null)?.['name'] ?? '')));

/** A port that is written as a network alone stays so; without a network it is written with its name. */
function setNetwork(document: Document, path: Path, network: string | undefined): void {
  const value = valueAt(document, path);
  if (typeof value === 'string') return set(document, path, network ?? { name: `eth${String(path.at(-1))}` });
  if (network === undefined) document.deleteIn([...path, 'network']);
  else set(document, [...path, 'network'], network);
}

/** Takes a port away. Those behind it that have their names by their places keep them. */
function removePort(document: Document, path: Path): void {
  const list = path.slice(0, -1);
  listAt(document, list).forEach((port, i) => {
    if (i > Number(path.at(-1)) && typeof port === 'string')
      set(document, [...list, i], { name: `eth${i}`, network: port });
  });
  removeAt(document, path);
}

function link(document: Document, openAt: Path, a: End, b: End): void {
  const ends = [a, b].map((end) => {
    if (end.node.kind === 'port') return end.node.name;
    if (end.port !== undefined) return `${end.node.name}.${end.port}`;
    const path = end.node.portsAt!;
    const list = listAt(document, path);
    const name = freeName(`p${list.length}`, portNames(list));
    append(document, path, { name });
    return `${end.node.name}.${name}`;
  });
  const path = [...openAt, 'links'];
  append(document, path, { name: freeName('link', namesIn(document, path)), ends });
}

/** The path between nodes in the order in which they were selected. */
export function addChain(document: Document, level: Level, nodes: readonly LevelNode[]): void {
  const blocks = nodes.filter(({ kind }) => kind === 'function' || kind === 'unit');
  if (blocks.length < 2) throw new Refused('select the blocks of the chain in their order: two or more');
  const stops = blocks.map((node) => {
    const path = level.open.path === '' ? node.name : `${level.open.path}/${node.name}`;
    if (node.kind === 'function' && node.inner > 1)
      throw new Refused(`'${node.name}' has several units: open it, or write the chain in the text`);
    return path;
  });
  const chains = ['service', 'chains'];
  const used = listAt(document, chains).map((one) => String((one as Fields)['address'] ?? ''));
  append(document, chains, {
    name: freeName('chain', namesIn(document, chains)),
    from: stops[0],
    ...(stops.length > 2 ? { through: stops.slice(1, -1) } : {}),
    to: stops.at(-1),
    address: freeAddress(used),
  });
}

/** Removes things of the level, and what cannot be without them. */
export function remove(
  document: Document,
  level: Level,
  openAt: Path,
  nodes: readonly LevelNode[],
  edges: readonly LevelEdge[],
): void {
  const { kind, children } = level.open.block;
  const blocks = nodes.filter((node) => node.kind !== 'network' && node.kind !== 'port');
  if (kind === 'function' && blocks.length > 0 && blocks.length >= children.length)
    throw new Refused('a function has a unit at least: delete the function instead');
  const ports = nodes.filter((node) => node.kind === 'port');
  dropLinks(document, openAt, (end) => {
    const { path, port } = splitPortReference(end);
    return port === undefined ? ports.some(({ name }) => name === path) : blocks.some(({ name }) => name === path);
  });
  const detached = edges.filter((edge) => edge.kind === 'attached' && !nodes.some(({ id }) => id === edge.source));
  for (const edge of detached) setNetwork(document, edge.at, undefined);
  for (const network of nodes) if (network.kind === 'network') detachAll(document, network.name);
  const chains = new Set(edges.flatMap((edge) => (edge.kind === 'chain' ? edge.name : [])));
  const links = new Set(edges.flatMap((edge) => (edge.kind === 'link' ? edge.name : [])));
  dropFrom(document, ['service', 'chains'], (chain) => chains.has(String(chain['name'])));
  dropFrom(document, [...openAt, 'links'], (one) => links.has(String(one['name'])));
  for (const path of backwards(ports.map(({ at }) => at))) removePort(document, path);
  for (const path of backwards(blocks.map(({ at }) => at))) removeAt(document, path);
  dropFrom(document, ['service', 'networks'], (network) =>
    nodes.some((node) => node.kind === 'network' && node.name === network['name']),
  );
  // A service has a list of functions, be it empty.
  if (kind === 'service' && valueAt(document, ['service', 'functions']) === undefined)
    set(document, ['service', 'functions'], []);
  dropReferences(
    document,
    blocks.map(({ name }) => (level.open.path === '' ? name : `${level.open.path}/${name}`)),
  );
}

/** Last first, so that the places of the others stay right. */
const backwards = (paths: readonly Path[]): readonly Path[] =>
  paths.toSorted((a, b) => Number(b.at(-1)) - Number(a.at(-1)));

/** Ports on the network, wherever they are, are on none. */
function detachAll(document: Document, network: string): void {
  const visitBlock = (path: Path, fields: Fields): void => {
    const ports = Array.isArray(fields['ports']) ? fields['ports'] : [];
    ports.forEach((port, i) => {
      const is = typeof port === 'string' ? port : (port as Fields | null)?.['network'];
      if (is === network) setNetwork(document, [...path, 'ports', i], undefined);
    });
    for (const list of ['functions', 'units', 'elements'])
      if (Array.isArray(fields[list]))
        fields[list].forEach((child, i) => visitBlock([...path, list, i], (child ?? {}) as Fields));
  };
  visitBlock(['service'], (valueAt(document, ['service']) ?? {}) as Fields);
}

/** What a form says of a field; nothing takes it away, and what is empty after that. */
export function setField(document: Document, path: Path, value: unknown): void {
  if (value !== undefined) {
    for (let depth = 1; depth < path.length; depth += 1) {
      const above = path.slice(0, depth);
      if (document.getIn(above) === undefined) set(document, above, {});
    }
    // A port that is written as its network alone has no other fields yet.
    const above = path.slice(0, -1);
    const short = valueAt(document, above);
    if (typeof short === 'string' && above.at(-2) === 'ports')
      set(document, above, { name: `eth${String(above.at(-1))}`, network: short });
    return set(document, path, value);
  }
  document.deleteIn(path);
  for (let depth = path.length - 1; depth > 0; depth -= 1) {
    const above = path.slice(0, depth);
    const left = valueAt(document, above);
    if (
      typeof path[depth - 1] !== 'string' ||
      left === null ||
      typeof left !== 'object' ||
      Object.keys(left).length > 0
    )
      return;
    document.deleteIn(above);
  }
}
