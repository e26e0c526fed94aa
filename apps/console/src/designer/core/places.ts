import { TextPositions } from '@superfluidity/dialects/languages';
import { namesOf, type LanguageDocument, type Span } from '@superfluidity/language';
import type { LevelNode } from './level.ts';
import { statementOf } from './nemo-edits.ts';
import type { Drawn } from './operations.ts';
import { fileOf, type Reading } from './reading.ts';

/** Where scripts and programs say what is drawn of them. Native descriptors know it by paths instead. */
export function spanOf(design: Drawn, node: LevelNode): Span | undefined {
  return design.reading.version.language === 'nemo' ? statementOf(design, node) : elementNamed(design, node);
}

export function nodeAt(design: Drawn, offset: number): string | undefined {
  return design.level.nodes.find((node) => {
    const at = spanOf(design, node);
    return at !== undefined && at.from <= offset && offset <= at.to;
  })?.id;
}

const documents = new WeakMap<Reading, LanguageDocument>();

function languageDocument(reading: Reading): LanguageDocument {
  const { text, language } = reading.version;
  const document = documents.get(reading) ?? { path: fileOf({ language }), text, language };
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
    position === undefined ? [] : [{ severity, line: position.line }],
  );
  if (said.length === 0 || reading.version.language === 'native') return design;
  const positions = new TextPositions(reading.version.text, fileOf(reading.version));
  const nodes = level.nodes.map((node): LevelNode => {
    const at = spanOf(design, node);
    if (at === undefined) return node;
    const here = said.filter(
      ({ line }) =>
        (positions.lineStart(line + 1) ?? Infinity) > at.from && (positions.lineStart(line) ?? Infinity) < at.to,
    );
    const errors = here.filter(({ severity }) => severity === 'error').length;
    return { ...node, errors, warnings: here.length - errors };
  });
  return { ...design, level: { ...level, nodes } };
}
