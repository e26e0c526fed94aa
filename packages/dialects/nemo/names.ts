/** Kinds of things that have names in a script. Names of each kind are apart. */
export type NemoNameKind = 'node' | 'connection' | 'flow' | 'operation' | 'model' | 'point' | 'parameter';

/** What a name stands for: two names stand for the same when they have the same symbol. */
export interface NemoSymbol {
  readonly kind: NemoNameKind;
  readonly name: string;
  /** The model in which it is; absent at the top. */
  readonly model?: string;
  /** Of a node. */
  type?: string;
}

/** A name where it stands. */
export interface NemoOccurrence {
  readonly kind: NemoNameKind;
  readonly name: string;
  readonly offset: number;
  /** Absent for what nothing in the script makes: types that are built in, what other scripts make. */
  readonly symbol?: NemoSymbol;
  readonly isDefinition: boolean;
}

interface Mention {
  readonly scope: NameScope;
  readonly name: string;
  readonly offset: number;
  readonly find: (scope: NameScope) => NemoSymbol | undefined;
  readonly kind: NemoNameKind;
}

class NameScope {
  readonly model: string | undefined;
  readonly symbols = new Map<string, NemoSymbol>();

  constructor(model?: string) {
    this.model = model;
  }

  get(kind: NemoNameKind, name: string): NemoSymbol | undefined {
    return this.symbols.get(`${kind} ${name}`);
  }
}

/** A name as the parser passes it. */
export interface WrittenName {
  readonly name: string;
  readonly offset: number;
}

/**
 * Notes the names of a script while it is parsed, for editors. What is inside of a model is known there alone; a name may be
 * used before what it names is made.
 */
export class NemoNames {
  readonly occurrences: NemoOccurrence[] = [];
  readonly #top = new NameScope();
  readonly #models = new Map<string, NameScope>();
  readonly #mentions: Mention[] = [];
  readonly #types: { readonly scope: NameScope; readonly node: string; readonly type: string }[] = [];
  #scope = this.#top;

  /** All that the script makes. */
  get symbols(): readonly NemoSymbol[] {
    return [this.#top, ...this.#models.values()].flatMap(({ symbols }) => [...symbols.values()]);
  }

  /** Of models that are made twice, or changed, the members are those of one. */
  openModel(name: string): void {
    this.#scope = this.#models.get(name) ?? new NameScope(name);
    this.#models.set(name, this.#scope);
  }

  closeModel(): void {
    this.#scope = this.#top;
  }

  define(kind: NemoNameKind, { name, offset }: WrittenName): NemoSymbol {
    const { symbols, model } = this.#scope;
    const key = `${kind} ${name}`;
    const symbol = symbols.get(key) ?? { kind, name, ...(model === undefined ? {} : { model }) };
    symbols.set(key, symbol);
    this.occurrences.push({ kind, name, offset, symbol, isDefinition: true });
    return symbol;
  }

  /** Of the first of these kinds that there is. Models and what is deleted are those of the top. */
  refer(kinds: readonly NemoNameKind[], { name, offset }: WrittenName, isTop = false): void {
    const scope = isTop ? this.#top : this.#scope;
    const find = (at: NameScope) => kinds.map((kind) => at.get(kind, name)).find((symbol) => symbol !== undefined);
    this.#mentions.push({ scope, name, offset, find, kind: kinds[0]! });
  }

  typed(node: string, type: string): void {
    this.#types.push({ scope: this.#scope, node, type });
  }

  /** `node.point`: the point is one of the model of the node. */
  point(node: string, { name, offset }: WrittenName): void {
    this.#inModelOf(node, 'point', { name, offset });
  }

  /** The name of a property of a node, where its model has such a parameter. */
  property(node: string, written: WrittenName): void {
    this.#inModelOf(node, 'parameter', written);
  }

  /** A value inside of a model, which may be that of one of the model's parameters. */
  value({ name, offset }: WrittenName): void {
    const scope = this.#scope;
    if (scope === this.#top) return;
    this.#mentions.push({ scope, name, offset, find: (at) => at.get('parameter', name), kind: 'parameter' });
  }

  #inModelOf(node: string, kind: NemoNameKind, { name, offset }: WrittenName): void {
    const find = (at: NameScope) => this.#models.get(at.get('node', node)?.type ?? '')?.get(kind, name);
    this.#mentions.push({ scope: this.#scope, name, offset, find, kind });
  }

  finish(): void {
    for (const { scope, node, type } of this.#types) {
      const symbol = scope.get('node', node);
      if (symbol !== undefined) symbol.type = type;
    }
    for (const { scope, name, offset, find, kind } of this.#mentions) {
      const symbol = find(scope);
      // A value that is no parameter is a value.
      if (symbol === undefined && kind === 'parameter') continue;
      const found = symbol === undefined ? { kind, name } : { kind: symbol.kind, name, symbol };
      this.occurrences.push({ ...found, offset, isDefinition: false });
    }
    this.occurrences.sort((a, b) => a.offset - b.offset);
  }
}
