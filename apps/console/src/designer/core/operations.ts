import type { Path } from '@superfluidity/dialects/languages';
import { rename as renameIn } from '@superfluidity/language';
import type { Service } from '@superfluidity/model';
import { isScalar, parseDocument } from 'yaml';
import { addElement, configureElement, linkElements, removeElements } from './click-edits.ts';
import { addBlock, addChain, connect, type End, remove, setField } from './edits.ts';
import { copied, fragmentOf, paste } from './fragment.ts';
import { type Level, type LevelEdge, levelOf, type LevelNode } from './level.ts';
import type { PaletteEntry } from './palette.ts';
import { fileOf, type Reading, readVersion } from './reading.ts';
import { type Edited, editYaml, set } from './yaml-edit.ts';

/** A design that could be read, and what of it is open: what a person changes in the graph. */
export interface Drawn {
  readonly reading: Reading;
  readonly service: Service;
  readonly level: Level;
}

export function drawn(reading: Reading, path: string): Drawn | undefined {
  const { service } = reading;
  return service === undefined ? undefined : { reading, service, level: levelOf(reading, service, path) };
}

/** A change, with what is selected then. */
export type Done = Edited & { readonly selects?: readonly string[] };

const openAt = ({ reading, level }: Drawn): Path => reading.documentPath(level.open.at);

function onText(design: Drawn, change: Parameters<typeof editYaml>[1]): Edited {
  const { language, text } = design.reading.version;
  if (language !== 'native')
    return { refused: 'the graph of this text is only shown: make it a native descriptor first' };
  return editYaml(text, change);
}

function onProgram(design: Drawn, program: () => string): Edited {
  return onText(design, (document) => {
    const node = document.getIn([...openAt(design), 'program'], true);
    const text = program();
    if (isScalar(node)) {
      node.value = text;
      if (text.includes('\n')) node.type = 'BLOCK_LITERAL';
    } else set(document, [...openAt(design), 'program'], text);
  });
}

export function add(design: Drawn, entry: Pick<PaletteEntry, 'kind' | 'template'>): Done {
  let id = '';
  const { level } = design;
  const edited =
    level.isProgram && entry.kind === 'element'
      ? onProgram(design, () => {
          const click = (
            entry.template['carried'] as { click?: { class?: string; configuration?: string } } | undefined
          )?.click;
          const added = addElement(level.open.block, click?.class ?? 'Null', click?.configuration);
          id = `block:${added.name}`;
          return added.program;
        })
      : onText(design, (document) => {
          id = addBlock(document, level, openAt(design), entry.kind, entry.template);
        });
  return { ...edited, selects: [id] };
}

export function removed(design: Drawn, nodes: readonly LevelNode[], edges: readonly LevelEdge[]): Done {
  const { level } = design;
  const edited =
    level.isProgram && nodes.every(({ kind }) => kind === 'element')
      ? onProgram(design, () => removeElements(level.open.block, nodes, edges))
      : onText(design, (document) => remove(document, level, openAt(design), nodes, edges));
  return { ...edited, selects: [] };
}

export function connected(design: Drawn, from: End, to: End): Edited {
  const { level } = design;
  return level.isProgram
    ? onProgram(design, () => linkElements(level.open.block, from, to))
    : onText(design, (document) => connect(document, level, openAt(design), from, to));
}

export function chained(design: Drawn, nodes: readonly LevelNode[]): Edited {
  return onText(design, (document) => addChain(document, design.level, nodes));
}

export function fragment(design: Drawn, nodes: readonly LevelNode[], edges: readonly LevelEdge[]): string {
  return copied(design.reading.version.text, design.level, nodes, edges);
}

export function pasted(design: Drawn, clipboard: string): Done {
  const parts = fragmentOf(clipboard);
  if (parts === undefined) return { refused: 'the clipboard has no part of a design' };
  if (design.level.isProgram) return { refused: 'a program takes elements from the palette alone' };
  let selects: readonly string[] = [];
  const edited = onText(design, (document) => {
    selects = paste(document, design.level, openAt(design), parts);
  });
  return { ...edited, selects };
}

/** A field of what stands at a path; nothing takes it away. */
export function field(design: Drawn, path: Path, value: unknown): Edited {
  return onText(design, (document) => setField(document, path, value));
}

export function configured(
  design: Drawn,
  name: string,
  what: 'class' | 'configuration',
  value: string | undefined,
): Edited {
  return onProgram(design, () => configureElement(design.level.open.block, name, what, value));
}

/** Another name, wherever it is named: as the editor does it. */
export function renamed(design: Drawn, at: Path, name: string): Edited {
  const { text, language } = design.reading.version;
  if (language !== 'native') return { refused: 'names of this text are changed in the text' };
  const node = parseDocument(text).getIn([...at, 'name'], true);
  if (!isScalar(node) || node.range === undefined || node.range === null)
    return { refused: 'it has its name by its place' };
  // Behind a quote, where there is one.
  const offset = node.range[0] + (/^["']/.test(text.slice(node.range[0], node.range[0] + 1)) ? 1 : 0);
  const result = renameIn({ path: fileOf({ language }), text, language }, offset, name);
  if ('refused' in result) return result;
  let after = text;
  for (const { from, to, text: put } of result.edits.toSorted((a, b) => b.from - a.from))
    after = after.slice(0, from) + put + after.slice(to);
  return { text: after };
}

/** All of a service as what the clipboard would hold of it. */
export function everything(text: string): string | undefined {
  const design = drawn(readVersion({ text, language: 'native' }), '');
  return design === undefined ? undefined : fragment(design, design.level.nodes, design.level.edges);
}
