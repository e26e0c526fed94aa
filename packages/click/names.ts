import { argumentStarts, type RawConfiguration } from './arguments.ts';
import type { Token } from './tokens.ts';

/** Elements, element classes, and variables of `define` and of parameters: names of each kind are apart. */
export type ClickNameKind = 'element' | 'class' | 'variable';

/** What a name stands for. Two names stand for the same when they have the same symbol. */
export interface ClickSymbol {
  readonly kind: ClickNameKind;
  readonly name: string;
  /** Of elements, the class as it is written; empty where that is a compound between braces. */
  readonly className?: string;
}

/** A name where it stands. */
export interface ClickOccurrence {
  readonly kind: ClickNameKind;
  readonly name: string;
  readonly offset: number;
  /** Absent for what nothing in the file defines: a class of Click itself, a variable of whoever starts it. */
  readonly symbol?: ClickSymbol;
  readonly isDefinition: boolean;
}

/** The names that can be used between two offsets of the file. */
export interface ClickRegion {
  readonly from: number;
  readonly to: number;
  readonly symbols: readonly ClickSymbol[];
}

interface Mention {
  readonly name: string;
  readonly offset: number;
  /** What it means if it is the name of a class: classes are known from where they stand on. */
  readonly asClass: ClickSymbol | undefined;
}

class NameScope {
  readonly outer: NameScope | undefined;
  readonly from: number;
  readonly symbols: Readonly<Record<ClickNameKind, Map<string, ClickSymbol>>> = {
    element: new Map(),
    class: new Map(),
    variable: new Map(),
  };
  readonly mentions: Mention[] = [];
  readonly configurations: RawConfiguration[] = [];
  to = Number.MAX_SAFE_INTEGER;

  constructor(from: number, outer?: NameScope) {
    this.from = from;
    this.outer = outer;
  }

  find(kind: 'class' | 'variable', name: string): ClickSymbol | undefined {
    return this.symbols[kind].get(name) ?? this.outer?.find(kind, name);
  }
}

const VARIABLE = /\$(?:\{(\w+)\}|(\w+))/y;

/**
 * Notes the names of a file while it is parsed, for editors. Elements belong to the compound in which they are; classes and
 * variables are known inside of it too. Names in the arguments of elements are arguments: what they mean is up to the class.
 */
export class ClickNames {
  readonly occurrences: ClickOccurrence[] = [];
  readonly regions: ClickRegion[] = [];
  readonly #path: string;
  readonly #scopes: NameScope[] = [];
  #scope = new NameScope(0);

  constructor(path: string) {
    this.#path = path;
    this.#scopes.push(this.#scope);
  }

  open(offset: number): void {
    this.#scope = new NameScope(offset, this.#scope);
    this.#scopes.push(this.#scope);
  }

  close(offset: number): void {
    this.#scope.to = offset;
    this.#scope = this.#scope.outer ?? this.#scope;
  }

  element(token: Token, className: string): void {
    if (!this.#isHere(token)) return;
    const { element } = this.#scope.symbols;
    const symbol = element.get(token.text) ?? { kind: 'element', name: token.text, className };
    element.set(token.text, symbol);
    this.#note(symbol, token.place.offset, true);
  }

  /** A word that is an element or a class. */
  elementOrClass(token: Token): void {
    if (!this.#isHere(token)) return;
    const { text: name, place } = token;
    this.#scope.mentions.push({ name, offset: place.offset, asClass: this.#scope.find('class', name) });
  }

  classDefinition(token: Token): void {
    if (!this.#isHere(token)) return;
    const classes = this.#scope.symbols.class;
    const symbol = classes.get(token.text) ?? { kind: 'class', name: token.text };
    classes.set(token.text, symbol);
    this.#note(symbol, token.place.offset, true);
  }

  class(token: Token): void {
    if (!this.#isHere(token)) return;
    this.#refer('class', token.text, token.place.offset, this.#scope.find('class', token.text));
  }

  /** `$name` among the parameters of a compound. */
  parameter(token: Token): void {
    if (this.#isHere(token)) this.#variable(token.text.slice(1), token.place.offset + 1);
  }

  /** The text between the parentheses of `define`: each argument begins with a name. */
  definitions(configuration: RawConfiguration): void {
    const { text, place } = configuration;
    if (place.path !== this.#path) return;
    for (const start of argumentStarts(text)) {
      const { 1: lead = '', 2: name } = /^(\$?)(\w+)/.exec(text.slice(start, start + 1_000)) ?? [];
      if (name !== undefined) this.#variable(name, place.offset + start + lead.length);
    }
    this.configuration(configuration);
  }

  configuration(configuration: RawConfiguration): void {
    if (configuration.place.path === this.#path && configuration.text.includes('$'))
      this.#scope.configurations.push(configuration);
  }

  /** When the file has ended: what is used before it is declared can be told only then. */
  finish(end: number): void {
    const defined = new Set(this.occurrences.map(({ offset }) => offset));
    for (const scope of this.#scopes) {
      for (const { name, offset, asClass } of scope.mentions) {
        // `a, b :: Class` declares both.
        if (defined.has(offset)) continue;
        const element = scope.symbols.element.get(name);
        this.#refer(element === undefined ? 'class' : 'element', name, offset, element ?? asClass);
      }
      for (const configuration of scope.configurations) this.#uses(configuration, scope, defined);
      const symbols = Object.values(scope.symbols).flatMap((kind) => [...kind.values()]);
      this.regions.push({ from: scope.from, to: Math.min(scope.to, end), symbols });
    }
    this.occurrences.sort((a, b) => a.offset - b.offset);
  }

  #uses({ text, place }: RawConfiguration, scope: NameScope, defined: ReadonlySet<number>): void {
    let quote = '';
    for (let at = 0; at < text.length; at += 1) {
      const c = text[at]!;
      if (c === "'" && quote !== '"') quote = quote === '' ? c : '';
      if (c === '"' && quote !== "'") quote = quote === '' ? c : '';
      if (c !== '$' || quote === "'") continue;
      VARIABLE.lastIndex = at;
      const found = VARIABLE.exec(text);
      if (found === null) continue;
      const name = found[1] ?? found[2]!;
      const offset = place.offset + at + (found[1] === undefined ? 1 : 2);
      if (!defined.has(offset)) this.#refer('variable', name, offset, scope.find('variable', name));
    }
  }

  #variable(name: string, offset: number): void {
    const variables = this.#scope.symbols.variable;
    const symbol = variables.get(name) ?? { kind: 'variable', name };
    variables.set(name, symbol);
    this.#note(symbol, offset, true);
  }

  #refer(kind: ClickNameKind, name: string, offset: number, symbol: ClickSymbol | undefined): void {
    if (symbol === undefined) this.occurrences.push({ kind, name, offset, isDefinition: false });
    else this.#note(symbol, offset, false);
  }

  #note(symbol: ClickSymbol, offset: number, isDefinition: boolean): void {
    this.occurrences.push({ kind: symbol.kind, name: symbol.name, offset, symbol, isDefinition });
  }

  /** Libraries are other files. */
  #isHere({ place }: Token): boolean {
    return place.path === this.#path;
  }
}
