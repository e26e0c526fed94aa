import {
  NemoNames,
  nemoConnectionTypes,
  nemoTypes,
  nemoUnitProperties,
  type NemoNameKind,
  type NemoSymbol,
  parseNemo,
  readNemo,
} from '@superfluidity/dialects/languages';
import { environments } from '@superfluidity/model';
import type { Completion } from './complete.ts';
import { remembered, type LanguageDocument } from './document.ts';
import type { Name, NameSymbol } from './names.ts';
import type { LanguageSupport } from './support.ts';

const kinds: Readonly<Record<NemoNameKind, string>> = {
  node: 'node',
  connection: 'connection',
  flow: 'flow',
  operation: 'operation',
  model: 'node model',
  point: 'connection point',
  parameter: 'parameter',
};

const parsed = remembered(({ path, text }: LanguageDocument): NemoNames => {
  const names = new NemoNames();
  parseNemo(new TextEncoder().encode(text), path, names);
  return names;
});

export const nemo: LanguageSupport = {
  read: ({ path, text, beside = [] }) => {
    const named = beside.filter((file) => text.includes(file.path.slice(file.path.lastIndexOf('/') + 1)));
    // Other scripts of the folder are other services.
    const vnfds = named.filter((file) => /\.ya?ml$/i.test(file.path));
    return readNemo([{ path, bytes: new TextEncoder().encode(text) }, ...vnfds]);
  },

  names: (document) => {
    const symbols = new Map<NemoSymbol, NameSymbol>();
    return parsed(document).occurrences.map(({ kind, name, offset, symbol, isDefinition }): Name => {
      const span = { kind: kinds[kind], name, from: offset, to: offset + name.length, isDefinition };
      if (symbol === undefined) return span;
      const known = symbols.get(symbol) ?? symbolOf(symbol);
      symbols.set(symbol, known);
      return { ...span, symbol: known };
    });
  },

  complete: (document, offset) => new Cursor(document, offset).completions(),

  explain: ({ text }, offset) => {
    let from = offset;
    while (from > 0 && /[\w-]/.test(text[from - 1]!)) from -= 1;
    const word = /^[\w-]+/.exec(text.slice(from, from + 64))?.[0] ?? '';
    const said = explained.get(word);
    return said === undefined ? undefined : { from, to: from + word.length, text: said };
  },

  explainName: (_document, { kind, name, symbol }) => {
    const type = symbol === undefined && kind === kinds.model ? nemoTypes.get(name) : undefined;
    if (type === undefined) return undefined;
    const properties = [...type.parameters.keys()].map(
      (one) => `\`${one}\`${type.required.includes(one) ? ' (needed)' : ''}`,
    );
    const has = properties.length === 0 ? '' : ` Properties: ${properties.join(', ')}.`;
    return `A type that NEMO has: ${roles[type.role]}.${has}`;
  },

  refuseName: (kind, name) => {
    if (!/^[A-Za-z0-9_][A-Za-z0-9_-]*$/.test(name))
      return `'${name}' is no name: letters, digits, underscores and hyphens, not beginning with a hyphen`;
    if (kind === kinds.model && nemoTypes.has(name)) return `'${name}' is a type that NEMO has`;
    return nemo.refuseChange!(kind, name);
  },

  refuseChange: (kind, name) =>
    kind === kinds.parameter && told.has(name)
      ? `a parameter called '${name}' says how a node runs, or its address`
      : undefined,
};

/** What parameters mean to whoever carries a script out, whatever model has them. */
const told: ReadonlySet<string> = new Set([
  ...Object.keys(nemoUnitProperties),
  ...[...nemoTypes.values()].flatMap(({ parameters }) => [...parameters.keys()]),
]);

const roles = {
  function: 'something that runs',
  network: 'a network',
  external: 'a network outside, with what attaches it',
  chain: 'nodes that are passed in order',
} as const;

function symbolOf({ kind, name, model, type }: NemoSymbol): NameSymbol {
  const said = [type === undefined ? [] : [type], model === undefined ? [] : [`in ${model}`]].flat();
  return { kind: kinds[kind], name, ...(said.length === 0 ? {} : { detail: said.join(', ') }) };
}

const explained: ReadonlyMap<string, string> = new Map([
  ['CREATE', 'Makes a thing. It must not be there yet.'],
  ['IMPORT', 'Says that a thing is there already, made by somebody else.'],
  ['UPDATE', 'Changes a thing: what is given replaces what was.'],
  ['DELETE', 'Removes a thing by its kind and name.'],
  ['Node', 'A host, a network function, a network, or what a model describes.'],
  ['NodeModel', 'A type of nodes: its parameters, and nodes, connection points and connections inside.'],
  ['Connection', 'Joins nodes, or connection points of nodes: `Type p2p Endnodes a, b.point`.'],
  ['ConnectionPoint', 'Where a model is connected from outside; `at VNFD: eth0` binds it to an interface of a VNFD.'],
  ['Flow', 'Which packets are meant: `Match dst-ip: 10.0.0.1, proto: tcp`.'],
  ['Operation', 'What is done with a flow: `Target flow Priority 1 Action go-through: [a, b]`.'],
  ['Transaction', 'Statements between `Transaction Begin;` and `Transaction End;` are done together.'],
  ['Contain', 'Nodes that a group holds, in order where it is a chain-group.'],
  ['Endnodes', 'What a connection joins: nodes, or `node.point`.'],
  ['Property', 'Properties of a node by the parameters of its type; before a model, the parameters themselves.'],
  ['VNFD', 'A descriptor of the package that says what is inside of the model.'],
  ['go-through', 'Nodes that packets of the flow pass, in order.'],
  ['qos-bandwidth', 'Mbit/s.'],
]);

const ITEMS = ['Node', 'NodeModel', 'Connection', 'ConnectionPoint', 'Flow', 'Operation'];
const clauses: Readonly<Record<string, readonly string[]>> = {
  Node: ['Type', 'Contain', 'Property'],
  NodeModel: ['Property', 'VNFD'],
  Connection: ['Type', 'Endnodes', 'Property'],
  ConnectionPoint: ['at VNFD:'],
  Flow: ['Match', 'Property'],
  Operation: ['Target', 'Priority', 'Condition', 'Action'],
};
const matches = ['src-ip', 'dst-ip', 'proto', 'src-port', 'dst-port', 'src-mac', 'dst-mac'];
const actions = ['allow', 'deny', 'go-through', 'qos-bandwidth'];
const connectionProperties = ['bandwidth', 'delay'];

/** What is before the cursor in its statement, which is all that decides. */
class Cursor {
  readonly #document: LanguageDocument;
  readonly #span: { readonly from: number; readonly to: number };
  /** From the item on: `Node a Type `. */
  readonly #statement: string;
  readonly #item: string | undefined;
  /** The model whose member is being written. */
  readonly #model: string | undefined;

  constructor(document: LanguageDocument, offset: number) {
    const { text } = document;
    let from = offset;
    while (from > 0 && /[\w-]/.test(text[from - 1]!)) from -= 1;
    this.#document = document;
    this.#span = { from, to: offset };
    const start = text.lastIndexOf(';', from - 1) + 1;
    const written = text.slice(start, from).replace(/\/\/[^\n]*/g, '');
    const item =
      /^\s*(?:(CREATE|IMPORT|UPDATE|DELETE)\s+)?(Node|NodeModel|Connection|ConnectionPoint|Flow|Operation)\s/.exec(
        written,
      );
    this.#item = item?.[2];
    this.#statement = written;
    this.#model = item?.[1] === undefined ? modelBefore(text.slice(0, start)) : undefined;
  }

  completions(): readonly Completion[] {
    const statement = this.#statement;
    if (statement.trim() === '')
      return this.#words([
        'CREATE',
        'IMPORT',
        'UPDATE',
        'DELETE',
        'Transaction',
        'Query',
        ...(this.#model === undefined ? [] : ['Node', 'Connection', 'ConnectionPoint']),
      ]);
    if (/^\s*(?:CREATE|IMPORT|UPDATE|DELETE)\s+$/.test(statement)) return this.#words(ITEMS);
    if (/^\s*DELETE\s+(\w+)\s+$/.test(statement)) return this.#names(kindOfItem(this.#item));
    if (/^\s*UPDATE\s+(\w+)\s+$/.test(statement)) return this.#names(kindOfItem(this.#item));
    if (/^\s*Transaction\s+$/.test(statement)) return this.#words(['Begin;', 'End;', 'Commit;']);
    const point = /([\w-]+)\.$/.exec(statement);
    if (point !== null) return this.#points(point[1]!);
    if (/^\s*Query\s+\S+\s+From\s+$/.test(statement)) return this.#names('node', 'connection', 'flow', 'operation');
    if (/\bTarget\s+$/.test(statement)) return this.#names('flow', 'node');
    if (/\bType\s+$/.test(statement)) {
      if (this.#item === 'Connection') return this.#words(nemoConnectionTypes, 'value');
      return [...this.#names('model'), ...this.#words([...nemoTypes.keys()], 'class')];
    }
    const list = /\b(Contain|Endnodes|Property|Match|Action)\b([^]*)$/.exec(statement);
    if (list === null) return this.#words(clauses[this.#item ?? ''] ?? []);
    const [, clause, rest] = list as unknown as [string, string, string];
    const isInList = /\[[^\]]*$/.test(rest);
    if (isInList || /(?:go-through|path)\s*:\s*$/.test(rest)) return this.#names('node');
    if (/:\s*$/.test(rest)) return this.#value(rest);
    const isOpen = /^\s*$|,\s*$/.test(rest);
    if (!isOpen) return this.#words((clauses[this.#item ?? ''] ?? []).filter((one) => !statement.includes(one)));
    if (clause === 'Contain' || clause === 'Endnodes') return this.#names('node', 'point');
    if (clause === 'Match') return this.#words(matches, 'field', ': ');
    if (clause === 'Action') return this.#words(actions, 'value');
    if (this.#item === 'NodeModel') return this.#words(['string', 'integer', 'range'], 'keyword', ': ');
    return this.#words(this.#properties(), 'field', ': ');
  }

  #properties(): readonly string[] {
    if (this.#item === 'Connection') return connectionProperties;
    if (this.#item === 'Flow') return ['path'];
    const type = /\bType\s+"?([\w-]+)/.exec(this.#statement)?.[1] ?? '';
    const own = this.#symbols('parameter').filter(({ model }) => model === type);
    return [...own.map(({ name }) => name), ...(nemoTypes.get(type)?.parameters.keys() ?? [])];
  }

  #value(rest: string): readonly Completion[] {
    const name = /([\w-]+)\s*:\s*$/.exec(rest)?.[1] ?? '';
    const own = this.#symbols('parameter').filter(({ model }) => model === this.#model && model !== undefined);
    const values = name === 'proto' ? ['tcp', 'udp', 'icmp'] : name === 'environment' ? environments : [];
    return [
      ...this.#words(values, 'value'),
      ...this.#words(
        own.map((one) => one.name),
        'name',
      ),
    ];
  }

  #points(node: string): readonly Completion[] {
    const type = this.#symbols('node').find(({ name, model }) => name === node && model === this.#model)?.type;
    const points = this.#symbols('point').filter(({ model }) => model === type && type !== undefined);
    return this.#words(
      points.map(({ name }) => name),
      'name',
    );
  }

  #names(...wanted: readonly NemoNameKind[]): readonly Completion[] {
    return wanted.flatMap((kind) =>
      this.#symbols(kind)
        .filter(({ model }) => kind === 'model' || model === this.#model)
        .map(
          ({ name, type }): Completion => ({
            ...this.#span,
            label: name,
            kind: 'name',
            detail: type === undefined ? kinds[kind] : `${kinds[kind]} of type ${type}`,
          }),
        ),
    );
  }

  #symbols(kind: NemoNameKind): readonly NemoSymbol[] {
    return parsed(this.#document).symbols.filter((symbol) => symbol.kind === kind);
  }

  #words(labels: readonly string[], kind: Completion['kind'] = 'keyword', behind = ''): readonly Completion[] {
    return labels.map((label) => {
      const documentation = explained.get(label);
      return {
        ...this.#span,
        label,
        kind,
        ...(behind === '' ? {} : { insert: `${label}${behind}` }),
        ...(documentation === undefined ? {} : { documentation }),
      };
    });
  }
}

function kindOfItem(item: string | undefined): NemoNameKind {
  return item === 'NodeModel'
    ? 'model'
    : item === 'ConnectionPoint'
      ? 'point'
      : ((item ?? 'node').toLowerCase() as NemoNameKind);
}

/** Members follow their model until something else is made. */
function modelBefore(text: string): string | undefined {
  const last = [...text.matchAll(/\b(?:CREATE|IMPORT|UPDATE|DELETE|Transaction|Query)\s+(\w+)\s+"?([\w-]*)/g)].at(-1);
  return last?.[1] === 'NodeModel' ? last[2] : undefined;
}
