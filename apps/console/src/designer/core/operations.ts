import type { Path } from '@superfluidity/dialects/languages';
import { rename as renameIn } from '@superfluidity/language';
import type { Block, Service } from '@superfluidity/model';
import { isScalar, parseDocument } from 'yaml';
import { addBlock, addChain, connect, type End, remove, setField } from './edits.ts';
import { copied, fragmentOf, fragmentText, paste } from './fragment.ts';
import { type Level, type LevelEdge, levelOf, type LevelNode } from './level.ts';
import { addNode, chainOfNodes, connectNodes, removeNodes, renameNemo, setNemoField } from './nemo-edits.ts';
import { copiedNodes, isNemoFragment, pasteNodes } from './nemo-fragment.ts';
import type { PaletteEntry } from './palette.ts';
import type { Version } from './history.ts';
import { marked } from './places.ts';
import { addElement, configureElement, linkElements, programOf, removeElements } from './program-edits.ts';
import { others } from './others.ts';
import { copiedElements, pasteElements, programFragmentOf } from './program-fragment.ts';
import { type Reading, readVersion } from './reading.ts';
import { type Edited, editYaml, Refused, set } from './yaml-edit.ts';

/** A design that could be read, and what of it is open: what a person changes in the graph. */
export interface Drawn {
  readonly reading: Reading;
  readonly service: Service;
  readonly level: Level;
}

export function drawn(reading: Reading, path: string): Drawn | undefined {
  const { service } = reading;
  return service === undefined ? undefined : marked({ reading, service, level: levelOf(reading, service, path) });
}

/** A change, with what is selected then. */
export type Done = Edited & { readonly selects?: readonly string[] };

const openAt = ({ reading, level }: Drawn): Path => reading.documentPath(level.open.at);

/** What a change throws because it cannot be made is said. */
function attempt<T extends Done>(change: () => T): T | { readonly refused: string } {
  try {
    return change();
  } catch (error) {
    if (error instanceof Refused) return { refused: error.message };
    throw error;
  }
}

function onText({ reading }: Drawn, change: Parameters<typeof editYaml>[1]): Edited {
  const { native, version } = reading;
  if (native === undefined)
    return {
      refused:
        version.language === 'click'
          ? 'a Click configuration is one program: open it, down to its elements'
          : 'in a script this is changed in the text',
    };
  return brought(reading, editYaml(native, change));
}

/** A change of the native descriptor, as one of the text. */
function brought(reading: Reading, edited: Edited): Edited {
  if ('refused' in edited || reading.version.language === 'native') return edited;
  return others().amend(reading, edited.text);
}

/** Changes the block that is open inside of a Click program, and with it the program. */
function onProgram(design: Drawn, change: (open: Block) => Block): Edited {
  const { level, reading } = design;
  const from = level.line.findIndex(({ isProgram }) => isProgram === true);
  const program = () => programOf(level.line.slice(from), change(level.open.block));
  if (reading.version.language === 'click') return attempt(() => ({ text: program() }));
  const at = [...reading.documentPath(level.line[from]!.at), 'program'];
  return onText(design, (document) => {
    const node = document.getIn(at, true);
    const text = program();
    if (isScalar(node)) {
      node.value = text;
      if (text.includes('\n')) node.type = 'BLOCK_LITERAL';
    } else set(document, at, text);
  });
}

const isNemo = ({ reading }: Drawn): boolean => reading.version.language === 'nemo';

export function add(design: Drawn, entry: Pick<PaletteEntry, 'kind' | 'template'>): Done {
  const { level } = design;
  let id = '';
  if (isNemo(design))
    return attempt(() => {
      const added = addNode(design, entry);
      return { text: added.text, selects: [added.id] };
    });
  const edited =
    level.isProgram && entry.kind === 'element'
      ? onProgram(design, (open) => {
          const click = (
            entry.template['carried'] as { click?: { class?: string; configuration?: string } } | undefined
          )?.click;
          const added = addElement(open, click?.class ?? 'Null', click?.configuration);
          id = `block:${added.name}`;
          return added.changed;
        })
      : onText(design, (document) => {
          id = addBlock(document, level, openAt(design), entry.kind, entry.template);
        });
  return { ...edited, selects: [id] };
}

export function removed(design: Drawn, nodes: readonly LevelNode[], edges: readonly LevelEdge[]): Done {
  const { level } = design;
  if (isNemo(design)) return attempt(() => ({ text: removeNodes(design, nodes, edges), selects: [] }));
  const edited =
    level.isProgram && nodes.every(({ kind }) => kind === 'element')
      ? onProgram(design, (open) => removeElements(open, nodes, edges))
      : onText(design, (document) => remove(document, level, openAt(design), nodes, edges));
  return { ...edited, selects: [] };
}

export function connected(design: Drawn, from: End, to: End): Edited {
  const { level } = design;
  if (isNemo(design)) return attempt(() => ({ text: connectNodes(design, from, to) }));
  return level.isProgram
    ? onProgram(design, (open) => linkElements(open, from, to))
    : onText(design, (document) => connect(document, level, openAt(design), from, to));
}

export function chained(design: Drawn, nodes: readonly LevelNode[]): Edited {
  if (isNemo(design)) return attempt(() => ({ text: chainOfNodes(design, nodes) }));
  return onText(design, (document) => addChain(document, design.level, nodes));
}

/** What a script says of a node. */
export function saidOfNode(design: Drawn, node: LevelNode, field: string, value: string): Edited {
  return attempt(() => ({ text: setNemoField(design, node, field, value) }));
}

export function renamedNode(design: Drawn, node: LevelNode, name: string): Edited {
  return attempt(() => renameNemo(design, node, name));
}

export function fragment(design: Drawn, nodes: readonly LevelNode[], edges: readonly LevelEdge[]): string {
  const { level, reading } = design;
  if (level.isProgram) return fragmentText({ click: copiedElements(level.open.block, nodes) });
  return isNemo(design) ? copiedNodes(design, nodes) : copied(reading.native ?? '', level, nodes, edges);
}

export function pasted(design: Drawn, clipboard: string): Done {
  const { level } = design;
  if (isNemoFragment(clipboard)) {
    if (!isNemo(design) || level.isProgram)
      return { refused: 'the clipboard has a part of a NEMO script: make that native, and copy again' };
    return attempt(() => {
      const { text, ids } = pasteNodes(design, clipboard);
      return { text, selects: ids };
    });
  }
  const parts = fragmentOf(clipboard);
  if (parts === undefined) return { refused: 'the clipboard has no part of a design' };
  let selects: readonly string[] = [];
  const elements = programFragmentOf(parts.click);
  if (elements !== undefined || level.isProgram) {
    if (elements === undefined) return { refused: 'a program takes elements of Click alone' };
    if (!level.isProgram) return { refused: 'elements of Click go into a program: open one' };
    const edited = onProgram(design, (open) => {
      const { changed, names } = pasteElements(open, elements);
      selects = names.map((name) => `block:${name}`);
      return changed;
    });
    return { ...edited, selects };
  }
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
  return onProgram(design, (open) => configureElement(open, name, what, value));
}

/** Another name, wherever it is named: as the editor does it. */
export function renamed(design: Drawn, at: Path, name: string): Edited {
  const { native: text } = design.reading;
  if (text === undefined) return { refused: 'names of this text are changed in the text' };
  const node = parseDocument(text).getIn([...at, 'name'], true);
  if (!isScalar(node) || node.range === undefined || node.range === null)
    return { refused: 'it has its name by its place' };
  // Behind a quote, where there is one.
  const offset = node.range[0] + (/^["']/.test(text.slice(node.range[0], node.range[0] + 1)) ? 1 : 0);
  const result = renameIn({ path: 'service.yaml', text, language: 'native' }, offset, name);
  if ('refused' in result) return result;
  let after = text;
  for (const { from, to, text: put } of result.edits.toSorted((a, b) => b.from - a.from))
    after = after.slice(0, from) + put + after.slice(to);
  return brought(design.reading, { text: after });
}

/** All of a service as what the clipboard would hold of it. */
export function everything(version: Version): string | undefined {
  const design = drawn(readVersion(version), '');
  return design?.reading.native === undefined ? undefined : fragment(design, design.level.nodes, design.level.edges);
}
