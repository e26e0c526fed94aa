import type { Path } from '@superfluidity/dialects/languages';
import { isNode } from 'yaml';
import { documentOf } from './core/document.ts';
import type { Level, LevelEdge, LevelNode } from './core/level.ts';
import type { Version } from './core/history.ts';
import type { Drawn } from './core/operations.ts';
import { nodeAt, spanOf } from './core/places.ts';
import { openIn, textIn } from './core/tree.ts';
import type { Reveal } from './editor/text-editor.tsx';
import type { Subject } from './properties-panel.tsx';

/** Where the text says a thing of the graph. */
export function placeOf(design: Drawn, thing: LevelNode | LevelEdge): Reveal | undefined {
  const { text, language } = design.reading.version;
  return language === 'native' ? rangeOf(text, thing.at) : spanOf(design, thing);
}

/** The thing of the graph that the text says at an offset. */
export function thingAt(design: Drawn, offset: number, file: string): string | undefined {
  const { text, language } = design.reading.version;
  return language === 'native' ? nodeAtOffset(text, design.level, offset) : nodeAt(design, offset, file);
}

/** Where a part of a native descriptor stands. */
function rangeOf(text: string, at: Path): Reveal | undefined {
  const node = documentOf(text).getIn(at, true);
  if (!isNode(node) || node.range === undefined || node.range === null) return undefined;
  return { from: node.range[0], to: node.range[1] };
}

/** A line of the design; of a tree of files, of one of them. */
export function offsetOfLine(version: Version, line: number, path?: string): Reveal {
  const file = openIn(version, path);
  const text = textIn(version, file) ?? '';
  let from = 0;
  for (let at = 1; at < line; at += 1) {
    const next = text.indexOf('\n', from);
    if (next === -1) break;
    from = next + 1;
  }
  const end = text.indexOf('\n', from);
  return { from, to: end === -1 ? text.length : end, ...(version.others === undefined ? {} : { file }) };
}

/** The thing of the level in whose text the cursor is: the innermost. */
function nodeAtOffset(text: string, level: Level, offset: number): string | undefined {
  if (level.isProgram) return undefined;
  const document = documentOf(text);
  let best: { readonly id: string; readonly size: number } | undefined;
  for (const { id, at } of level.nodes) {
    const node = document.getIn(at, true);
    if (!isNode(node) || node.range === undefined || node.range === null) continue;
    const [from, , to] = node.range;
    if (offset < from || offset > to || (best !== undefined && best.size <= to - from)) continue;
    best = { id, size: to - from };
  }
  return best?.id;
}

/** What the form is about: the one thing that is selected, else what is open. */
export function subjectOf(level: Level, selected: readonly string[], openAt: Path): Subject | undefined {
  const [only, ...others] = selected;
  if (only === undefined || others.length > 0) {
    const { kind, name } = level.open.block;
    return others.length > 0 ? undefined : { title: `${kind} ${name}`, at: openAt, ports: [] };
  }
  const node = level.nodes.find(({ id }) => id === only);
  if (node !== undefined) {
    const ports = node.ports.map(({ id, at }) => ({ id, at }));
    return { title: `${node.kind} ${node.name}`, at: node.at, ports: level.isProgram ? [] : ports };
  }
  const edge = level.edges.find(({ id }) => id === only);
  if (edge === undefined) return undefined;
  return {
    title: edge.kind === 'attached' ? `port ${edge.name}` : `${edge.kind} ${edge.name}`,
    at: edge.at,
    ports: [],
  };
}
