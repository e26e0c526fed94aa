import type { Position, Problem } from '@superfluidity/core';
import { dialectLimits, type dialectErrors } from './errors.ts';
import { decodeUtf8 } from './utf8.ts';
import { shorten } from './yaml-text.ts';

/** An element with its prefix resolved (Namespaces in XML 1.0). */
export interface XmlElement {
  readonly name: string;
  /** As it is written before the name; empty where none is. */
  readonly prefix: string;
  /** URI of its namespace; empty where there is none. */
  readonly namespace: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** All character data directly inside, joined. */
  readonly text: string;
  /** Namespaces in force, by prefix: values may have prefixes too. */
  readonly prefixes: Readonly<Record<string, string>>;
  readonly position: Position;
  readonly span: XmlSpan;
}

/** Where an element stands, and what is in it: places between the letters of the text. */
export interface XmlSpan {
  readonly from: number;
  readonly to: number;
  /** Behind the opening tag and before the closing one; the same where one tag is both. */
  readonly inner: readonly [from: number, to: number];
}

export interface XmlText {
  /** Absent when there are problems. */
  readonly root?: XmlElement;
  readonly problems: readonly Problem[];
}

/**
 * Reads the part of XML 1.0 in which data is exchanged: elements, attributes, character data, comments. What lets a short
 * text become a long one, or read something else (document types, entities of one's own), is refused, and so are processing
 * instructions. Never throws; takes time and memory in proportion to the text, which has the bounds of other texts.
 */
export function readXmlText(bytes: Uint8Array, file?: string): XmlText {
  return new XmlReader(file).read(bytes);
}

type Code = keyof typeof dialectErrors;

/** One mistake ends the reading: after it nothing is certain. */
class Refusal extends Error {
  readonly code: Code;
  readonly at: number;
  constructor(code: Code, at: number, message: string) {
    super(message);
    this.code = code;
    this.at = at;
  }
}

interface Open {
  readonly qualified: string;
  readonly element: XmlElement & { children: XmlElement[]; text: string; span: XmlSpan };
}

const NAME = /[\p{L}_][\p{L}\p{N}_.-]*(?::[\p{L}_][\p{L}\p{N}_.-]*)?/uy;
const SPACE = /[ \t\r\n]*/y;
const DECLARATION = /<\?xml[ \t\r\n][^?<>]*\?>/y;
const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
// oxlint-disable-next-line no-control-regex -- these are the characters that XML 1.0 excludes (production 2)
const EXCLUDED = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/;

class XmlReader {
  readonly #file: string | undefined;
  #source = '';
  #at = 0;
  #elements = 0;
  /** The line that was asked for last: positions are asked for in the order of the text. */
  #line = { number: 1, start: 0, at: 0 };

  constructor(file: string | undefined) {
    this.#file = file;
  }

  read(bytes: Uint8Array): XmlText {
    const where = this.#file === undefined ? {} : { file: this.#file };
    const problem = (code: Code, message: string, position: Position): XmlText => ({
      problems: [{ severity: 'error', code, message, path: '', position }],
    });
    if (bytes.byteLength > dialectLimits.fileBytes) {
      const mib = (bytes.byteLength / 2 ** 20).toFixed(1);
      const message = `the file has ${mib} MiB, allowed is 1 MiB`;
      return problem('SF-DESCRIPTOR-TOO-LARGE', message, { ...where, line: 1, column: 1 });
    }
    const text = decodeUtf8(bytes);
    if (typeof text !== 'string')
      return problem('SF-DESCRIPTOR-ENCODING', 'bytes that are not UTF-8', { ...where, ...text });
    this.#source = text;
    try {
      return { root: this.#document(), problems: [] };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return problem(error.code, error.message, this.#position(error.at));
    }
  }

  #document(): XmlElement {
    const excluded = EXCLUDED.exec(this.#source);
    if (excluded !== null) this.#refuse('SF-DESCRIPTOR-SYNTAX', 'a character that XML does not allow', excluded.index);
    const declaration = this.#match(DECLARATION);
    const encoding = /encoding[ \t\r\n]*=[ \t\r\n]*["']([^"']*)/.exec(declaration ?? '')?.[1] ?? 'utf-8';
    if (!/^(?:utf-?8|us-ascii)$/i.test(encoding))
      this.#refuse('SF-DESCRIPTOR-ENCODING', `the encoding is '${shorten(encoding)}', not UTF-8`, 0);
    this.#misc();
    if (!this.#source.startsWith('<', this.#at)) this.#refuse('SF-DESCRIPTOR-SYNTAX', 'here an element must start');
    const root = this.#tree();
    this.#misc();
    if (this.#at < this.#source.length) this.#refuse('SF-DESCRIPTOR-SYNTAX', 'something follows the last element');
    return root;
  }

  /** White space and comments outside of the root. */
  #misc(): void {
    for (;;) {
      this.#match(SPACE);
      if (!this.#markup()) return;
    }
  }

  /** Without recursion: the depth of what is inside each other is checked, not trusted. */
  #tree(): XmlElement {
    const open: Open[] = [];
    for (;;) {
      const top = open.at(-1);
      if (top !== undefined) top.element.text += this.#characters();
      if (this.#at >= this.#source.length) this.#refuse('SF-DESCRIPTOR-SYNTAX', `'${top!.qualified}' is not closed`);
      if (this.#markup(top)) continue;
      if (this.#source.startsWith('</', this.#at)) {
        const done = this.#close(top);
        open.pop();
        if (open.length === 0) return done;
        continue;
      }
      const { opened, closed } = this.#open(top);
      top?.element.children.push(opened.element);
      if (!closed) open.push(opened);
      else if (top === undefined) return opened.element;
      if (open.length > dialectLimits.depth)
        this.#refuse('SF-DESCRIPTOR-TOO-DEEP', `more than ${dialectLimits.depth} levels`);
    }
  }

  /** A comment or a CDATA section; what is refused. False where an element starts or ends. */
  #markup(top?: Open): boolean {
    const starts = (text: string) => this.#source.startsWith(text, this.#at);
    if (starts('<!--')) {
      this.#skip('-->', 'a comment is not closed');
      return true;
    }
    if (top !== undefined && starts('<![CDATA[')) {
      const from = this.#at + 9;
      this.#skip(']]>', 'a CDATA section is not closed');
      top.element.text += this.#source.slice(from, this.#at - 3);
      return true;
    }
    if (starts('<!DOCTYPE')) this.#refuse('SF-DESCRIPTOR-XML', 'document types are not read');
    if (starts('<!')) this.#refuse('SF-DESCRIPTOR-SYNTAX', 'a declaration is not allowed here');
    if (starts('<?')) this.#refuse('SF-DESCRIPTOR-XML', 'processing instructions are not read');
    return false;
  }

  #open(parent: Open | undefined): { readonly opened: Open; readonly closed: boolean } {
    const start = this.#at;
    this.#elements += 1;
    if (this.#elements > dialectLimits.lexemes)
      this.#refuse('SF-DESCRIPTOR-TOO-LARGE', `more than ${dialectLimits.lexemes} elements`);
    this.#at += 1;
    const qualified = this.#name('an element');
    const written = this.#attributes();
    const closed = this.#source.startsWith('/>', this.#at);
    if (!closed && !this.#source.startsWith('>', this.#at))
      this.#refuse('SF-DESCRIPTOR-SYNTAX', `the tag '${shorten(qualified)}' is not closed`);
    this.#at += closed ? 2 : 1;
    const declared = [...written].flatMap(([name, value]): [string, string][] =>
      name === 'xmlns' ? [['', value]] : name.startsWith('xmlns:') ? [[name.slice(6), value]] : [],
    );
    const above = parent?.element.prefixes ?? Object.create(null);
    const prefixes: Record<string, string> =
      declared.length === 0 ? above : Object.assign(Object.create(null), above, Object.fromEntries(declared));
    const [name, prefix] = split(qualified);
    if (prefix !== '' && prefixes[prefix] === undefined)
      this.#refuse('SF-DESCRIPTOR-SYNTAX', `the prefix '${shorten(prefix)}' is not declared`, start);
    const attributes = Object.fromEntries([...written].filter(([attribute]) => !/^xmlns(?::|$)/.test(attribute)));
    const position = this.#position(start);
    const namespace = prefixes[prefix] ?? '';
    const span: XmlSpan = { from: start, to: this.#at, inner: [this.#at, this.#at] };
    const element = { name, prefix, namespace, attributes, children: [], text: '', prefixes, position, span };
    return { opened: { qualified, element }, closed };
  }

  #close(top: Open | undefined): XmlElement {
    const start = this.#at;
    this.#at += 2;
    const name = this.#name('a closing tag');
    this.#match(SPACE);
    if (top === undefined || name !== top.qualified)
      this.#refuse(
        'SF-DESCRIPTOR-SYNTAX',
        `'${shorten(name)}' closes ${top === undefined ? 'nothing' : `'${shorten(top.qualified)}'`}`,
        start,
      );
    if (!this.#source.startsWith('>', this.#at))
      this.#refuse('SF-DESCRIPTOR-SYNTAX', 'a closing tag is not closed', start);
    this.#at += 1;
    const { element } = top;
    element.span = { from: element.span.from, to: this.#at, inner: [element.span.inner[0], start] };
    return element;
  }

  #attributes(): ReadonlyMap<string, string> {
    const attributes = new Map<string, string>();
    for (;;) {
      const space = this.#match(SPACE);
      if (/^(?:\/>|>|$)/.test(this.#source.slice(this.#at, this.#at + 2))) return attributes;
      if (space === '') this.#refuse('SF-DESCRIPTOR-SYNTAX', 'white space is missing before an attribute');
      const start = this.#at;
      const name = this.#name('an attribute');
      this.#match(SPACE);
      if (this.#source[this.#at] !== '=')
        this.#refuse('SF-DESCRIPTOR-SYNTAX', `attribute '${shorten(name)}' has no value`);
      this.#at += 1;
      this.#match(SPACE);
      const quote = this.#source[this.#at];
      if (quote !== '"' && quote !== "'") this.#refuse('SF-DESCRIPTOR-SYNTAX', 'values of attributes stand in quotes');
      const from = this.#at + 1;
      const end = this.#source.indexOf(quote, from);
      const value = end === -1 ? '' : this.#source.slice(from, end);
      if (end === -1 || value.includes('<')) this.#refuse('SF-DESCRIPTOR-SYNTAX', 'a quote is missing', from - 1);
      if (attributes.has(name)) this.#refuse('SF-DESCRIPTOR-DUPLICATE-KEY', `'${shorten(name)}' is given twice`, start);
      attributes.set(name, this.#resolved(value, from));
      this.#at = end + 1;
    }
  }

  #characters(): string {
    const end = this.#source.indexOf('<', this.#at);
    const from = this.#at;
    this.#at = end === -1 ? this.#source.length : end;
    return this.#resolved(this.#source.slice(from, this.#at), from);
  }

  #resolved(text: string, from: number): string {
    if (!text.includes('&')) return text;
    return text.replace(
      /&(#x[0-9a-fA-F]{1,6};|#[0-9]{1,7};|[\w.:-]{1,64};)?/g,
      (whole, name: string | undefined, at: number) => {
        if (name === undefined) this.#refuse('SF-DESCRIPTOR-SYNTAX', "'&' must be written '&amp;'", from + at);
        const plain = name.slice(0, -1);
        if (Object.hasOwn(entities, plain)) return entities[plain]!;
        if (!plain.startsWith('#'))
          this.#refuse('SF-DESCRIPTOR-XML', `the entity '${whole}' is none of the five of XML`, from + at);
        const code = plain.startsWith('#x') ? parseInt(plain.slice(2), 16) : Number(plain.slice(1));
        const known = code > 0 && code <= 0x10_ffff && !(code >= 0xd800 && code <= 0xdfff);
        const character = known ? String.fromCodePoint(code) : '\0';
        if (EXCLUDED.test(character))
          this.#refuse('SF-DESCRIPTOR-SYNTAX', `there is no character '${whole}' in XML`, from + at);
        return character;
      },
    );
  }

  #name(what: string): string {
    const name = this.#match(NAME);
    if (name === undefined) this.#refuse('SF-DESCRIPTOR-SYNTAX', `here the name of ${what} must stand`);
    return name;
  }

  #skip(end: string, message: string): void {
    const at = this.#source.indexOf(end, this.#at);
    if (at === -1) this.#refuse('SF-DESCRIPTOR-SYNTAX', message);
    this.#at = at + end.length;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #refuse(code: Code, message: string, at = this.#at): never {
    throw new Refusal(code, at, message);
  }

  #position(offset: number): Position {
    if (offset < this.#line.at) this.#line = { number: 1, start: 0, at: 0 };
    let { number, start } = this.#line;
    for (
      let next = this.#source.indexOf('\n', start);
      next !== -1 && next < offset;
      next = this.#source.indexOf('\n', start)
    ) {
      number += 1;
      start = next + 1;
    }
    this.#line = { number, start, at: offset };
    return { ...(this.#file === undefined ? {} : { file: this.#file }), line: number, column: offset - start + 1 };
  }
}

function split(qualified: string): readonly [name: string, prefix: string] {
  const colon = qualified.indexOf(':');
  return colon === -1 ? [qualified, ''] : [qualified.slice(colon + 1), qualified.slice(0, colon)];
}
