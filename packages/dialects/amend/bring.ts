import type { Node } from 'yaml';
import type { Format } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { same } from '../groups.ts';
import { xmlFiles } from '../sol006/write-xml.ts';
import { yamlBlock } from '../yaml-block.ts';
import { Merge } from './merge.ts';
import { called, type Part } from './parts.ts';
import { type Placed, placedIn, type Source, writtenParts } from './source.ts';
import { Entangled } from './splice.ts';

const keyOf = ({ kind, id }: Part): string => `${kind} ${id}`;

interface Written extends Part {
  readonly file: DescriptorFile;
}

/** What a writer says of a service before and after a change. */
export interface Writings {
  readonly base: readonly DescriptorFile[];
  readonly theirs: readonly DescriptorFile[];
  /** By a file of the writer the one in which somebody else says the same. */
  readonly partners: ReadonlyMap<string, string>;
}

/** Parts that come and go in one list, group or file. */
interface Container {
  readonly gone: Placed[];
  readonly added: Written[];
}

/** What differs between two writings of a service, in the files that somebody has written of it. */
export class Bringing {
  readonly #files: readonly DescriptorFile[];
  readonly #isTree: boolean;
  readonly #partners: ReadonlyMap<string, string>;
  readonly #ours: readonly Placed[];
  readonly #byKey: ReadonlyMap<string, Placed>;
  readonly #kinds: ReadonlyMap<string, readonly Placed[]>;
  readonly #written: ReadonlyMap<string, readonly Written[]>;
  readonly #base: ReadonlyMap<string, Written>;
  readonly #theirs: ReadonlyMap<string, Written>;
  /** What each file is to say, document by document. */
  readonly #wanted: ReadonlyMap<Source, unknown[]>;
  readonly #removed = new Set<Source>();
  readonly #fresh = new Map<string, DescriptorFile>();

  constructor(
    files: readonly DescriptorFile[],
    sources: readonly Source[],
    format: Format,
    { base, theirs, partners }: Writings,
  ) {
    this.#partners = partners;
    this.#files = files;
    this.#isTree = files.length > 1;
    this.#ours = sources.flatMap((source) => placedIn(format, source));
    const parts = (written: readonly DescriptorFile[]) =>
      new Map(
        written.flatMap((file) => writtenParts(format, file).map((part) => [keyOf(part), { ...part, file }] as const)),
      );
    this.#base = parts(base);
    this.#theirs = parts(theirs);
    this.#byKey = new Map(this.#ours.toReversed().map((part) => [keyOf(part), part]));
    this.#kinds = Map.groupBy(this.#ours, ({ kind }) => kind);
    this.#written = Map.groupBy(this.#base.values(), ({ kind }) => kind);
    this.#wanted = new Map(sources.map((source) => [source, [...source.values]]));
  }

  /** The files as they are then; those in which nothing has changed are the same values. */
  run(): readonly DescriptorFile[] {
    const removed = [...this.#base].filter(([key]) => !this.#theirs.has(key)).map(([, part]) => part);
    const added = [...this.#theirs].filter(([key]) => !this.#base.has(key)).map(([, part]) => part);
    const renamed = renames(removed, added);
    const containers = this.#containersOf(
      removed.filter((part) => !renamed.has(part)),
      added.filter((part) => ![...renamed.values()].includes(part)),
    );
    for (const [key, part] of this.#base) {
      const now = this.#theirs.get(key) ?? renamed.get(part);
      if (now === undefined || same(now.value ?? null, part.value ?? null)) continue;
      // Files beside the descriptors, as the metadata of a package, are as their authors have them.
      if (part.kind === 'file') continue;
      const our = this.#our(part);
      if (our === undefined) throw new Entangled(`${called(part)} is another file`);
      this.#merge(our, part.value, now.value);
    }
    for (const container of containers) this.#change(container);
    return this.#result();
  }

  #containersOf(removed: readonly Written[], added: readonly Written[]): readonly Container[] {
    const containers = new Map<string, Container>();
    const containerAt = (key: string): Container => {
      const container = containers.get(key) ?? { gone: [], added: [] };
      containers.set(key, container);
      return container;
    };
    for (const part of removed) {
      const our = this.#our(part);
      if (our === undefined) continue;
      const isAlone = this.#ours.filter(({ source }) => source === our.source).length === 1;
      if (this.#isTree && isAlone) this.#removed.add(our.source);
      else containerAt(containerOf(our)).gone.push(our);
    }
    for (const part of added) {
      const beside = this.#ours.findLast(({ kind }) => kind === part.kind);
      const isInFile = beside !== undefined && (beside.path.length > 0 || beside.kind === 'object');
      if (this.#isTree && !(isInFile && this.#isAmongOthers(beside))) this.#addFile(part);
      else if (isInFile) containerAt(containerOf(beside)).added.push(part);
      else throw new Entangled(`${called(part)} would be a file of its own`);
    }
    return [...containers.values()];
  }

  #isAmongOthers({ kind, source }: Placed): boolean {
    return this.#ours.filter((one) => one.source === source && one.kind === kind).length > 1;
  }

  /** As the writer has it, where it has a file for it alone. */
  #addFile({ file, kind, id, value }: Written): void {
    const beside = [...this.#theirs.values()].filter((one) => one.file === file);
    if (beside.length === 1) {
      const path = this.#placeOf(file.path);
      this.#fresh.set(path, { ...file, path });
    } else if (kind === 'object') {
      const path = `${id
        .trim()
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, '-')}.yaml`;
      this.#fresh.set(path, { path, bytes: new TextEncoder().encode(yamlBlock(value as object)) });
    } else throw new Entangled(`${called({ kind, id })} would stand in a file with others`);
  }

  /** In the folder in which stands what the writer has beside it: by that, others name it. */
  #placeOf(path: string): string {
    const beside = [...this.#base.values()].find(
      (one) => one.kind !== 'file' && folderOf(one.file.path) === folderOf(path) && this.#our(one) !== undefined,
    );
    if (beside === undefined) return path;
    return folderOf(this.#our(beside)!.source.file.path) + path.slice(folderOf(path).length);
  }

  /** The part of the text that a written part is: of one kind, the only one where there is no other. */
  #our(part: Written): Placed | undefined {
    const exact = this.#byKey.get(keyOf(part));
    if (exact !== undefined) return exact;
    const isOnly = this.#kinds.get(part.kind)?.length === 1 && this.#written.get(part.kind)?.length === 1;
    if (isOnly) return this.#kinds.get(part.kind)![0];
    const path = this.#partners.get(part.file.path);
    const [partner, ...others] = this.#ours.filter(
      ({ source, kind }) => source.file.path === path && kind === part.kind,
    );
    return others.length === 0 ? partner : undefined;
  }

  #merge(our: Placed, base: unknown, theirs: unknown): void {
    const { source, document, path } = our;
    const { owner, node } = source.nodeAt(document, path);
    const isInFlow = path.some((_step, depth) => isFlow(source.nodeAt(document, path.slice(0, depth)).node));
    const value = new Merge(source.edits).value(owner, node, our.value, base, theirs, isInFlow);
    const wanted = this.#wanted.get(source)!;
    wanted[document] = putAt(wanted[document], path, value);
  }

  /** Parts that come and go, in the list, the group or among the documents that hold them. */
  #change({ gone, added }: Container): void {
    const one = gone[0] ?? this.#ours.findLast(({ kind }) => kind === added[0]!.kind)!;
    const { source, document } = one;
    const wanted = this.#wanted.get(source)!;
    if (one.path.length === 0) {
      for (const part of gone) {
        source.removeDocument(part.document);
        wanted[part.document] = GONE;
      }
      if (added.length > 0) source.append(added.map(({ value }) => value));
      for (const { value } of added) wanted.push(value);
      return;
    }
    const path = one.path.slice(0, -1);
    const { owner, node } = source.nodeAt(document, path);
    const ours = valueOf(wanted[document], path) as object;
    const steps = Array.isArray(ours) ? [...ours.keys()] : Object.keys(ours);
    const value = Array.isArray(ours)
      ? [...ours.filter((_item, i) => !gone.some((part) => part.path.at(-1) === i)), ...added.map((part) => part.value)]
      : {
          ...Object.fromEntries(
            Object.entries(ours).filter(([name]) => !gone.some((part) => part.path.at(-1) === name)),
          ),
          ...Object.fromEntries(added.map((part) => [part.id, part.value])),
        };
    const places = new Set(gone.map((part) => steps.indexOf(part.path.at(-1) as never)));
    const items = added.map((part) => ({ after: lastLeft(steps.length, places), name: part.id, value: part.value }));
    if (places.size >= steps.length) source.edits.replace(owner, value, isFlow(node));
    else if (Array.isArray(ours)) source.edits.list(node as never, { gone: places, added: items });
    else source.edits.map(node as never, { gone: places, added: items });
    wanted[document] = putAt(wanted[document], path, value);
  }

  #result(): readonly DescriptorFile[] {
    const changed = new Map<DescriptorFile, DescriptorFile | undefined>();
    for (const [source, wanted] of this.#wanted) {
      const { file, edits } = source;
      if (this.#removed.has(source)) changed.set(file, undefined);
      else if (!edits.isEmpty) {
        const text = edits.result();
        const values = source.reread(text);
        const whole = wanted.filter((value) => value !== GONE).map((value) => source.said(value));
        if (values === undefined || !same(values, whole)) throw new Entangled('what stands around it would change too');
        changed.set(file, { ...file, bytes: new TextEncoder().encode(text) });
      }
    }
    const left = this.#files.flatMap((file) => (changed.has(file) ? (changed.get(file) ?? []) : [file]));
    const taken = left.find(({ path }) => this.#fresh.has(path));
    if (taken !== undefined) throw new Entangled(`it would be a file '${taken.path}', which is there already`);
    const fresh = [...this.#fresh.values()];
    // Where all descriptors are XML, a new one is too.
    const isXml = this.#ours.every(({ source }) => source.file.path.endsWith('.xml'));
    return [...left, ...(isXml ? xmlFiles(fresh, () => {}) : fresh)];
  }
}

const GONE = Symbol('gone');

/** A part that went and one that came in its place: it has another identifier. */
function renames(removed: readonly Written[], added: readonly Written[]): ReadonlyMap<Written, Written> {
  const pairs = new Map<Written, Written>();
  for (const kind of new Set(removed.map((part) => part.kind))) {
    const [was, ...others] = removed.filter((part) => part.kind === kind);
    const [is, ...more] = added.filter((part) => part.kind === kind);
    if (was !== undefined && is !== undefined && others.length + more.length === 0) pairs.set(was, is);
  }
  return pairs;
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

function containerOf({ source, document, path }: Placed): string {
  const { path: file } = source.file;
  return path.length === 0 ? file : [file, document, ...path.slice(0, -1)].join('\0');
}

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
