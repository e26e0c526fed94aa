import { inputLimits } from '../../limits.ts';
import type { SourceRef } from '../../ir/source.ts';
import { connectAll, type PortedElement } from './connect.ts';
import { tooMuch, unusable } from './failure.ts';
import { splitArguments, type RawConfiguration } from './arguments.ts';
import { type CompoundClass, type Declared, type Formal, INPUT, OUTPUT, type Overload, type Scope } from './syntax.ts';
import type { ClickLexer, Token } from './tokens.ts';

/** Names of classes and elements as they are known at a place of the file; inner scopes see those of the outer ones. */
class Names {
  readonly scope: Scope = { elements: new Map(), connections: [], definitions: [] };
  readonly classes = new Map<string, CompoundClass | string>();
  readonly outer: Names | undefined;
  /** Elements that were made of a word that may yet turn out to be declared further down. */
  readonly early = new Map<string, string>();
  /** What `input` and `output` are called here: those of the innermost group. */
  ports: { readonly input: string; readonly output: string } = { input: INPUT, output: OUTPUT };

  constructor(outer?: Names) {
    this.outer = outer;
  }

  findClass(name: string): CompoundClass | string {
    const found = this.classes.get(name);
    if (typeof found === 'object') return found;
    return this.outer?.findClass(found ?? name) ?? found ?? name;
  }
}

/** Click wants declarations before uses; configurations that people have are not so strict. */
function finished({ scope, early }: Names): Scope {
  const { elements, definitions } = scope;
  const late = new Map([...early].filter(([, name]) => elements.has(name)));
  if (late.size === 0) return scope;
  for (const instance of late.keys()) elements.delete(instance);
  const named = (name: string) => late.get(name) ?? name;
  const connections = scope.connections.map((edge) => ({ ...edge, from: named(edge.from), to: named(edge.to) }));
  return { elements, definitions, connections };
}

/** A word in place of an element, before it is known whether it names one or its class. */
interface Pending {
  readonly element: PortedElement;
  /** To be given the class that stands at the end of `a, b, c :: Class`. */
  readonly bare?: Token;
}

export interface ParseOptions {
  /** `require(library FILE)`: reads it, into the same names. */
  readonly library?: (name: string, from: Token) => ClickLexer | undefined;
}

/** Parses a file: the grammar of click(5), by descent. */
export function parseClick(
  lexer: ClickLexer,
  withoutEffect: (line: number, why: string) => void,
  options: ParseOptions = {},
): Scope {
  return new ClickParser(lexer, withoutEffect, options).file();
}

class ClickParser {
  #lexer: ClickLexer;
  readonly #withoutEffect: (line: number, why: string) => void;
  readonly #options: ParseOptions;
  #names = new Names();
  #depth = 0;
  #anonymous = 0;

  constructor(lexer: ClickLexer, withoutEffect: (line: number, why: string) => void, options: ParseOptions) {
    this.#lexer = lexer;
    this.#withoutEffect = withoutEffect;
    this.#options = options;
  }

  file(): Scope {
    this.#statements('');
    return finished(this.#names);
  }

  get #token(): Token {
    return this.#lexer.peek();
  }

  #is(...texts: readonly string[]): boolean {
    const { kind, text } = this.#token;
    return kind === 'symbol' && texts.includes(text);
  }

  #skip(text: string): boolean {
    const found = this.#is(text);
    if (found) this.#lexer.next();
    return found;
  }

  #expect(text: string): void {
    if (!this.#skip(text)) throw this.#unexpected(JSON.stringify(text));
  }

  #word(what: string): Token {
    if (this.#token.kind !== 'word') throw this.#unexpected(what);
    return this.#lexer.next();
  }

  #unexpected(what: string): Error {
    const { file, line, text } = this.#token;
    return unusable(file, line, `expected ${what}, found ${text === '' ? 'the end' : JSON.stringify(text)}`);
  }

  #at(token: Token): SourceRef {
    return { file: token.file, line: token.line };
  }

  #deeper<T>(parse: () => T): T {
    this.#depth += 1;
    const { file, line } = this.#token;
    if (this.#depth > inputLimits.nesting)
      throw tooMuch(file, line, `more than ${inputLimits.nesting} levels of nesting`);
    const value = parse();
    this.#depth -= 1;
    return value;
  }

  /** Up to the end of the file, or one of the symbols that close a compound. */
  #statements(closing: string): void {
    for (;;) {
      if (this.#skip(';')) continue;
      if (this.#token.kind === 'end') {
        if (closing === '') return;
        throw this.#unexpected(JSON.stringify(closing));
      }
      if (closing !== '' && this.#is(closing, '||')) return;
      this.#statement();
    }
  }

  #statement(): void {
    const { text } = this.#token;
    if (text === 'elementclass') this.#elementClass();
    else if (text === 'require' || text === 'provide') this.#require();
    else if (text === 'define') {
      this.#lexer.next();
      this.#names.scope.definitions.push(this.#configuration());
    } else this.#chain();
  }

  #configuration(): RawConfiguration {
    const { file } = this.#token;
    if (!this.#is('(')) throw this.#unexpected('"("');
    this.#lexer.next();
    return { ...this.#lexer.configuration(), file };
  }

  /** `require(library FILE)` reads a file; other requirements are about the program Click itself. */
  #require(): void {
    const token = this.#lexer.next();
    for (const { text } of splitArguments(this.#configuration())) {
      const [kind, name] = text.split(' ');
      const library = kind === 'library' && name !== undefined ? this.#options.library?.(name, token) : undefined;
      if (library === undefined) this.#withoutEffect(token.line, `${token.text}(${text})`);
      else {
        const before = this.#lexer;
        this.#lexer = library;
        this.#deeper(() => this.#statements(''));
        this.#lexer = before;
      }
    }
  }

  /** `elementclass Name { ... }` or `elementclass Name OtherName`. */
  #elementClass(): void {
    this.#lexer.next();
    const name = this.#word('the name of the class').text;
    if (this.#is('{')) this.#names.classes.set(name, this.#compound(name));
    else {
      this.#skip('::');
      this.#names.classes.set(name, this.#names.findClass(this.#word('"{" or the name of a class').text));
    }
  }

  /** `{ [$a, KEY $b |] statements [|| ...] }`; after the last `||`, `...` stands for what the name meant before. */
  #compound(name: string): CompoundClass {
    const overloads: Overload[] = [];
    this.#expect('{');
    do {
      if (this.#skip('...')) {
        const before = this.#names.findClass(name);
        if (typeof before === 'object') overloads.push(...before.overloads);
      } else overloads.push(this.#overload());
    } while (this.#skip('||'));
    this.#expect('}');
    return { name, overloads };
  }

  #overload(): Overload {
    return this.#deeper(() => {
      const formals = this.#formals();
      const outer = this.#names;
      this.#names = new Names(outer);
      this.#statements('}');
      const scope = finished(this.#names);
      this.#names = outer;
      return { formals, scope };
    });
  }

  #formals(): Formal[] {
    const formals: Formal[] = [];
    if (this.#skip('|')) return formals;
    while (this.#token.kind === 'word' && (this.#token.text.startsWith('$') || this.#lexer.beforeVariable())) {
      const first = this.#lexer.next().text;
      if (first.startsWith('$')) formals.push({ name: first.slice(1) });
      else formals.push({ keyword: first, name: this.#word('a $name').text.slice(1) });
      if (this.#skip('|')) return formals;
      this.#expect(',');
    }
    if (formals.length > 0) throw this.#unexpected('"|"');
    return formals;
  }

  #chain(): void {
    let left = this.#elements(true);
    for (;;) {
      const connector = this.#token;
      if (!this.#is('->', '=>')) {
        if (!this.#skip(';') && !this.#is('}', ')', '||', '[', '{') && this.#token.kind === 'symbol')
          throw this.#unexpected('"->", "=>", "::" or ";"');
        return;
      }
      this.#lexer.next();
      const right = this.#elements(false);
      connectAll(left, right, connector.text === '=>', this.#at(connector), this.#names.scope.connections);
      left = right;
    }
  }

  /** `a, [1] b [2], C(config)`: one side of a connection, or a declaration. */
  #elements(first: boolean): PortedElement[] {
    const found: Pending[] = [];
    do found.push(this.#element(first));
    while (this.#skip(','));
    const declared = found.at(-1)!;
    const bare = found.filter(({ bare: token }) => token !== undefined);
    if (bare.length > 0) this.#resolve(bare, declared, first && !this.#is('->', '=>'));
    return found.map(({ element }) => element);
  }

  /** Bare words are elements that exist, or classes, or get the class that a declaration of several names ends with. */
  #resolve(bare: readonly Pending[], last: Pending, alone: boolean): void {
    const { elements } = this.#names.scope;
    const template = alone && last.bare === undefined ? elements.get(last.element.name) : undefined;
    for (const { element, bare: token } of bare) {
      if (this.#find(token!.text) !== undefined) continue;
      if (template !== undefined)
        this.#declare(token!, token!.text, template.compound ?? template.className, template.configuration);
      else {
        element.name = this.#instance(token!, token!.text, this.#empty(token!));
        this.#names.early.set(element.name, token!.text);
      }
    }
  }

  #empty({ file, line }: Token): RawConfiguration {
    return { text: '', file, line };
  }

  #find(name: string): string | undefined {
    const { ports, scope, outer } = this.#names;
    const inside = outer !== undefined || ports.input !== INPUT;
    if (inside && name === INPUT) return ports.input;
    if (inside && name === OUTPUT) return ports.output;
    return scope.elements.has(name) ? name : undefined;
  }

  #element(first: boolean): Pending {
    const inputs = this.#is('[') ? this.#ports() : undefined;
    const token = this.#token;
    const pending = this.#named(token, first, inputs);
    if (!this.#is('[')) return pending;
    pending.element.outputs = this.#ports();
    return pending;
  }

  #named(token: Token, first: boolean, inputs: PortedElement['inputs']): Pending {
    const made = (name: string): PortedElement => ({ name, inputs, outputs: undefined });
    if (this.#is('{')) {
      const compound = this.#compound('');
      return { element: made(this.#instance(token, compound, this.#maybeConfiguration(token))) };
    }
    if (this.#is('(')) return { element: made(this.#group()) };
    if (token.kind !== 'word') {
      // Within a compound, a missing name is its input at the start of a connection and its output at the end.
      const { ports, outer } = this.#names;
      const inside = outer !== undefined || ports.input !== INPUT;
      if (!inside || (first && !this.#is('->', '=>', ','))) throw this.#unexpected('an element');
      const element = made(first ? ports.input : ports.output);
      // `[1] -> x` comes from port 1 of the input.
      return { element: first ? { ...element, inputs: undefined, outputs: inputs } : element };
    }
    this.#lexer.next();
    if (this.#skip('::')) return { element: made(this.#declaration(token)) };
    if (this.#is('(')) return { element: made(this.#instance(token, token.text, this.#configuration())) };
    return { element: made(this.#find(token.text) ?? token.text), bare: token };
  }

  #maybeConfiguration(token: Token): RawConfiguration {
    return this.#is('(') ? this.#configuration() : this.#empty(token);
  }

  #declaration(token: Token): string {
    const found = this.#find(token.text);
    if (found !== undefined) throw unusable(token.file, token.line, `there is an element ${token.text} already`);
    const className = this.#is('{') ? this.#compound('') : this.#word('the class of the element').text;
    const configuration = this.#maybeConfiguration(token);
    this.#declare(token, token.text, className, configuration);
    return token.text;
  }

  /** An element without a name of its own: `Class@3`. */
  #instance(token: Token, className: string | CompoundClass, configuration: RawConfiguration): string {
    this.#anonymous += 1;
    const name = `${typeof className === 'string' ? className : ''}@${this.#anonymous}`;
    this.#declare(token, name, className, configuration);
    return name;
  }

  #declare(token: Token, name: string, className: string | CompoundClass, configuration: RawConfiguration): void {
    const resolved = typeof className === 'string' ? this.#names.findClass(className) : className;
    const declared: Declared = {
      name,
      configuration,
      source: this.#at(token),
      ...(typeof resolved === 'string' ? { className: resolved } : { className: resolved.name, compound: resolved }),
    };
    this.#names.scope.elements.set(name, declared);
  }

  /** `( a -> b )`: connections with an input and an output of their own, but without names of their own. */
  #group(): string {
    return this.#deeper(() => {
      const token = this.#lexer.next();
      this.#anonymous += 1;
      const name = `()@${this.#anonymous}`;
      const before = this.#names.ports;
      this.#names.ports = { input: `${name}/${INPUT}`, output: `${name}/${OUTPUT}` };
      this.#statements(')');
      this.#expect(')');
      this.#names.ports = before;
      const scope: Scope = { elements: new Map(), connections: [], definitions: [] };
      this.#declare(token, name, { name: '()', overloads: [{ formals: [], scope }] }, this.#empty(token));
      return name;
    });
  }

  /** `[0]`, `[0, 2]`, `[0-3]`, `[1...]`. */
  #ports(): NonNullable<PortedElement['inputs']> {
    this.#expect('[');
    const list: number[] = [];
    let open = false;
    while (!this.#is(']')) {
      const low = this.#port();
      const high = this.#skip('-') ? (this.#is(']') ? undefined : this.#port()) : low;
      if (high === undefined) open = true;
      for (let port = low; port <= (high ?? low); port += 1) list.push(port);
      if (!this.#skip(',') && !this.#is(']')) throw this.#unexpected('"," or "]"');
    }
    this.#lexer.next();
    if (list.length === 0) return { list: [0], open: true };
    return { list, open };
  }

  #port(): number {
    const token = this.#word('the number of a port');
    const port = /^\d{1,5}$/.test(token.text) ? Number(token.text) : Number.NaN;
    if (!(port < 65_536))
      throw unusable(token.file, token.line, `expected the number of a port, found "${token.text}"`);
    return port;
  }
}
