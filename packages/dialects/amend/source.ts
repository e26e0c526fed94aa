import type { Document, Node } from 'yaml';
import type { Format } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { isGroup } from '../groups.ts';
import { xmlTree } from '../sol006/xml.ts';
import type { Path } from '../yaml-text.ts';
import { plainValue, yamlTrees } from '../yaml-nodes.ts';
import { plainName } from './align.ts';
import { layoutOf } from './layout.ts';
import { nodeIn } from './merge.ts';
import { type Part, partsOf } from './parts.ts';
import { type Edits, Entangled, type Entry, Splices } from './splice.ts';
import { XmlEdits, XmlNodes } from './xml-edits.ts';

/** A file with descriptors in it, and the changes of its text. */
export interface Source {
  readonly file: DescriptorFile;
  /** What its documents say. */
  readonly values: readonly unknown[];
  readonly edits: Edits;
  /** What a text says that it was changed to, as `values` would; undefined where it cannot be read. */
  reread(text: string): readonly unknown[] | undefined;
  /** A value that was put together as a text of this kind would say it. */
  said(value: unknown): unknown;
  nodeAt(document: number, path: Path): { readonly owner: Entry | Node; readonly node: Node | null };
  /** Documents as a whole, where a file can have several. */
  removeDocument(document: number): void;
  append(values: readonly unknown[]): void;
}

/** A descriptor in one of the files. */
export interface Placed extends Part {
  readonly source: Source;
}

const isText = ({ path }: DescriptorFile): boolean => /\.(?:ya?ml|json|xml)$/i.test(path) || !/\.\w+$/.test(path);

/** The files that have descriptors in them. Undefined where one of them cannot be read. */
export function sourcesOf(files: readonly DescriptorFile[]): readonly Source[] | undefined {
  const sources = files.filter(isText).map((file) => {
    const text = new TextDecoder().decode(file.bytes);
    return /^\s*</.test(text) ? xmlSource(file, text) : yamlSource(file, text);
  });
  return sources.every((source) => source !== undefined) ? sources : undefined;
}

export function placedIn(format: Format, source: Source): readonly Placed[] {
  const { path } = source.file;
  const parts = isNested(format, path) ? [nestedPart(source.values, path)] : partsOf(format, source.values, path);
  return parts.map((part) => ({ ...part, source }));
}

/** Descriptors of what lies in a unit are files of their own, named by the VDU. */
const isNested = (format: Format, path: string): boolean => format === 'sol006' && /(?:^|\/)nested\//.test(path);

const nestedPart = ([value]: readonly unknown[], path: string): Part => ({
  kind: 'nested',
  id: path.slice(path.lastIndexOf('nested/')),
  document: 0,
  path: [],
  value,
});

/** The descriptors of a file that a writer has made; what is none is a text. */
export function writtenParts(format: Format, file: DescriptorFile): readonly Part[] {
  const text = new TextDecoder().decode(file.bytes);
  const plain: Part = { kind: 'file', id: file.path, document: 0, path: [], value: text };
  if (!/\.(?:ya?ml|json)$/.test(file.path)) return [plain];
  const values = yamlTrees(text)?.map((one) => one.toJS() as unknown);
  if (values === undefined) return [plain];
  if (isNested(format, file.path)) return [nestedPart(values, file.path)];
  const parts = partsOf(format, values, file.path);
  return parts.length === 0 ? [plain] : parts;
}

function yamlSource(file: DescriptorFile, text: string): Source | undefined {
  const documents = yamlTrees(text);
  if (documents === undefined || documents.some(({ errors }) => errors.length > 0)) return undefined;
  const edits = new Splices(text, layoutOf(text));
  return {
    file,
    values: valuesOf(documents),
    edits,
    reread: (now) => {
      const read = yamlTrees(now);
      return read?.every(({ errors }) => errors.length === 0) === true ? valuesOf(read) : undefined;
    },
    said: (value) => value,
    nodeAt: (document, path) => nodeIn(documents[document]!, path),
    removeDocument: (document) => {
      const starts = documentStarts(text, documents);
      edits.cut(starts[document]!, starts[document + 1] ?? text.length);
    },
    append: (values) => edits.append(values),
  };
}

function xmlSource(file: DescriptorFile, text: string): Source | undefined {
  const read = (bytes: Uint8Array) => {
    const { value, place } = xmlTree({ path: file.path, bytes });
    return value === undefined || place === undefined ? undefined : { value, place };
  };
  const tree = read(file.bytes);
  if (tree === undefined) return undefined;
  const nodes = new XmlNodes(tree.value, tree.place);
  const one = () => {
    throw new Entangled('an XML text has one document');
  };
  return {
    file,
    values: [tree.value],
    edits: new XmlEdits(text, nodes),
    reread: (now) => {
      const again = read(new TextEncoder().encode(now));
      return again === undefined ? undefined : [again.value];
    },
    said: withPlainNames,
    nodeAt: (_document, path) => nodeIn({ contents: nodes.root }, path),
    removeDocument: one,
    append: one,
  };
}

/** In XML the namespace of a field is no part of its name. */
function withPlainNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withPlainNames);
  if (!isGroup(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [plainName(name), withPlainNames(inner)]));
}

function valuesOf(documents: readonly Document.Parsed[]): readonly unknown[] {
  return documents.map((document) => {
    const plain = plainValue(document);
    if (plain === undefined) throw new Entangled('it is written elsewhere in the text');
    return plain.value;
  });
}

/** Where each document begins: at the dashes before it. */
function documentStarts(text: string, documents: readonly Document.Parsed[]): readonly number[] {
  return documents.map(({ contents, range }, i) => {
    if (i === 0) return 0;
    const content = contents?.range?.[0] ?? range[1];
    const dashes = text.lastIndexOf('\n---', content);
    return dashes === -1 ? content : dashes + 1;
  });
}
