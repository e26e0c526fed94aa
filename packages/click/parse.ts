import { splitArguments, type RawConfiguration } from './arguments.ts';
import { connectAll, type PortedElement } from './connect.ts';
import { clickLimits } from './limits.ts';
import { ClickMistake, tooMuch, unusable } from './mistake.ts';
import type { ClickNames } from './names.ts';
import {
  type ClickFile,
  type CompoundClass,
  type Declared,
  type Formal,
  INPUT,
  OUTPUT,
  type Overload,
  type Requirement,
  type Scope,
  type Statement,
} from './syntax.ts';
import { ClickLexer, type ClickPlace, type Token } from './tokens.ts';

/** Classes and elements as they are known at a place of the file; inner scopes see those of the outer ones. */
class Known {
  readonly scope: Scope = { elements: new Map(), connections: [], definitions: [] };
  readonly classes = new Map<string, CompoundClass | string>();
  readonly outer: Known | undefined;
  /** Elements that were made of a word that may yet turn out to be declared further down. */
  readonly early = new Map<string, string>();
  /** What `input` and `output` are called here: those of the innermost group. */
  ports: { readonly input: string; readonly output: string } = { input: INPUT, output: OUTPUT };

  constructor(outer?: Known) {
    this.outer = outer;
  }

  findClass(name: string): CompoundClass | string {
    const found = this.classes.get(name);
    if (typeof found === 'object') return found;
    return this.outer?.findClass(found ?? name) ?? found ?? name;
  }
}

/** Click wants declarations before uses; configurations that people have are not so strict. */
function finished({ scope, early }: Known): Scope {
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

export interface ClickOptions {
  /** The file that `require(library NAME)` means, which is read into the same names; absent: it is a requirement. */
  readonly library?: (name: string) => { readonly path: string; readonly text: string } | undefined;
  /** Called with each line of the file that has something of the language on it. */
  readonly seen?: (line: number) => void;
  /** Called with each mistake; reading goes on behind it. Absent: the first one is thrown. */
  readonly mistake?: (mistake: ClickMistake) => void;
  readonly names?: ClickNames;
}

/**
 * Parses a configuration (click(5)) by descent, with all of the language: declarations, connections, compound elements
 * with parameters and overloads, groups, `define`, `require`, `#line`. Element classes are not looked at.
 * @throws ClickMistake
 */
export function parseClick(path: string, text: string, options: ClickOptions = {}): ClickFile {
  return new ClickParser(path, text, options).file();
}

class ClickParser {
  readonly #main: ClickLexer;
  #lexer: ClickLexer;
  readonly #options: ClickOptions;
  readonly #requirements: Requirement[] = [];
  readonly #statementsOfFile: Statement[] = [];
  /** Files that have been read, or are being. */
  readonly #open: Set<string>;
  #known = new Known();
  #depth = 0;
  #anonymous = 0;
  #mistakes = 0;
  /** Ports that were named, connections and forms that were made: ranges and `...` make many of a few letters. */
  #parts = 0;
  #declared: string[] = [];

  constructor(path: string, text: string, options: ClickOptions) {
    this.#main = new ClickLexer(path, text, options.seen);
    this.#lexer = this.#main;
    this.#options = options;
    this.#open = new Set([path]);
  }

  file(): ClickFile {
    this.#statements('');
    this.#options.names?.finish(this.#main.text.length);
    const { comments } = this.#main;
    return {
      scope: finished(this.#known),
      statements: this.#statementsOfFile,
      comments: Array.from(
        { length: comments.length / 2 },
        (_, i) => [comments[2 * i]!, comments[2 * i + 1]!] as const,
      ),
      requirements: this.#requirements,
    };
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
    const { place, text } = this.#token;
    return unusable(place, `expected ${what}, found ${text === '' ? 'the end' : JSON.stringify(text)}`);
  }

  #deeper<T>(parse: () => T): T {
    const { place } = this.#token;
    if (this.#depth >= clickLimits.nesting) throw tooMuch(place, `more than ${clickLimits.nesting} levels of nesting`);
    this.#depth += 1;
    try {
      return parse();
    } finally {
      this.#depth -= 1;
    }
  }

  /** Up to the end of the file, or one of the symbols that close a compound. */
  #statements(closing: string): void {
    for (;;) {
      try {
        if (this.#ended(closing)) return;
      } catch (error) {
        this.#goOn(error, closing);
      }
    }
  }

  /** The next statement, or false when there is none. */
  #ended(closing: string): boolean {
    if (this.#skip(';')) return false;
    if (this.#token.kind === 'end') {
      if (closing === '') return true;
      throw this.#unexpected(JSON.stringify(closing));
    }
    if (closing !== '' && this.#is(closing, '||')) return true;
    const ofFile = this.#depth === 0 && this.#lexer === this.#main;
    const from = this.#token.place.offset;
    if (ofFile) this.#declared = [];
    const kind = this.#statement();
    // The semicolon belongs to it.
    this.#skip(';');
    if (ofFile) this.#statementsOfFile.push({ kind, from, to: this.#main.end, elements: this.#declared });
    return false;
  }

  /** A mistake costs the statement, where somebody wants to know the others too. */
  #goOn(error: unknown, closing: string): void {
    const { mistake } = this.#options;
    if (!(error instanceof ClickMistake) || mistake === undefined || error.kind === 'limit') throw error;
    // Whatever is missing at the end is missing for all that is open there; a group ends with its statement.
    if (closing === ')' || (closing !== '' && this.#atEnd())) throw error;
    mistake(error);
    this.#mistakes += 1;
    if (this.#mistakes >= clickLimits.mistakes) throw tooMuch(error.place, 'there are more mistakes than are told');
    this.#lexer.recover(closing !== '');
  }

  #atEnd(): boolean {
    try {
      return this.#token.kind === 'end';
    } catch {
      return false;
    }
  }

  #statement(): Statement['kind'] {
    const { text } = this.#token;
    if (text === 'elementclass') return this.#elementClass();
    if (text === 'require' || text === 'provide') return this.#require();
    if (text !== 'define') return this.#chain();
    this.#lexer.next();
    const definition = this.#configuration();
    this.#known.scope.definitions.push(definition);
    this.#options.names?.definitions(definition);
    return 'define';
  }

  #configuration(): RawConfiguration {
    if (!this.#is('(')) throw this.#unexpected('"("');
    this.#lexer.next();
    return { ...this.#lexer.configuration(), written: true };
  }

  #arguments(): RawConfiguration {
    const configuration = this.#configuration();
    this.#options.names?.configuration(configuration);
    return configuration;
  }

  /** `require(library FILE)` reads a file; other requirements are about the program Click itself. */
  #require(): 'require' {
    const token = this.#lexer.next();
    for (const { text } of splitArguments(this.#configuration())) {
      const [kind, name] = text.split(' ');
      const wanted = token.text === 'require' && kind === 'library' && name !== undefined ? name : undefined;
      const library = wanted === undefined ? undefined : this.#options.library?.(wanted);
      if (library === undefined) {
        const requirement = { text: `${token.text}(${text})`, place: token.place };
        this.#requirements.push(wanted === undefined ? requirement : { ...requirement, library: wanted });
      } else this.#read(library, token.place);
    }
    return 'require';
  }

  #read({ path, text }: { readonly path: string; readonly text: string }, place: ClickPlace): void {
    // A library that is read twice adds its classes twice; one that is still being read would never end.
    if (this.#open.has(path)) throw unusable(place, `${path} requires itself`);
    this.#open.add(path);
    const before = this.#lexer;
    this.#lexer = new ClickLexer(path, text);
    try {
      this.#deeper(() => this.#statements(''));
    } finally {
      this.#lexer = before;
    }
  }

  /** `elementclass Name { ... }` or `elementclass Name OtherName`. */
  #elementClass(): 'class' {
    this.#lexer.next();
    const token = this.#word('the name of the class');
    const name = token.text;
    if (this.#is('{')) this.#known.classes.set(name, this.#compound(name));
    else {
      this.#skip('::');
      const other = this.#word('"{" or the name of a class');
      this.#options.names?.class(other);
      this.#known.classes.set(name, this.#known.findClass(other.text));
    }
    this.#options.names?.classDefinition(token);
    return 'class';
  }

  /** `{ [$a, KEY $b |] statements [|| ...] }`; after the last `||`, `...` stands for what the name meant before. */
  #compound(name: string): CompoundClass {
    const overloads: Overload[] = [];
    this.#expect('{');
    do {
      if (this.#skip('...')) {
        const { place } = this.#token;
        const before = this.#known.findClass(name);
        // Said again and again, they double each time.
        for (const overload of typeof before === 'object' ? before.overloads : []) {
          this.#spend(1, place);
          overloads.push(overload);
        }
      } else overloads.push(this.#overload());
    } while (this.#skip('||'));
    this.#expect('}');
    return { name, overloads };
  }

  #overload(): Overload {
    return this.#deeper(() => {
      const outer = this.#known;
      this.#options.names?.open(this.#token.place.offset);
      // Without its brace it goes on to the end.
      let end = Number.MAX_SAFE_INTEGER;
      try {
        const formals = this.#formals();
        this.#known = new Known(outer);
        this.#statements('}');
        end = this.#token.place.offset;
        return { formals, scope: finished(this.#known) };
      } finally {
        this.#options.names?.close(end);
        this.#known = outer;
      }
    });
  }

  #formals(): Formal[] {
    const formals: Formal[] = [];
    if (this.#skip('|')) return formals;
    while (this.#token.kind === 'word' && (this.#token.text.startsWith('$') || this.#lexer.beforeVariable())) {
      const first = this.#lexer.next();
      const keyword = first.text.startsWith('$') ? undefined : first.text;
      const variable = keyword === undefined ? first : this.#word('a $name');
      this.#options.names?.parameter(variable);
      formals.push({ name: variable.text.slice(1), ...(keyword === undefined ? {} : { keyword }) });
      if (this.#skip('|')) return formals;
      this.#expect(',');
    }
    if (formals.length > 0) throw this.#unexpected('"|"');
    return formals;
  }

  #chain(): 'chain' {
    let left = this.#elements(true);
    for (;;) {
      const connector = this.#token;
      if (!this.#is('->', '=>')) {
        if (!this.#is(';', '}', ')', '||', '[', '{') && this.#token.kind === 'symbol')
          throw this.#unexpected('"->", "=>", "::" or ";"');
        return 'chain';
      }
      this.#lexer.next();
      const right = this.#elements(false);
      const { connections } = this.#known.scope;
      const before = connections.length;
      connectAll(left, right, connector.text === '=>', connector.place, connections);
      this.#spend(connections.length - before, connector.place);
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
    const { elements } = this.#known.scope;
    const template = alone && last.bare === undefined ? elements.get(last.element.name) : undefined;
    for (const { element, bare: token } of bare) {
      if (this.#find(token!.text) !== undefined) continue;
      if (template !== undefined)
        this.#declare(token!, token!.text, template.compound ?? template.className, template.configuration);
      else {
        element.name = this.#instance(
          token!,
          token!.text,
          this.#empty(token!, token!.place.offset + token!.text.length),
        );
        this.#known.early.set(element.name, token!.text);
      }
    }
  }

  /** `offset` is where parentheses could stand. */
  #empty({ place }: Token, offset: number): RawConfiguration {
    return { text: '', place: { ...place, offset }, written: false };
  }

  #find(name: string): string | undefined {
    const { ports, scope, outer } = this.#known;
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
      return { element: made(this.#instance(token, compound, this.#maybeArguments(token))) };
    }
    if (this.#is('(')) return { element: made(this.#group()) };
    if (token.kind !== 'word') {
      // Within a compound, a missing name is its input at the start of a connection and its output at the end.
      const { ports, outer } = this.#known;
      const inside = outer !== undefined || ports.input !== INPUT;
      if (!inside || (first && !this.#is('->', '=>', ','))) throw this.#unexpected('an element');
      const element = made(first ? ports.input : ports.output);
      // `[1] -> x` comes from port 1 of the input.
      return { element: first ? { ...element, inputs: undefined, outputs: inputs } : element };
    }
    this.#lexer.next();
    if (this.#skip('::')) return { element: made(this.#declaration(token)) };
    if (this.#is('(')) {
      this.#options.names?.class(token);
      return { element: made(this.#instance(token, token.text, this.#arguments())) };
    }
    if (!(token.text === INPUT || token.text === OUTPUT) || this.#find(token.text) === undefined)
      this.#options.names?.elementOrClass(token);
    return { element: made(this.#find(token.text) ?? token.text), bare: token };
  }

  #maybeArguments(token: Token): RawConfiguration {
    return this.#is('(') ? this.#arguments() : this.#empty(token, this.#lexer.end);
  }

  #declaration(token: Token): string {
    const found = this.#find(token.text);
    if (found !== undefined) throw new ClickMistake('twice', token.place, `there is an element ${token.text} already`);
    const classAt = this.#token.place.offset;
    const classToken = this.#is('{') ? undefined : this.#word('the class of the element');
    if (classToken !== undefined) this.#options.names?.class(classToken);
    const className = classToken === undefined ? this.#compound('') : classToken.text;
    const configuration = this.#maybeArguments(token);
    this.#declare(token, token.text, className, configuration, classAt);
    return token.text;
  }

  /** An element without a name of its own: `Class@3`. */
  #instance(token: Token, className: string | CompoundClass, configuration: RawConfiguration): string {
    const base = typeof className === 'string' ? className : '';
    let name: string;
    do {
      this.#anonymous += 1;
      name = `${base}@${this.#anonymous}`;
    } while (this.#known.scope.elements.has(name));
    this.#declare(token, name, className, configuration, token.place.offset, true);
    return name;
  }

  #declare(
    token: Token,
    name: string,
    className: string | CompoundClass,
    configuration: RawConfiguration,
    classAt?: number,
    anonymous = false,
  ): void {
    const resolved = typeof className === 'string' ? this.#known.findClass(className) : className;
    const declared: Declared = {
      name,
      anonymous,
      configuration,
      place: token.place,
      ...(classAt === undefined ? {} : { classAt }),
      ...(typeof resolved === 'string' ? { className: resolved } : { className: resolved.name, compound: resolved }),
    };
    if (!anonymous) this.#options.names?.element(token, typeof className === 'string' ? className : className.name);
    this.#known.scope.elements.set(name, declared);
    if (this.#known.outer === undefined && this.#lexer === this.#main) this.#declared.push(name);
  }

  /** `( a -> b )`: connections with an input and an output of their own, but without names of their own. */
  #group(): string {
    return this.#deeper(() => {
      const token = this.#lexer.next();
      this.#anonymous += 1;
      const name = `()@${this.#anonymous}`;
      const before = this.#known.ports;
      this.#known.ports = { input: `${name}/${INPUT}`, output: `${name}/${OUTPUT}` };
      try {
        this.#statements(')');
        this.#expect(')');
      } finally {
        this.#known.ports = before;
      }
      const scope: Scope = { elements: new Map(), connections: [], definitions: [] };
      const compound: CompoundClass = { name: '()', overloads: [{ formals: [], scope }] };
      this.#declare(token, name, compound, this.#empty(token, this.#lexer.end), undefined, true);
      return name;
    });
  }

  /** `[0]`, `[0, 2]`, `[0-3]`, `[1...]`. */
  #ports(): NonNullable<PortedElement['inputs']> {
    const { place } = this.#token;
    this.#expect('[');
    const list: number[] = [];
    let open = false;
    while (!this.#is(']')) {
      const low = this.#port();
      const high = this.#skip('-') ? (this.#is(']') ? undefined : this.#port()) : low;
      if (high === undefined) open = true;
      this.#spend((high ?? low) - low, place);
      for (let port = low; port <= (high ?? low); port += 1) list.push(port);
      if (!this.#skip(',') && !this.#is(']')) throw this.#unexpected('"," or "]"');
    }
    this.#lexer.next();
    if (list.length === 0) return { list: [0], open: true };
    return { list, open };
  }

  #spend(parts: number, place: ClickPlace): void {
    this.#parts += parts;
    if (this.#parts > clickLimits.parts) throw tooMuch(place, `more than ${clickLimits.parts} connections and forms`);
  }

  #port(): number {
    const token = this.#word('the number of a port');
    const port = /^\d{1,5}$/.test(token.text) ? Number(token.text) : Number.NaN;
    if (!(port < 65_536)) throw unusable(token.place, `expected the number of a port, found "${token.text}"`);
    return port;
  }
}
