import { canonicalJson, type Problem } from '@superfluidity/core';
import type { Service } from '@superfluidity/model';
import type { Document, Node } from 'yaml';
import { readIn, writeDescriptor } from '../descriptor.ts';
import type { Format, ReadResult } from '../dialect.ts';
import { dialects } from '../dialects.ts';
import type { DescriptorFile } from '../files.ts';
import { same } from '../groups.ts';
import { plainValue, yamlTrees } from '../yaml-nodes.ts';
import { layoutOf } from './layout.ts';
import { Merge, nodeIn } from './merge.ts';
import { called, type Part, partsOf } from './parts.ts';
import { Entangled, Splices } from './splice.ts';

/** A text of a dialect in which a changed service is said, with what its dialect has no words for; or why it cannot be. */
export type Amended = { readonly text: string; readonly losses: readonly Problem[] } | { readonly refused: string };

/**
 * Says in a text of any dialect what has changed of the service that was read from it, and leaves every other letter of it as
 * it was written: what the writer of the dialect says of the service before and after the change is compared, and what
 * differs is brought into the text. What it then says is read again: a change that would not come out is refused.
 */
export function amend(file: DescriptorFile, format: Format, after: Service): Amended {
  const title = dialects.find((one) => one.format === format)?.title ?? format;
  if (dialects.find((one) => one.format === format)?.writer === undefined)
    return { refused: `nothing writes ${title}: change it in the text, or make it native` };
  const text = new TextDecoder().decode(file.bytes);
  if (/^\s*</.test(text)) return { refused: 'XML is read and not written: change it in the text, or make it native' };
  const { service: before, problems } = readIn(format, [file]);
  if (before === undefined) return { refused: firstError(problems) };
  if (meaning(before) === meaning(after)) return { text, losses: [] };
  const [base, theirs] = [writeDescriptor(before, format), writeDescriptor(after, format)];
  const merged = brought(text, format, base.files, theirs.files);
  if ('refused' in merged) return merged;
  const wanted = readIn(format, theirs.files.length === 1 ? [{ ...theirs.files[0]!, path: file.path }] : theirs.files);
  const is = readIn(format, [{ path: file.path, bytes: new TextEncoder().encode(merged.text) }]);
  if (is.service === undefined) return { refused: firstError(is.problems) };
  if (wanted.service === undefined || meaning(wanted.service) !== meaning(is.service))
    return { refused: 'the text says this in a way that cannot be changed from the graph: change it in the text' };
  return { text: merged.text, losses: fresh(base.losses, theirs.losses) };
}

function firstError(problems: ReadResult['problems']): string {
  const error = problems.find(({ severity }) => severity === 'error');
  return error === undefined ? 'the text cannot be read: mend it first' : `${error.message}: mend it in the text first`;
}

/** What is carried has no meaning here, and of what was assumed nothing is written. */
const meaning = (service: Service): string => canonicalJson(service, new Set(['carried']));

/** What this change loses: the rest was never said in the dialect. */
function fresh(before: readonly Problem[], after: readonly Problem[]): readonly Problem[] {
  const known = new Map<string, number>();
  for (const { message } of before) known.set(message, (known.get(message) ?? 0) + 1);
  return after.filter(({ message }) => {
    const left = known.get(message) ?? 0;
    known.set(message, left - 1);
    return left <= 0;
  });
}

/** What differs between two writings of a service, in the text. */
function brought(
  text: string,
  format: Format,
  base: readonly DescriptorFile[],
  theirs: readonly DescriptorFile[],
): { readonly text: string } | { readonly refused: string } {
  const documents = yamlTrees(text);
  if (documents === undefined || documents.some(({ errors }) => errors.length > 0))
    return { refused: 'the text cannot be read: mend it first' };
  try {
    const result = new Bringing(text, format, documents, base, theirs).run();
    return { text: result };
  } catch (error) {
    if (error instanceof Entangled)
      return { refused: `this cannot be changed by itself where it stands (${error.message}): change it in the text` };
    throw error;
  }
}

const keyOf = ({ kind, id }: Part): string => `${kind} ${id}`;

class Bringing {
  readonly #text: string;
  readonly #documents: readonly Document.Parsed[];
  readonly #splices: Splices;
  readonly #values: readonly unknown[];
  readonly #ours: readonly Part[];
  readonly #byKey: ReadonlyMap<string, Part>;
  readonly #kinds: ReadonlyMap<string, readonly Part[]>;
  readonly #written: ReadonlyMap<string, readonly Part[]>;
  readonly #base: ReadonlyMap<string, Part>;
  readonly #theirs: ReadonlyMap<string, Part>;

  constructor(
    text: string,
    format: Format,
    documents: readonly Document.Parsed[],
    base: readonly DescriptorFile[],
    theirs: readonly DescriptorFile[],
  ) {
    this.#text = text;
    this.#documents = documents;
    this.#splices = new Splices(text, layoutOf(text));
    this.#values = valuesOf(documents);
    this.#ours = partsOf(format, this.#values, '');
    const parts = (files: readonly DescriptorFile[]) =>
      new Map(files.flatMap((one) => partsOfFile(format, one)).map((part) => [keyOf(part), part]));
    this.#base = parts(base);
    this.#theirs = parts(theirs);
    this.#byKey = new Map(this.#ours.toReversed().map((part) => [keyOf(part), part]));
    this.#kinds = Map.groupBy(this.#ours, ({ kind }) => kind);
    this.#written = Map.groupBy(this.#base.values(), ({ kind }) => kind);
  }

  run(): string {
    const removed = [...this.#base].filter(([key]) => !this.#theirs.has(key)).map(([, part]) => part);
    const added = [...this.#theirs].filter(([key]) => !this.#base.has(key)).map(([, part]) => part);
    const renamed = renames(removed, added);
    const wanted = [...this.#values];
    const gone: Part[] = [];
    for (const part of removed) {
      const our = this.#our(part);
      if (our === undefined || renamed.has(part)) continue;
      gone.push(our);
    }
    const fresh = added.filter((part) => ![...renamed.values()].includes(part));
    const lists = new Map<string, { gone: Part[]; added: Part[] }>();
    const listOf = (path: string) => {
      const list = lists.get(path) ?? { gone: [], added: [] };
      lists.set(path, list);
      return list;
    };
    for (const part of gone) listOf(containerOf(part)).gone.push(part);
    for (const part of fresh) {
      const beside = this.#ours.findLast(({ kind }) => kind === part.kind);
      if (beside === undefined || (beside.path.length === 0 && beside.kind !== 'object'))
        throw new Entangled(`${called(part)} would be a file of its own`);
      listOf(containerOf(beside)).added.push(part);
    }
    for (const [key, part] of this.#base) {
      const now = this.#theirs.get(key) ?? renamed.get(part);
      const our = this.#our(part);
      if (now === undefined || same(now.value ?? null, part.value ?? null)) continue;
      if (our === undefined) throw new Entangled(`${called(part)} is another file`);
      this.#merge(our, part.value, now.value, wanted);
    }
    this.#containers(lists, wanted);
    if (this.#splices.isEmpty) return this.#text;
    const result = this.#splices.result();
    const read = yamlTrees(result) ?? [];
    const values = valuesOf(read);
    const isSound =
      read.every(({ errors }) => errors.length === 0) &&
      same(
        values,
        wanted.filter((value) => value !== GONE),
      );
    if (!isSound) throw new Entangled('what stands around it would change too');
    return result;
  }

  /** The part of the text that a written part is: of one kind, the only one where there is no other. */
  #our(part: Part): Part | undefined {
    const exact = this.#byKey.get(keyOf(part));
    if (exact !== undefined) return exact;
    const isOnly = this.#kinds.get(part.kind)?.length === 1 && this.#written.get(part.kind)?.length === 1;
    return isOnly ? this.#kinds.get(part.kind)![0] : undefined;
  }

  #merge(our: Part, base: unknown, theirs: unknown, wanted: unknown[]): void {
    const { owner, node } = nodeIn(this.#documents[our.document]!, our.path);
    const isInFlow = this.#isInFlow(our);
    const value = new Merge(this.#splices).value(owner, node, our.value, base, theirs, isInFlow);
    wanted[our.document] = putAt(wanted[our.document], our.path, value);
  }

  #isInFlow(part: Part): boolean {
    const document = this.#documents[part.document]!;
    return part.path.some((_step, depth) => isFlow(nodeIn(document, part.path.slice(0, depth)).node));
  }

  /** Parts that come and go, in the lists, groups and documents that hold them. */
  #containers(
    lists: ReadonlyMap<string, { readonly gone: readonly Part[]; readonly added: readonly Part[] }>,
    wanted: unknown[],
  ): void {
    for (const { gone, added } of lists.values()) {
      const one = gone[0] ?? this.#ours.findLast(({ kind }) => kind === added[0]!.kind)!;
      if (one.path.length === 0) {
        this.#documentsChange(gone, added, wanted);
        continue;
      }
      const path = one.path.slice(0, -1);
      const { owner, node } = nodeIn(this.#documents[one.document]!, path);
      const ours = valueOf(wanted[one.document], path);
      const value = Array.isArray(ours)
        ? [
            ...ours.filter((_item, i) => !gone.some((part) => part.path.at(-1) === i)),
            ...added.map((part) => part.value),
          ]
        : {
            ...Object.fromEntries(
              Object.entries(ours as object).filter(([name]) => !gone.some((part) => part.path.at(-1) === name)),
            ),
            ...Object.fromEntries(added.map((part) => [part.id, part.value])),
          };
      const isInFlow = isFlow(node);
      const places = new Set(
        gone.map((part) => {
          const step = part.path.at(-1)!;
          return typeof step === 'number' ? step : Object.keys(ours as object).indexOf(step);
        }),
      );
      const count = Array.isArray(ours) ? ours.length : Object.keys(ours as object).length;
      const items = added.map((part) => ({ after: lastLeft(count, places), name: part.id, value: part.value }));
      if (places.size >= count) this.#splices.replace(owner, value, isInFlow);
      else if (Array.isArray(ours)) this.#splices.list(node as never, { gone: places, added: items });
      else this.#splices.map(node as never, { gone: places, added: items });
      wanted[one.document] = putAt(wanted[one.document], path, value);
    }
  }

  #documentsChange(gone: readonly Part[], added: readonly Part[], wanted: unknown[]): void {
    const starts = documentStarts(this.#text, this.#documents);
    for (const { document } of gone) {
      this.#splices.cut(starts[document]!, starts[document + 1] ?? this.#text.length);
      wanted[document] = GONE;
    }
    if (added.length === 0) return;
    this.#splices.append(added.map(({ value }) => value));
    for (const { value } of added) wanted.push(value);
  }
}

function valuesOf(documents: readonly Document.Parsed[]): readonly unknown[] {
  return documents.map((document) => {
    const plain = plainValue(document);
    if (plain === undefined) throw new Entangled('it is written elsewhere in the text');
    return plain.value;
  });
}

const GONE = Symbol('gone');

function partsOfFile(format: Format, file: DescriptorFile): readonly Part[] {
  const text = new TextDecoder().decode(file.bytes);
  const plain: Part = { kind: 'file', id: file.path, document: 0, path: [], value: text };
  if (!/\.(?:ya?ml|json)$/.test(file.path)) return [plain];
  if (format !== 'kubernetes' && /(?:^|\/)nested\//.test(file.path)) return [plain];
  const documents = yamlTrees(text);
  if (documents === undefined) return [plain];
  const parts = partsOf(
    format,
    documents.map((one) => one.toJS() as unknown),
    file.path,
  );
  return parts.length === 0 ? [plain] : parts;
}

/** A part that went and one that came in its place: it has another identifier. */
function renames(removed: readonly Part[], added: readonly Part[]): ReadonlyMap<Part, Part> {
  const pairs = new Map<Part, Part>();
  for (const kind of new Set(removed.map((part) => part.kind))) {
    const [was, ...others] = removed.filter((part) => part.kind === kind);
    const [is, ...more] = added.filter((part) => part.kind === kind);
    if (was !== undefined && is !== undefined && others.length + more.length === 0) pairs.set(was, is);
  }
  return pairs;
}

const containerOf = ({ document, path }: Part): string =>
  path.length === 0 ? 'documents' : `${document} ${path.slice(0, -1).join('\0')}`;

const isFlow = (node: Node | null): boolean => node !== null && 'flow' in node && node.flow === true;

function lastLeft(count: number, gone: ReadonlySet<number>): number {
  for (let place = count - 1; place >= 0; place -= 1) if (!gone.has(place)) return place;
  return -1;
}

function valueOf(value: unknown, path: Part['path']): unknown {
  return path.reduce<unknown>((inner, step) => (inner as Record<string | number, unknown>)[step], value);
}

function putAt(value: unknown, path: Part['path'], put: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return put;
  if (Array.isArray(value)) return value.map((item: unknown, i) => (i === step ? putAt(item, rest, put) : item));
  return Object.fromEntries(
    Object.entries(value as object).map(([name, inner]) => [name, name === step ? putAt(inner, rest, put) : inner]),
  );
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
