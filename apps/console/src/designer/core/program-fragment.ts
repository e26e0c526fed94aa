import type { Block, Link } from '@superfluidity/model';
import { freeName } from './edits.ts';
import type { LevelNode } from './level.ts';
import { designLimits } from './limits.ts';
import { Refused } from './yaml-edit.ts';

/** Elements of a Click program as the clipboard holds them, with the connections between them. */
export interface ProgramFragment {
  readonly elements: readonly Block[];
  readonly links: readonly (readonly string[])[];
}

const elementOf = (end: string): string => end.split('.', 1)[0]!;

export function copiedElements(open: Block, nodes: readonly LevelNode[]): ProgramFragment {
  const names = new Set(nodes.flatMap(({ kind, name }) => (kind === 'element' ? [name] : [])));
  return {
    elements: open.children.filter(({ name }) => names.has(name)),
    links: open.links.flatMap(({ ends }) => (ends.every((end) => names.has(elementOf(end))) ? [ends] : [])),
  };
}

/** What a clipboard holds, whoever wrote it; undefined when it is no elements. */
export function programFragmentOf(value: unknown): ProgramFragment | undefined {
  const { elements, links } = (value ?? {}) as { readonly elements?: unknown; readonly links?: unknown };
  if (!Array.isArray(elements)) return undefined;
  const room = { left: designLimits.drawn };
  const blocks = elements.map((one) => elementBlock(one, 0, room));
  if (blocks.some((one) => one === undefined)) return undefined;
  return { elements: blocks as Block[], links: Array.isArray(links) ? links.filter(isEnds) : [] };
}

const DEPTH_MAX = 20;
const isEnds = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((end) => typeof end === 'string');

function elementBlock(value: unknown, depth: number, room: { left: number }): Block | undefined {
  room.left -= 1;
  if (value === null || typeof value !== 'object' || depth > DEPTH_MAX || room.left < 0) return undefined;
  const { name, ports = [], children = [], links = [], carried } = value as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || !Array.isArray(ports) || !Array.isArray(children) || !Array.isArray(links))
    return undefined;
  const said = ((carried ?? {}) as { readonly click?: unknown }).click ?? {};
  const click = Object.fromEntries(Object.entries(said).filter(([, one]) => typeof one === 'string'));
  const inner = children.map((one) => elementBlock(one, depth + 1, room));
  if (inner.some((one) => one === undefined)) return undefined;
  return {
    kind: 'element',
    name,
    ports: ports.flatMap((port: { readonly name?: unknown } | null) =>
      typeof port?.name === 'string' ? [{ name: port.name }] : [],
    ),
    children: inner as Block[],
    links: links.flatMap((link: Partial<Link> | null) =>
      typeof link?.name === 'string' && isEnds(link.ends) ? [{ name: link.name, ends: link.ends }] : [],
    ),
    requirements: {},
    carried: { click },
  };
}

/** Puts them into what is open; names that are taken get a number. */
export function pasteElements(
  open: Block,
  { elements, links }: ProgramFragment,
): { readonly changed: Block; readonly names: readonly string[] } {
  if (elements.length === 0) throw new Refused('the clipboard has no elements');
  const taken = open.children.map(({ name }) => name);
  const renamed = new Map<string, string>();
  const added = elements.map((one): Block => {
    const name = freeName(one.name, taken);
    taken.push(name);
    renamed.set(one.name, name);
    if (name === one.name) return one;
    // The name that it had in the program is taken by another.
    const { id: _was, ...said } = (one.carried?.['click'] ?? {}) as Readonly<Record<string, unknown>>;
    return { ...one, name, carried: { click: said } };
  });
  const names = open.links.map(({ name }) => name);
  const connected = links.map((ends): Link => {
    const name = freeName('new', names);
    names.push(name);
    return { name, ends: ends.map((end) => `${renamed.get(elementOf(end)) ?? ''}${end.slice(elementOf(end).length)}`) };
  });
  return {
    changed: { ...open, children: [...open.children, ...added], links: [...open.links, ...connected] },
    names: added.map(({ name }) => name),
  };
}
