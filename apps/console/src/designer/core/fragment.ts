import type { Path } from '@superfluidity/dialects/languages';
import { type Document, parseDocument, stringify } from 'yaml';
import { addBlock, addNetwork, freeName } from './edits.ts';
import type { Level, LevelEdge, LevelNode } from './level.ts';
import { designLimits } from './limits.ts';
import { append, listAt, Refused, valueAt } from './yaml-edit.ts';

/**
 * What the clipboard holds: a part of a native descriptor, as text, so that it can be pasted into another service, another
 * tab, or a message.
 */
const KEY = 'superfluidity-fragment';
const LISTS = ['networks', 'functions', 'units', 'elements', 'links'] as const;
type Fields = Readonly<Record<string, unknown>>;
type Fragment = { readonly [L in (typeof LISTS)[number]]?: readonly Fields[] } & {
  /** Elements of a program, see program-fragment.ts. */
  readonly click?: unknown;
};

const listOf = {
  function: 'functions',
  unit: 'units',
  element: 'elements',
  network: 'networks',
  port: undefined,
} as const;

/** The selected things, with the networks they are on and the links between them. */
export function copied(text: string, level: Level, nodes: readonly LevelNode[], edges: readonly LevelEdge[]): string {
  const document = parseDocument(text);
  const lists: { [L in (typeof LISTS)[number]]?: Fields[] } = {};
  const add = (list: (typeof LISTS)[number], at: Path) => {
    const value = valueAt(document, at);
    if (value !== undefined && value !== null) (lists[list] ??= []).push(value as Fields);
  };
  const networks = new Set<string>();
  for (const node of nodes) {
    const list = listOf[node.kind];
    if (list === 'networks') networks.add(node.name);
    else if (list !== undefined) add(list, node.at);
    for (const { network } of node.ports) if (network !== undefined) networks.add(network);
  }
  listAt(document, ['service', 'networks']).forEach((network, i) => {
    if (networks.has(String((network as Fields)['name']))) add('networks', ['service', 'networks', i]);
  });
  const ids = new Set(nodes.map(({ id }) => id));
  const links = new Map(
    edges.flatMap((edge) =>
      edge.kind === 'link' && ids.has(edge.source) && ids.has(edge.target) && !level.isProgram
        ? [[edge.at.join('.'), edge.at] as const]
        : [],
    ),
  );
  for (const at of links.values()) add('links', at);
  return fragmentText(lists);
}

export const fragmentText = (parts: object): string => stringify({ [KEY]: 1, ...parts }, { lineWidth: 0 });

/** What a text of the clipboard holds; undefined when it is something else. */
export function fragmentOf(text: string): Fragment | undefined {
  if (!text.includes(KEY) || text.length > designLimits.text) return undefined;
  const document = parseDocument(text);
  if (document.errors.length > 0) return undefined;
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch {
    return undefined;
  }
  if (value === null || typeof value !== 'object' || (value as Fields)[KEY] !== 1) return undefined;
  const isFields = (one: unknown): one is Fields => one !== null && typeof one === 'object' && !Array.isArray(one);
  const lists = LISTS.flatMap((list) => {
    const found = (value as Fields)[list];
    return Array.isArray(found) ? [[list, found.filter(isFields)]] : [];
  });
  return { ...Object.fromEntries(lists), click: (value as Fields)['click'] };
}

/** Puts a fragment into what is open: names that are taken get a number, networks that are there are used. */
export function paste(document: Document, level: Level, openAt: Path, fragment: Fragment): readonly string[] {
  const { networks = [], functions = [], units = [], elements = [], links = [] } = fragment;
  const known = new Set(listAt(document, ['service', 'networks']).map((one) => String((one as Fields)['name'])));
  for (const network of networks) if (!known.has(String(network['name']))) addNetwork(document, network);
  const isService = level.open.block.kind === 'service';
  const renamed = new Map<string, string>();
  const taken = level.open.block.children.map(({ name }) => name);
  const added: string[] = [];
  const kinds = [
    ['function', functions],
    ['unit', units],
    ['element', elements],
  ] as const;
  for (const [kind, list] of kinds)
    for (const one of list) {
      const was = String(one['name'] ?? kind);
      const name = freeName(was, taken);
      taken.push(name);
      renamed.set(was, name);
      const before = { ...level, open: { ...level.open, block: { ...level.open.block, children: [] } } };
      added.push(addBlock(document, before, openAt, kind, { ...one, name }));
    }
  for (const one of isService ? [] : links) {
    const ends = Array.isArray(one['ends']) ? one['ends'] : [];
    const moved = ends.map((end) => {
      const [block = '', port] = String(end).split('.', 2);
      return port === undefined ? block : `${renamed.get(block) ?? block}.${port}`;
    });
    const path = [...openAt, 'links'];
    const names = listAt(document, path).map((link) => String((link as Fields)['name']));
    append(document, path, { ...one, name: freeName(String(one['name'] ?? 'link'), names), ends: moved });
  }
  if (added.length === 0 && networks.length === 0) throw new Refused('the clipboard has nothing for this place');
  return added;
}
