import { append } from '@superfluidity/core';
import { nameIn, type NemoNode, nemoTypes, type NemoValue } from '@superfluidity/dialects/languages';
import { edited, rename, type Span } from '@superfluidity/language';
import type { Network } from '@superfluidity/model';
import { type End, freeAddress, freeName, freePrefix } from './edits.ts';
import type { LevelEdge, LevelNode } from './level.ts';
import {
  type Change,
  connectionText,
  endText,
  type Making,
  NemoScript,
  nodeText,
  type Properties,
  propertiesOf,
  typedOf,
  valueOf,
  withoutStatement,
} from './nemo-script.ts';
import { contains, NemoScope } from './nemo-scope.ts';
import type { Drawn } from './operations.ts';
import type { PaletteEntry } from './palette.ts';
import type { Reading } from './reading.ts';
import { type Edited, Refused } from './yaml-edit.ts';

/**
 * Changes of the graph of a NEMO script. What is drawn are nodes, and those connections that are networks by themselves: at the
 * top, or, of a node that is open, those of its model. A change makes, changes or takes away whole statements or members, and
 * leaves every other as it was written; one inside of a model is one in all nodes of that model.
 */

/** What of a script a node of the graph is. */
interface Written {
  readonly kind: 'node' | 'connection';
  readonly name: string;
}

const scripts = new WeakMap<Reading, NemoScript>();

function nemoScript({ reading }: Pick<Drawn, 'reading'>): NemoScript {
  const script = scripts.get(reading) ?? new NemoScript(reading.version.text);
  scripts.set(reading, script);
  return script;
}

/** Where what is open is said; undefined where it is made by the text in another way. */
export function scopeOf(design: Drawn): NemoScope | undefined {
  const { line, open } = design.level;
  const script = nemoScript(design);
  if (open.block.kind === 'service') return NemoScope.top(script);
  if (open.block.kind !== 'function' || line.length !== 2) return undefined;
  return NemoScope.inside(script, NemoScope.top(script).node(nameIn('nemo', open.block))?.item.type);
}

export function mustScope(design: Drawn): NemoScope {
  const scope = scopeOf(design);
  if (scope === undefined) throw new Refused('nothing is made inside of it here: give its model nodes in the text');
  return scope;
}

/** As names of a script become labels. */
export const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]+/g, '-');

export function writtenOf(design: Drawn, node: Pick<LevelNode, 'kind' | 'name'>): Written | undefined {
  const { open } = design.level;
  if (node.kind === 'port') return undefined;
  if (node.kind !== 'network') {
    const block = open.block.children.find(({ name }) => name === node.name);
    const name = block === undefined ? '' : nameIn('nemo', block);
    // Inside of a model, what is of another model within it has that in its name.
    const isDirect = open.block.kind === 'service' || plain(name) === plain(node.name);
    return block === undefined || !isDirect ? undefined : { kind: 'node', name };
  }
  const network = design.service.networks.find(({ name }) => name === node.name);
  if (network === undefined) return undefined;
  if (open.block.kind === 'service')
    return { kind: isConnection(network) ? 'connection' : 'node', name: nameIn('nemo', network) };
  const made = [...(scopeOf(design)?.all('Connection') ?? []), ...(scopeOf(design)?.all('Node') ?? [])];
  const found = made.find(({ item }) => plain(`${open.block.name}-${item.name}`) === plain(network.name));
  return found === undefined
    ? undefined
    : { kind: found.item.kind === 'Node' ? 'node' : 'connection', name: found.item.name };
}

const isConnection = ({ carried }: Network): boolean =>
  typeof (carried?.['nemo'] as { readonly connection?: unknown } | undefined)?.connection === 'string';

function known(design: Drawn, scope: NemoScope, node: LevelNode): Written {
  const written = writtenOf(design, node);
  if (written !== undefined && scope[written.kind](written.name) !== undefined) return written;
  throw new Refused(
    scope.model === undefined
      ? `'${node.name}' is made by a model: open what it is in`
      : `'${node.name}' is not made by the model '${scope.model.item.name}': a model knows what is inside of it`,
  );
}

/** The statement that makes what a node of the graph is. */
export function statementOf(design: Drawn, node: Pick<LevelNode, 'kind' | 'name'>): Span | undefined {
  const written = writtenOf(design, node);
  return written === undefined ? undefined : scopeOf(design)?.[written.kind](written.name);
}

/** Types of nodes: those that NEMO has, and the models of the script. */
export function nemoPalette(design: Drawn): readonly PaletteEntry[] {
  const scope = scopeOf(design);
  if (scope === undefined) return [];
  const own = scope.script.models
    .filter(({ item }) => scope.model === undefined || !contains(scope.script, item.name, scope.model.item.name))
    .map(({ item }) => ({ name: item.name, role: 'function', about: 'A model of this script' }));
  const has = [...nemoTypes].flatMap(([name, { role }]) =>
    // Networks have addresses of their own, which not every node of a model can have.
    role === 'chain' || (scope.model !== undefined && role !== 'function') ? [] : [{ name, role, about: abouts[role] }],
  );
  return [...own, ...has].map(({ name, role, about }) => ({
    id: `nemo:${name}`,
    label: name,
    kind: role === 'network' ? 'network' : 'function',
    template: { nemo: name },
    about,
  }));
}

const abouts = { function: 'Something that runs', network: 'A network', external: 'A network outside' } as const;

/** What has to be said of nodes of types that NEMO has, until somebody says better. */
const placeholders: Readonly<Record<string, string>> = {
  location: 'here',
  'operating-mode': 'layer3',
  'ac-info-network': 'layer3',
  'ac-info-protocol': 'static',
};

export function addNode(
  design: Drawn,
  entry: Pick<PaletteEntry, 'kind' | 'template'>,
): { readonly text: string; readonly id: string } {
  const scope = mustScope(design);
  const { script } = scope;
  const type = String(entry.template['nemo'] ?? '');
  const builtIn = nemoTypes.get(type);
  const model = script.model(type);
  if (builtIn === undefined && model === undefined)
    throw new Refused('a script takes nodes of types of NEMO, or of models of its own');
  scope.mustTake(type);
  const name = freeName(
    type,
    scope.all('Node').map(({ item }) => item.name),
  );
  const prefix = freePrefix(design.service.networks.map((network) => network.prefix));
  const address: Properties =
    builtIn?.role === 'network' || builtIn?.role === 'external'
      ? [
          ['ip-prefix', prefix],
          ...(type === 'l2-group' ? ([['gateway-ip', prefix.replace(/0\/\d+$/, '1')]] as const) : []),
        ]
      : [];
  const runs: Properties =
    model?.parameters.has('environment') === true
      ? [['environment', 'container'], ...(model.parameters.has('image') ? ([['image', 'host:']] as const) : [])]
      : [];
  const required: Properties = (builtIn?.required ?? []).map((one) => [one, placeholders[one] ?? 'unknown']);
  const item = { kind: 'Node', name, type, at: { file: '', line: 1, column: 1 }, properties: [] } as const;
  const text = nodeText({ verb: scope.verb, item, from: 0, to: 0 }, [...required, ...address, ...runs]);
  return { text: scope.appended(text), id: entry.kind === 'network' ? `net:${name}` : `block:${name}` };
}

export function connectNodes(design: Drawn, from: End, to: End): string {
  const scope = mustScope(design);
  const [a, b] = [known(design, scope, from.node), known(design, scope, to.node)];
  if (a.kind === b.kind && a.name === b.name) throw new Refused('a connection leads from one thing to another');
  if (a.kind === 'connection' && b.kind === 'connection') throw new Refused('two connections meet in a node');
  if (from.node.kind === 'network' && to.node.kind === 'network' && a.kind === 'node' && b.kind === 'node')
    throw new Refused('two networks are connected by a node that forwards');
  const connection = a.kind === 'connection' ? a : b.kind === 'connection' ? b : undefined;
  if (connection !== undefined) {
    const making = scope.connection(connection.name)!;
    const [other, end] = connection === a ? [b, to] : [a, from];
    const ends = [...(making.item.ends ?? []).map(endText), endOf(scope, other, end)];
    return edited(scope.script.text, [{ from: making.from, to: making.to, text: connectionText(making, ends) }]);
  }
  const name = freeName(
    `${a.name}-${b.name}`,
    scope.all('Connection').map(({ item }) => item.name),
  );
  const ends = [endOf(scope, a, from), endOf(scope, b, to)];
  return scope.appended(`${made(scope)}Connection ${name} Type p2p Endnodes ${ends.join(', ')};`);
}

const made = ({ verb }: NemoScope): string => (verb === '' ? '' : `${verb} `);

/** A node whose model shows connection points is connected by one of them: by that of the port, else by a free one. */
function endOf(scope: NemoScope, { name }: Written, { port }: End): string {
  const model = scope.script.model(scope.node(name)?.item.type);
  const points = (model?.members ?? []).flatMap((one) => (one.kind === 'ConnectionPoint' ? [one.name] : []));
  if (points.length === 0) return name;
  const chosen = points.find((point) => port !== undefined && (port === point || port.endsWith(`.${point}`)));
  const used = new Set(scope.all('Connection').flatMap(({ item }) => (item.ends ?? []).map(endText)));
  const free = chosen ?? points.find((point) => !used.has(`${name}.${point}`));
  if (free === undefined) throw new Refused(`every connection point of '${name}' is connected`);
  return `${name}.${free}`;
}

export function removeNodes(design: Drawn, nodes: readonly LevelNode[], edges: readonly LevelEdge[]): string {
  const scope = mustScope(design);
  const { script } = scope;
  const gone = { node: new Set<string>(), connection: new Set<string>() };
  for (const node of nodes) {
    const { kind, name } = known(design, scope, node);
    gone[kind].add(name);
  }
  const cut = edges.filter(({ kind }) => kind === 'attached').map((edge) => endsOfEdge(design, scope, edge));
  const chains = new Set(
    edges.flatMap(({ kind, name }) => {
      const chain = kind === 'chain' ? design.service.chains.find((one) => one.name === name) : undefined;
      return chain === undefined ? [] : [nameIn('nemo', chain)];
    }),
  );
  const changes: Change[] = [];
  for (const making of scope.all('Node')) {
    const { name, contain } = making.item;
    if (gone.node.has(name)) changes.push(withoutStatement(script.text, making));
    else if (contain?.some(({ node }) => gone.node.has(node)) === true)
      changes.push(withoutMembers(script.text, making, gone.node));
  }
  for (const making of scope.all('Connection')) {
    const { name, ends = [] } = making.item;
    if (gone.connection.has(name)) {
      changes.push(withoutStatement(script.text, making));
      continue;
    }
    const touched = cut.filter(
      (one) => one.connection === name || (one.connection === undefined && one.isWith(ends.map(({ node }) => node))),
    );
    const stays = ends.filter(({ node }) => !gone.node.has(node) && !touched.some((one) => one.node === node));
    if (stays.length === ends.length) continue;
    changes.push(
      stays.length < 2
        ? withoutStatement(script.text, making)
        : { from: making.from, to: making.to, text: connectionText(making, stays.map(endText)) },
    );
  }
  append(changes, withoutFlows(scope, chains, gone.node));
  const inside = scope.all('Node').length;
  if (scope.model !== undefined && gone.node.size >= inside)
    throw new Refused('a node is left inside of a model at least: take the model away in the text');
  if (changes.length === 0) throw new Refused('nothing in the script makes this by itself: change it in the text');
  return edited(script.text, changes);
}

/** A group without some of what it contains; one that contains nothing is none. */
function withoutMembers(text: string, making: Making<NemoNode>, gone: ReadonlySet<string>): Change {
  const contain = making.item.contain!.filter(({ node }) => !gone.has(node));
  if (contain.length === 0) return withoutStatement(text, making);
  return { from: making.from, to: making.to, text: nodeText({ ...making, item: { ...making.item, contain } }) };
}

/** Takes away chains, and with a node the flows that lead through it: the rest of a way is another way. */
function withoutFlows(scope: NemoScope, chains: ReadonlySet<string>, gone: ReadonlySet<string>): readonly Change[] {
  const namesGone = (value: NemoValue | undefined) =>
    (typeof value === 'string' ? [value] : Array.isArray(value) ? value : []).some((name) =>
      gone.has(String(name).split('.')[0]!),
    );
  const flows = new Set(
    scope.all('Flow').flatMap(({ item }) => {
      const path = item.properties.find(({ name }) => name === 'path');
      return chains.has(item.name) || namesGone(path?.value) ? [item.name] : [];
    }),
  );
  const operations = scope.all('Operation').filter(({ item: { name, target = '', actions } }) => {
    const through = actions.find((action) => action.name === 'go-through');
    return chains.has(name) || flows.has(target) || gone.has(target) || namesGone(through?.value);
  });
  const left = new Set(operations.flatMap(({ item }) => item.target ?? []));
  const ways = scope.all('Flow').filter(({ item }) => flows.has(item.name) || left.has(item.name));
  return [...operations, ...ways].map((making) => withoutStatement(scope.script.text, making));
}

/** What an attachment is in the script: an end of the connection that the network is, or of one that joins node and group. */
function endsOfEdge(design: Drawn, scope: NemoScope, edge: LevelEdge) {
  const of = (id: string) => design.level.nodes.find((node) => node.id === id)!;
  const [node, network] = [known(design, scope, of(edge.source)), known(design, scope, of(edge.target))];
  const isWith = (ends: readonly string[]) => ends.includes(node.name) && ends.includes(network.name);
  return { node: node.name, connection: network.kind === 'connection' ? network.name : undefined, isWith };
}

/** A flow along the nodes in their order, by its path. */
export function chainOfNodes(design: Drawn, nodes: readonly LevelNode[]): string {
  const scope = mustScope(design);
  if (scope.model !== undefined) throw new Refused('flows inside of a model are not carried out: make it outside');
  const path = nodes.map((node) => {
    if (node.kind !== 'function') throw new Refused('a flow passes nodes: select those that run');
    return known(design, scope, node).name;
  });
  if (new Set(path).size < Math.max(2, path.length)) throw new Refused('a flow leads from one node to another');
  const name = freeName(
    'flow',
    scope.all('Flow').map(({ item }) => item.name),
  );
  const address = freeAddress(design.service.chains.map((chain) => chain.address));
  return scope.appended(`CREATE Flow ${name} Match dst-ip: ${address} Property path: [${path.join(', ')}];`);
}

export function renameNemo(design: Drawn, node: LevelNode, name: string): Edited {
  const scope = mustScope(design);
  const written = known(design, scope, node);
  const offset = scope.nameAt(written.kind, written.name);
  if (offset === undefined) throw new Refused(`'${node.name}' has no name of its own`);
  const { text } = scope.script;
  const result = rename({ path: 'script.nemo', text, language: 'nemo' }, offset, name);
  return 'refused' in result ? result : { text: edited(text, result.edits) };
}

/** Fields of a node: the parameters of its type, and what else is said of it. */
export interface NemoField {
  readonly name: string;
  readonly value: string;
  readonly required: boolean;
}

export interface NemoForm {
  readonly name: string;
  /** Of what is inside of a model: the model, and the nodes in which it is changed. */
  readonly inside?: { readonly model: string; readonly nodes: readonly string[] };
  readonly type: string;
  readonly fields: readonly NemoField[];
}

const connectionFields = ['bandwidth', 'delay'];

export function nemoForm(design: Drawn, node: LevelNode): NemoForm | undefined {
  const written = writtenOf(design, node);
  const scope = scopeOf(design);
  const making = written === undefined ? undefined : scope?.[written.kind](written.name);
  if (making === undefined || scope === undefined) return undefined;
  const { name, type = '' } = making.item;
  const said = new Map<string, NemoValue>(propertiesOf(making.item));
  const builtIn = nemoTypes.get(type);
  const parameters =
    written!.kind === 'connection'
      ? connectionFields
      : [...(scope.script.model(type)?.parameters.keys() ?? builtIn?.parameters.keys() ?? [])];
  const names = [...new Set([...parameters, ...said.keys()])];
  return {
    name,
    type,
    ...(scope.model === undefined ? {} : { inside: { model: scope.model.item.name, nodes: scope.instances } }),
    fields: names.map((one) => ({
      name: one,
      value: said.has(one) ? typedOf(said.get(one)!) : '',
      required: builtIn?.required.includes(one) === true,
    })),
  };
}

/** Says something of a node or a connection, or no longer. */
export function setNemoField(design: Drawn, node: LevelNode, field: string, typed: string): string {
  const scope = mustScope(design);
  const { kind, name } = known(design, scope, node);
  const making = scope[kind](name)!;
  const value = typed.trim() === '' ? undefined : valueOf(typed);
  const before = propertiesOf(making.item);
  const isSaid = before.some(([one]) => one === field);
  const after: Properties =
    value === undefined
      ? before.filter(([one]) => one !== field)
      : isSaid
        ? before.map(([one, old]) => [one, one === field ? value : old])
        : [...before, [field, value]];
  const text =
    making.item.kind === 'Node'
      ? nodeText(scope.node(name)!, after)
      : connectionText(scope.connection(name)!, (making.item.ends ?? []).map(endText), after);
  return edited(scope.script.text, [{ from: making.from, to: making.to, text }]);
}
