import { formatPath, type Path, TextPositions, yamlTrees } from '@superfluidity/dialects/languages';
import { namesOf, type LanguageDocument, type Span } from '@superfluidity/language';
import { isCollection, isNode, type Range, visit } from 'yaml';
import type { LevelEdge, LevelNode } from './level.ts';
import { statementOf } from './nemo-edits.ts';
import type { Drawn } from './operations.ts';
import { fileOf, type Reading } from './reading.ts';
import { openIn, textIn } from './tree.ts';

/** A part of a text, of a tree of files in one of them. */
export interface Place extends Span {
  readonly file?: string;
}

/** Where texts say what is drawn of them. Native descriptors know it by paths instead. */
export function spanOf(design: Drawn, thing: LevelNode | LevelEdge): Place | undefined {
  if (design.reading.native !== undefined) return partAt(design.reading, thing.at);
  if (!('ports' in thing)) return undefined;
  return design.reading.version.language === 'nemo' ? statementOf(design, thing) : elementNamed(design, thing);
}

/** The innermost thing in whose text an offset is; of a tree, in the text of a file. */
export function nodeAt(design: Drawn, offset: number, file?: string): string | undefined {
  const around = design.level.nodes.flatMap(({ id, ...node }) => {
    const at = spanOf(design, { id, ...node });
    const isHere = at !== undefined && (at.file === undefined || at.file === file);
    return isHere && at.from <= offset && offset <= at.to ? [{ id, size: at.to - at.from }] : [];
  });
  return around.toSorted((a, b) => a.size - b.size)[0]?.id;
}

const spans = new WeakMap<Reading, Map<string, ReadonlyMap<number, number>>>();

/** What begins at an offset of a text ends there: a field that is a group, else the widest of it. */
function endsOf(reading: Reading, text: string): ReadonlyMap<number, number> {
  const own = spans.get(reading) ?? new Map<string, ReadonlyMap<number, number>>();
  spans.set(reading, own);
  const known = own.get(text);
  if (known !== undefined) return known;
  const ends = new Map<number, number>();
  const groups = new Map<number, number>();
  for (const document of yamlTrees(text) ?? [])
    visit(document, {
      Pair(_key, { key, value }) {
        if (isNode(key) && isCollection(value) && isRange(key.range) && isRange(value.range))
          groups.set(key.range[0], value.range[1]);
      },
      Node(_key, { range }) {
        if (isRange(range)) ends.set(range[0], Math.max(range[1], ends.get(range[0]) ?? 0));
      },
    });
  for (const [from, to] of groups) ends.set(from, to);
  own.set(text, ends);
  return ends;
}

const isRange = (range: Range | null | undefined): range is Range => range !== null && range !== undefined;

/** Where a text of another dialect speaks of a part, which has a path of the native descriptor. */
function partAt(reading: Reading, at: Path): Place | undefined {
  const position = reading.locate?.(modelPath(at));
  if (position === undefined) return undefined;
  const { version } = reading;
  const file = version.others === undefined ? undefined : openIn(version, position.file);
  const text = file === undefined ? version.text : (textIn(version, file) ?? '');
  const from = (new TextPositions(text, '').lineStart(position.line) ?? text.length) + position.column - 1;
  const line = text.indexOf('\n', from);
  const to = endsOf(reading, text).get(from) ?? (line === -1 ? text.length : line);
  return { from, to, ...(file === undefined ? {} : { file }) };
}

/** `service.functions[1].ports[0]` is `functions[1].units[0].ports[0]` where a function is written as its only unit. */
function modelPath([, ...path]: Path): string {
  const [list, index, next, ...rest] = path;
  const isShort = list === 'functions' && next !== undefined && next !== 'units';
  return formatPath(isShort ? [list, index!, 'units', 0, next, ...rest] : path);
}

const documents = new WeakMap<Reading, LanguageDocument>();

function languageDocument(reading: Reading): LanguageDocument {
  const { text, language } = reading.version;
  const document = documents.get(reading) ?? { path: fileOf({ language, text }), text, language };
  documents.set(reading, document);
  return document;
}

function elementNamed({ reading, level }: Drawn, { kind, name }: LevelNode): Span | undefined {
  if (kind !== 'element') return undefined;
  const carried = level.open.block.children.find((child) => child.name === name)?.carried?.['click'];
  const { id = name } = (carried ?? {}) as { readonly id?: string };
  return namesOf(languageDocument(reading)).find(
    (one) => one.kind === 'element' && one.name === id && one.isDefinition,
  );
}

/** The level with what the check complains of counted where it is said. */
export function marked(design: Drawn): Drawn {
  const { level, reading } = design;
  const said = reading.problems.flatMap(({ severity, position }) =>
    position === undefined ? [] : [{ severity, line: position.line, file: openIn(reading.version, position.file) }],
  );
  if (said.length === 0 || reading.version.language === 'native') return design;
  const known = new Map<string, TextPositions>();
  const positionsIn = (file: string) => {
    const positions = known.get(file) ?? new TextPositions(textIn(reading.version, file) ?? '', file);
    known.set(file, positions);
    return positions;
  };
  const nodes = level.nodes.map((node): LevelNode => {
    const at = spanOf(design, node);
    if (at === undefined) return node;
    const positions = positionsIn(at.file ?? openIn(reading.version, undefined));
    const here = said.filter(
      ({ line, file }) =>
        (at.file === undefined || at.file === file) &&
        (positions.lineStart(line + 1) ?? Infinity) > at.from &&
        (positions.lineStart(line) ?? Infinity) < at.to,
    );
    const errors = here.filter(({ severity }) => severity === 'error').length;
    return { ...node, errors, warnings: here.length - errors };
  });
  return { ...design, level: { ...level, nodes } };
}
