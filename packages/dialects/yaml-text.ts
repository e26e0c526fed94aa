import type { Position, Problem } from '@superfluidity/core';
import {
  Composer,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type CST,
  type Document,
  type Node,
  type ParsedNode,
  type Scalar,
} from 'yaml';
import { dialectLimits, type dialectErrors } from './errors.ts';
import type { DescriptorFile } from './files.ts';
import { decodeUtf8 } from './utf8.ts';
import { readPlainYaml } from './yaml-plain.ts';
import { boundedTokens, Excess } from './yaml-tokens.ts';

export type Path = readonly (string | number)[];

/** A value read from a text, and where each part of it stands. */
export interface YamlText {
  /** Absent when there are problems. */
  readonly value?: unknown;
  readonly problems: readonly Problem[];
  /** Where the value at the path stands, or its key. What is absent stands where the nearest thing above it does. */
  locate(path: Path, what?: 'key' | 'value'): Position;
  /**
   * Where a line and column of a text value stand in the file, both from 1. A value that is quoted with escapes or folded
   * over lines is not followed: its beginning is given.
   */
  within(path: Path, line: number, column: number): Position;
}

export function formatPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

/** The reverse, of paths that the model gives to its problems. */
export function parsePath(text: string): Path {
  const parts = text.split(/[.[\]]+/).filter((part) => part !== '');
  return parts.map((part) => (/^[0-9]+$/.test(part) ? Number(part) : part));
}

/**
 * Reads one YAML 1.2 document (JSON is a subset) from bytes that nobody has looked at yet. Never throws and takes
 * bounded time and memory: size, tokens, depth and the expansion of aliases all have limits.
 */
export function readYamlText(bytes: Uint8Array, file?: string): YamlText {
  const plain = bytes.byteLength > dialectLimits.fileBytes ? undefined : decodeUtf8(bytes);
  const value = typeof plain === 'string' ? readPlainYaml(plain) : undefined;
  if (value === undefined) return readInEarnest(bytes, file);
  // Positions cost as much as ten times the value, and few are asked for.
  let earnest: YamlText | undefined;
  const text = () => (earnest ??= readInEarnest(bytes, file));
  return {
    value,
    problems: [],
    locate: (path, what) => text().locate(path, what),
    within: (path, line, column) => text().within(path, line, column),
  };
}

function readInEarnest(bytes: Uint8Array, file: string | undefined): YamlText {
  const reader = new Reader(file);
  return textOf(reader, reader.read(bytes));
}

const read = new WeakMap<DescriptorFile, YamlText>();

/** The same of a file, which is read once, however many dialects look at it. Nobody changes the bytes of a file. */
export function yamlOf(file: DescriptorFile): YamlText {
  const known = read.get(file);
  if (known !== undefined) return known;
  const text = readYamlText(file.bytes, file.path);
  read.set(file, text);
  return text;
}

/**
 * Reads all documents of a YAML text, as manifests of Kubernetes are written. Empty documents are left out. Where one
 * cannot be read, that is the only one, and has the problems.
 */
export function readYamlDocuments(bytes: Uint8Array, file?: string): readonly YamlText[] {
  const reader = new Reader(file);
  const documents = reader.documents(bytes, dialectLimits.documents);
  if (reader.problems.length > 0) return [textOf(reader)];
  return documents.flatMap((document) => {
    const one = reader.of(document);
    const value = one.value();
    return value === null ? [] : [textOf(one, value)];
  });
}

function textOf(reader: Reader, value?: unknown): YamlText {
  return {
    ...(reader.problems.length === 0 ? { value } : {}),
    problems: reader.problems,
    locate: (path, what = 'value') => reader.locate(path, what),
    within: (path, line, column) => reader.within(path, line, column),
  };
}

/** A value of the text as a text of its own, with the positions that it has in the whole. */
export function partOf(text: YamlText, above: Path): YamlText {
  const value = above.reduce<unknown>(
    (inner, step) =>
      inner !== null && typeof inner === 'object' ? (inner as Record<string | number, unknown>)[step] : undefined,
    text.value,
  );
  return {
    value,
    problems: [],
    locate: (path, what) => text.locate([...above, ...path], what),
    within: (path, line, column) => text.within([...above, ...path], line, column),
  };
}

class Reader {
  readonly problems: Problem[] = [];
  readonly #file: string | undefined;
  readonly #lines: LineCounter;
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<Node>();
  #root: Node | null = null;
  #aliased = 0;
  #text = '';

  constructor(file: string | undefined, lines = new LineCounter()) {
    this.#file = file;
    this.#lines = lines;
  }

  read(bytes: Uint8Array): unknown {
    const [document] = this.documents(bytes, 1);
    if (document === undefined) return undefined;
    this.#root = document.contents;
    return this.value();
  }

  /** One of the documents of this text. */
  of(document: Document.Parsed<ParsedNode>): Reader {
    const reader = new Reader(this.#file, this.#lines);
    reader.#root = document.contents;
    return reader;
  }

  value(): unknown {
    return this.#convert(this.#root, [], false);
  }

  documents(bytes: Uint8Array, max: number): readonly Document.Parsed<ParsedNode>[] {
    return this.#documents(bytes, max) ?? [];
  }

  #documents(bytes: Uint8Array, max: number): readonly Document.Parsed<ParsedNode>[] | undefined {
    if (bytes.byteLength > dialectLimits.fileBytes) {
      const mib = (bytes.byteLength / 1024 / 1024).toFixed(1);
      return this.#refuse('SF-DESCRIPTOR-TOO-LARGE', 0, `the file has ${mib} MiB, allowed is 1 MiB`);
    }
    const text = this.#decode(bytes);
    if (text === undefined) return undefined;
    this.#text = text;
    const tokens = this.#tokens(text);
    if (tokens === undefined) return undefined;
    return this.#compose(tokens, text.length, max);
  }

  #decode(bytes: Uint8Array): string | undefined {
    const text = decodeUtf8(bytes);
    if (typeof text === 'string') return text;
    const position = { ...(this.#file === undefined ? {} : { file: this.#file }), ...text };
    return this.#report('SF-DESCRIPTOR-ENCODING', [], 'bytes that are not UTF-8', position);
  }

  #tokens(text: string): CST.Token[] | undefined {
    const tokens: CST.Token[] = [];
    for (const token of boundedTokens(text, this.#lines)) {
      if (token instanceof Excess) return this.#refuse(token.code, token.offset, token.message);
      if (token.type === 'error') return this.#refuse('SF-DESCRIPTOR-SYNTAX', token.offset, token.message);
      tokens.push(token);
    }
    return tokens;
  }

  #compose(tokens: readonly CST.Token[], end: number, max: number): readonly Document.Parsed<ParsedNode>[] | undefined {
    // Comparing each key with all others would take quadratic time: #convert finds duplicate keys.
    const composer = new Composer({ uniqueKeys: false, version: '1.2', schema: 'core', stringKeys: false });
    const documents: Document.Parsed<ParsedNode>[] = [];
    for (const next of composer.compose(tokens, true, end)) {
      if (documents.length >= max) {
        const what = max === 1 ? 'a second document starts here' : `more than ${max} documents`;
        return this.#refuse('SF-DESCRIPTOR-DOCUMENTS', next.range[0], what);
      }
      documents.push(next as Document.Parsed<ParsedNode>);
    }
    const errors = documents.flatMap((document) => [...document.errors, ...document.warnings]);
    for (const error of errors.slice(0, dialectLimits.problems)) {
      const code = error.code === 'MULTIPLE_DOCS' ? 'SF-DESCRIPTOR-DOCUMENTS' : 'SF-DESCRIPTOR-SYNTAX';
      this.#refuse(code, error.pos[0], lowerFirst(error.message));
    }
    return this.problems.length === 0 ? documents : undefined;
  }

  /** Plain values with null prototypes. `aliased` is true inside what an alias stands for. */
  #convert(node: Node | null, path: Path, aliased: boolean): unknown {
    if (node === null) return null;
    if (aliased) {
      this.#aliased += 1;
      if (this.#aliased > dialectLimits.aliasedValues) {
        if (this.#aliased === dialectLimits.aliasedValues + 1) {
          this.#report(
            'SF-DESCRIPTOR-ALIASES',
            path,
            `aliases stand for more than ${dialectLimits.aliasedValues} values`,
          );
        }
        return undefined;
      }
    }
    if (path.length > dialectLimits.depth) {
      return this.#report('SF-DESCRIPTOR-TOO-DEEP', path, `more than ${dialectLimits.depth} levels`, this.#at(node));
    }
    if (isAlias(node)) return this.#resolve(node.source, node, path);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return this.#plain(node, path);
    this.#open.add(node);
    try {
      if (isSeq(node)) return node.items.map((item, i) => this.#convert(item as Node | null, [...path, i], aliased));
      if (isMap(node)) return this.#convertMap(node.items, path, aliased);
      return undefined;
    } finally {
      this.#open.delete(node);
    }
  }

  /** Tags can make values that are not plain, such as bytes. */
  #plain({ value, range }: Scalar, path: Path): unknown {
    if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value;
    return this.#report('SF-DESCRIPTOR-TYPE', path, 'tags are not supported', this.#position(range?.[0] ?? 0));
  }

  #convertMap(pairs: readonly { key: unknown; value: unknown }[], path: Path, aliased: boolean): unknown {
    const object: Record<string, unknown> = Object.create(null);
    for (const pair of pairs) {
      const key = keyOf(pair.key);
      if (key === undefined || key === '__proto__') {
        this.#report('SF-DESCRIPTOR-TYPE', path, 'names of fields are plain text', this.#at(pair.key as Node));
      } else if (Object.hasOwn(object, key)) {
        this.#report(
          'SF-DESCRIPTOR-DUPLICATE-KEY',
          [...path, key],
          `'${shorten(key)}' is given twice`,
          this.#at(pair.key as Node),
        );
      } else {
        if (isScalar(pair.key) && pair.key.anchor !== undefined) this.#anchors.set(pair.key.anchor, pair.key);
        object[key] = this.#convert(pair.value as Node | null, [...path, key], aliased);
      }
    }
    return object;
  }

  #resolve(anchor: string, alias: Node, path: Path): unknown {
    const target = this.#anchors.get(anchor);
    if (target === undefined) {
      return this.#report(
        'SF-DESCRIPTOR-ALIASES',
        path,
        `there is no '&${shorten(anchor)}' before '*${shorten(anchor)}'`,
        this.#at(alias),
      );
    }
    if (this.#open.has(target)) {
      return this.#report(
        'SF-DESCRIPTOR-ALIASES',
        path,
        `'*${shorten(anchor)}' lies inside of what it stands for`,
        this.#at(alias),
      );
    }
    return this.#convert(target, path, true);
  }

  within(path: Path, line: number, column: number): Position {
    const node = this.#find(path, 'value');
    const start = this.#at(node);
    if (!isScalar(node) || typeof node.value !== 'string' || node.range === null || node.range === undefined)
      return start;
    const source = this.#text.slice(node.range[0], node.range[1]);
    if (node.type === 'BLOCK_LITERAL') {
      const lines = source.split('\n');
      const indent = /^ */.exec(lines.find((each, i) => i > 0 && each.trim() !== '') ?? '')![0].length;
      return { ...start, line: start.line + line, column: indent + column };
    }
    const quoted = source.startsWith('"') || source.startsWith("'");
    if (line !== 1 || source.length !== node.value.length + (quoted ? 2 : 0)) return start;
    return { ...start, column: start.column + column - 1 + (quoted ? 1 : 0) };
  }

  locate(path: Path, what: 'key' | 'value'): Position {
    return this.#at(this.#find(path, what));
  }

  #find(path: Path, what: 'key' | 'value'): Node | null {
    let node = this.#root;
    let found: Node | null = node;
    for (const [depth, part] of path.entries()) {
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => keyOf(key) === String(part));
        if (pair === undefined) break;
        node = pair.value as Node | null;
        found = what === 'key' && depth === path.length - 1 ? (pair.key as Node) : (node ?? (pair.key as Node));
      } else if (isSeq(node)) {
        node = (node.items[Number(part)] ?? null) as Node | null;
        if (node === null) break;
        found = node;
      } else break;
    }
    return found;
  }

  #at(node: Node | null | undefined): Position {
    return this.#position(node?.range?.[0] ?? 0);
  }

  #position(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return {
      ...(this.#file === undefined ? {} : { file: this.#file }),
      line: Math.max(1, line),
      column: Math.max(1, col),
    };
  }

  #refuse(code: keyof typeof dialectErrors, offset: number, message: string): undefined {
    return this.#report(code, [], message, this.#position(offset));
  }

  #report(code: keyof typeof dialectErrors, path: Path, message: string, position?: Position): undefined {
    if (this.problems.length >= dialectLimits.problems) return undefined;
    const text = message.split('\n')[0]!;
    this.problems.push({
      severity: 'error',
      code,
      message: text,
      path: formatPath(path),
      position: position ?? this.locate(path, 'value'),
    });
    return undefined;
  }
}

function keyOf(key: unknown): string | undefined {
  if (!isScalar(key)) return undefined;
  return typeof key.value === 'string' ? key.value : (key.source ?? undefined);
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1, 200);
}

/** For messages: what somebody wrote, cut to a readable length. */
export function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
