import type { Position, Problem } from '@superfluidity/core';
import { dialectLimits, type dialectErrors } from '../errors.ts';
import { shorten } from '../yaml-text.ts';
import type { NemoNameKind, NemoNames } from './names.ts';
import { Scanner, SyntaxMistake } from './scanner.ts';
import {
  itemKinds,
  type Action,
  type ConnectionItem,
  type ConnectionPointItem,
  type EndPoint,
  type FlowItem,
  type Item,
  type ItemKind,
  type NodeItem,
  type NodeModelItem,
  type OperationItem,
  type ParameterType,
  type Property,
  type Statement,
  type StatementBody,
  type Value,
} from './syntax.ts';

/**
 * The NEMO language of draft-xia-sdnrg-nemo-language-04 as OpenDaylight implemented it, with the recursive VNF extension
 * of draft-aranda-nfvrg-recursive-vnf-06 (D6.1 section 4.1.1 and annex B1). Recursive descent, one statement at a time: a
 * mistake costs the statement, not the script. Deviations that are met in the field are taken with a warning: quoted
 * names, `Nodemodel`, a connection without a type, a semicolon missing at the end.
 */
export function parseNemo(
  bytes: Uint8Array,
  file: string,
  names?: NemoNames,
): { readonly statements: readonly Statement[]; readonly problems: readonly Problem[] } {
  if (bytes.byteLength > dialectLimits.fileBytes) {
    const position = { file, line: 1, column: 1 };
    const message = `the file has ${(bytes.byteLength / 2 ** 20).toFixed(1)} MiB, allowed is 1 MiB`;
    return {
      statements: [],
      problems: [{ severity: 'error', code: 'SF-DESCRIPTOR-TOO-LARGE', message, path: '', position }],
    };
  }
  const text = new TextDecoder().decode(bytes);
  const parser = new Parser(new Scanner(text, file), names);
  const bad = text.indexOf('\u{FFFD}');
  if (bad !== -1) parser.report('error', 'SF-DESCRIPTOR-ENCODING', 'bytes that are not UTF-8', bad);
  const statements = bad === -1 ? parser.script() : [];
  names?.finish();
  return { statements, problems: parser.problems };
}

const NAME = /[A-Za-z0-9_][A-Za-z0-9_-]*/y;
const QUOTED = /"(?:[^"\\\n]|\\["\\/bfnrtu])*"/y;
/** Addresses, times, numbers and identifiers with dots and colons. */
const WORD = /[A-Za-z0-9_+-](?:[A-Za-z0-9_+./:-]*[A-Za-z0-9_+/])?/y;
const NUMBER = /[0-9]+/y;
const END = /;/y;
const COMMA = /,/y;
const COLON = /:/y;
const URI = /[^\s;]+/y;
const OPERATOR = /==|!=|>=|<=|>|<|\*/y;
const VERB = word('CREATE|IMPORT|UPDATE|DELETE');
const MEMBER = word('Node|NodeModel|Nodemodel|Connection|Flow|Operation|ConnectionPoint');

function word(names: string): RegExp {
  return new RegExp(`(?:${names})(?![A-Za-z0-9_-])`, 'y');
}

const keywords = {
  type: word('Type'),
  contain: word('Contain'),
  property: word('Property'),
  ends: word('Endnodes|EndNodes'),
  match: word('Match'),
  target: word('Target'),
  priority: word('Priority'),
  condition: word('Condition'),
  action: word('Action'),
  vnfd: word('VNFD'),
  at: word('at'),
  parameterType: word('string|integer|range'),
  query: word('Query'),
  from: word('From'),
  notification: word('Notification'),
  on: word('On'),
  every: word('Every'),
  listener: word('RegisterListener'),
  transaction: word('Transaction'),
  step: word('Begin|End'),
  commit: word('Commit'),
  connect: word('Connect'),
  address: word('Address'),
  port: word('Port'),
  disconnect: word('Disconnect'),
  deleted: word(`${itemKinds.join('|')}|Nodemodel|TemplateInstance`),
} as const;

const kindOf: Readonly<Record<ItemKind, NemoNameKind>> = {
  Node: 'node',
  Connection: 'connection',
  Flow: 'flow',
  Operation: 'operation',
  NodeModel: 'model',
  ConnectionPoint: 'point',
};

/** Half of the problems of a file: mistakes and deviations each. */
const DEVIATIONS_MAX = dialectLimits.problems / 2;

class Parser {
  readonly problems: Problem[] = [];
  readonly #scan: Scanner;
  readonly #names: NemoNames | undefined;
  #deviations = 0;
  /** Where the name or text that was passed last begins. */
  #last = 0;

  constructor(scanner: Scanner, names?: NemoNames) {
    this.#scan = scanner;
    this.#names = names;
  }

  script(): readonly Statement[] {
    const statements: Statement[] = [];
    let mistakes = 0;
    while (!this.#scan.atEnd && mistakes < DEVIATIONS_MAX) {
      if (statements.length >= dialectLimits.nemoStatements) {
        this.report(
          'error',
          'SF-DESCRIPTOR-TOO-LARGE',
          `more than ${dialectLimits.nemoStatements} statements`,
          this.#scan.offset,
        );
        return [];
      }
      try {
        const from = this.#scan.offset;
        const body = this.#statement();
        statements.push({ ...body, from, to: this.#scan.end });
      } catch (error) {
        if (!(error instanceof SyntaxMistake)) throw error;
        mistakes += 1;
        this.#names?.closeModel();
        this.report('error', 'SF-DESCRIPTOR-SYNTAX', error.message, error.offset);
        this.#scan.skipStatement();
      }
    }
    return statements;
  }

  report(severity: Problem['severity'], code: keyof typeof dialectErrors, message: string, offset: number): void {
    this.problems.push({ severity, code, message, path: '', position: this.#scan.position(offset) });
  }

  #statement(): StatementBody {
    const scan = this.#scan;
    const start = scan.offset;
    const at = scan.here;
    const verb = scan.take(VERB);
    if (verb === undefined) return this.#other(start, at);
    if (scan.peek(keywords.notification) !== undefined) return this.#notification(start, at, verb);
    if (verb !== 'DELETE') {
      const item = this.#item(verb === 'UPDATE');
      return { kind: 'make', verb: verb as 'CREATE' | 'IMPORT' | 'UPDATE', item, text: scan.since(start) };
    }
    const named = scan.expect(keywords.deleted, `one of ${itemKinds.join(', ')}`);
    // An instance of a template is a node.
    const of = named === 'TemplateInstance' ? 'Node' : named === 'Nodemodel' ? 'NodeModel' : (named as ItemKind);
    const name = this.#reference(kindOf[of]);
    this.#end();
    return { kind: 'delete', of, name, at };
  }

  #other(start: number, at: Position): StatementBody {
    const scan = this.#scan;
    const other = (): StatementBody => {
      this.#end();
      return { kind: 'other', text: scan.since(start), at };
    };
    if (scan.take(keywords.commit) !== undefined) {
      this.#end();
      return { kind: 'transaction', step: 'Commit', at };
    }
    if (scan.take(keywords.transaction) !== undefined) {
      const step = scan.expect(keywords.step, 'Begin or End') as 'Begin' | 'End';
      this.#end();
      return { kind: 'transaction', step, at };
    }
    if (scan.take(keywords.query) !== undefined) {
      this.#name();
      if (scan.take(keywords.from) !== undefined) this.#reference('node', 'connection', 'flow', 'operation');
      return other();
    }
    if (scan.take(keywords.disconnect) !== undefined) {
      this.#name();
      return other();
    }
    if (scan.take(keywords.connect) !== undefined) {
      this.#name();
      scan.expect(keywords.address, 'Address');
      this.#text();
      scan.expect(keywords.port, 'Port');
      scan.expect(NUMBER, 'a number');
      return other();
    }
    throw scan.mistake('expected CREATE, IMPORT, UPDATE, DELETE, Query, Transaction, Commit, Connect or Disconnect');
  }

  #notification(start: number, at: Position, verb: string): StatementBody {
    const scan = this.#scan;
    scan.take(keywords.notification);
    this.#name();
    if (verb !== 'DELETE') {
      scan.expect(keywords.on, 'On');
      this.#conditions();
      if (scan.take(keywords.every) !== undefined) this.#text();
      scan.expect(keywords.listener, 'RegisterListener');
      this.#name();
    }
    this.#end();
    return { kind: 'other', text: scan.since(start), at };
  }

  /** The name of a thing that is made, or of one that is changed. */
  #made(item: ItemKind, isUpdate: boolean): string {
    const name = this.#name();
    const written = { name, offset: this.#last };
    if (isUpdate) this.#names?.refer([kindOf[item]], written);
    else this.#names?.define(kindOf[item], written);
    return name;
  }

  #reference(...kinds: readonly NemoNameKind[]): string {
    const name = this.#name();
    this.#names?.refer(kinds, { name, offset: this.#last });
    return name;
  }

  #item(isUpdate = false): Item {
    const scan = this.#scan;
    const start = scan.offset;
    const kind = scan.expect(MEMBER, `one of ${itemKinds.join(', ')}`);
    const at = scan.position(start);
    switch (kind) {
      case 'Node':
        return this.#node(at, isUpdate);
      case 'Connection':
        return this.#connection(at, isUpdate);
      case 'Flow':
        return this.#flow(at, isUpdate);
      case 'Operation':
        return this.#operation(at, isUpdate);
      case 'ConnectionPoint':
        return this.#connectionPoint(at, isUpdate);
      default:
        if (kind === 'Nodemodel') this.#deviation("'Nodemodel' is written NodeModel", start);
        return this.#nodeModel(at, isUpdate);
    }
  }

  #node(at: Position, isUpdate: boolean): NodeItem {
    const scan = this.#scan;
    const name = this.#made('Node', isUpdate);
    const type = scan.take(keywords.type) === undefined ? undefined : this.#type(name);
    const contain = scan.take(keywords.contain) === undefined ? undefined : this.#list(() => this.#endPoint());
    const properties = this.#properties(name);
    this.#end();
    return {
      kind: 'Node',
      name,
      at,
      ...(type === undefined ? {} : { type }),
      ...(contain === undefined ? {} : { contain }),
      properties,
    };
  }

  #type(node: string): string {
    const type = this.#name();
    this.#names?.refer(['model'], { name: type, offset: this.#last }, true);
    this.#names?.typed(node, type);
    return type;
  }

  #connection(at: Position, isUpdate: boolean): ConnectionItem {
    const scan = this.#scan;
    const name = this.#made('Connection', isUpdate);
    const offset = scan.offset;
    const type = scan.take(keywords.type) === undefined ? undefined : this.#name();
    const ends = scan.take(keywords.ends) === undefined ? undefined : this.#list(() => this.#endPoint());
    if (type === undefined && ends !== undefined) this.#deviation(`connection '${shorten(name)}' has no type`, offset);
    const properties = this.#properties();
    this.#end();
    return {
      kind: 'Connection',
      name,
      at,
      ...(type === undefined ? {} : { type }),
      ...(ends === undefined ? {} : { ends }),
      properties,
    };
  }

  #flow(at: Position, isUpdate: boolean): FlowItem {
    const name = this.#made('Flow', isUpdate);
    const match = this.#scan.take(keywords.match) === undefined ? [] : this.#list(() => this.#property());
    const properties = this.#properties();
    this.#end();
    return { kind: 'Flow', name, at, match, properties };
  }

  /** Texts give target and priority in either order. */
  #operation(at: Position, isUpdate: boolean): OperationItem {
    const scan = this.#scan;
    const name = this.#made('Operation', isUpdate);
    const found: { target?: string; priority?: number; condition?: string } = {};
    for (;;) {
      if (scan.take(keywords.target) !== undefined) found.target = this.#reference('flow', 'node');
      else if (scan.take(keywords.priority) !== undefined)
        found.priority = Number(scan.expect(NUMBER, 'a number').slice(0, 9));
      else if (scan.take(keywords.condition) !== undefined) found.condition = this.#conditions();
      else break;
    }
    const actions = scan.take(keywords.action) === undefined ? [] : this.#list(() => this.#action());
    this.#end();
    return { kind: 'Operation', name, at, ...found, actions };
  }

  #action(): Action {
    const at = this.#scan.here;
    const name = this.#name();
    if (this.#scan.take(COLON) === undefined) return { name, at };
    return { name, at, value: this.#value(name === 'go-through' ? 'nodes' : 'value') };
  }

  #conditions(): string {
    const scan = this.#scan;
    const start = scan.offset;
    const one = () => {
      scan.take(/!(?=\s*\()/y);
      scan.expect(/\(/y, "'('");
      this.#name();
      scan.expect(OPERATOR, 'a comparison');
      this.#value();
      scan.expect(/\)/y, "')'");
    };
    one();
    while (scan.take(/&&|\|\||!(?!\s*\()/y) !== undefined) one();
    return scan.since(start);
  }

  #nodeModel(at: Position, isUpdate: boolean): NodeModelItem {
    const scan = this.#scan;
    const name = this.#made('NodeModel', isUpdate);
    this.#names?.openModel(name);
    const parameters = new Map<string, ParameterType>();
    if (scan.take(keywords.property) !== undefined) {
      this.#list(() => {
        const type = scan.expect(keywords.parameterType, 'string, integer or range') as ParameterType;
        scan.expect(COLON, "':'");
        const parameter = this.#name();
        this.#names?.define('parameter', { name: parameter, offset: this.#last });
        parameters.set(parameter, type);
      });
    }
    const vnfd = scan.take(keywords.vnfd) === undefined ? undefined : this.#uri();
    const closed = scan.take(END) !== undefined;
    const members: Item[] = [];
    while (scan.peek(MEMBER) !== undefined) {
      if (members.length >= dialectLimits.nemoStatements) throw scan.mistake('too many members');
      const item = this.#item();
      members.push(item);
      // The members of the inner one would be taken for those of the outer one by whoever reads the text.
      if (item.kind === 'NodeModel')
        throw scan.mistake('a NodeModel cannot be inside another: give it a CREATE of its own');
    }
    if (!closed && members.length === 0) this.#end();
    this.#names?.closeModel();
    return { kind: 'NodeModel', name, at, parameters, ...(vnfd === undefined ? {} : { vnfd }), members };
  }

  #uri(): { readonly uri: string; readonly at: Position } {
    const at = this.#scan.here;
    let uri = this.#scan.expect(URI, 'a URI');
    // Texts that were set in lines break addresses before a slash.
    for (
      let more = this.#scan.take(/\/[^\s;/][^\s;]*/y);
      more !== undefined;
      more = this.#scan.take(/\/[^\s;/][^\s;]*/y)
    )
      uri += more;
    return { uri, at };
  }

  #connectionPoint(at: Position, isUpdate: boolean): ConnectionPointItem {
    const scan = this.#scan;
    const name = this.#made('ConnectionPoint', isUpdate);
    if (scan.take(keywords.at) === undefined) {
      this.#end();
      return { kind: 'ConnectionPoint', name, at };
    }
    scan.expect(keywords.vnfd, 'VNFD');
    scan.expect(COLON, "':'");
    const there = scan.here;
    const vnfdInterface = { name: this.#text(), at: there };
    this.#names?.value({ name: vnfdInterface.name, offset: this.#last });
    this.#end();
    return { kind: 'ConnectionPoint', name, at, vnfdInterface };
  }

  #properties(node?: string): readonly Property[] {
    return this.#scan.take(keywords.property) === undefined ? [] : this.#list(() => this.#property(node));
  }

  #property(node?: string): Property {
    const at = this.#scan.here;
    const name = this.#name();
    if (node !== undefined) this.#names?.property(node, { name, offset: this.#last });
    this.#scan.expect(COLON, "':'");
    return { name, value: this.#value(node === undefined && name === 'path' ? 'nodes' : 'value'), at };
  }

  /** What names stand for in a value: parameters of the model around it, or nodes. */
  #value(names: 'value' | 'nodes' = 'value'): Value {
    const scan = this.#scan;
    if (scan.take(/\(/y) !== undefined) {
      const from = scan.expect(NUMBER, 'a number');
      scan.expect(COMMA, "','");
      const to = scan.expect(NUMBER, 'a number');
      scan.expect(/\)/y, "')'");
      return { from, to };
    }
    const one = () => {
      const text = this.#text();
      if (names === 'nodes') this.#hop(text, this.#last);
      else this.#names?.value({ name: text, offset: this.#last });
      return text;
    };
    if (scan.take(/\[/y) === undefined) return one();
    if (scan.take(/\]/y) !== undefined) return [];
    const list = this.#list(one);
    scan.expect(/\]/y, "']'");
    return list;
  }

  /** `node` or `node.point` in the path of a flow. */
  #hop(text: string, offset: number): void {
    const [node = '', point] = text.split('.');
    this.#names?.refer(['node'], { name: node, offset });
    if (point !== undefined) this.#names?.point(node, { name: point, offset: offset + node.length + 1 });
  }

  #text(): string {
    const scan = this.#scan;
    const start = scan.offset;
    this.#last = start;
    if (scan.peek(QUOTED) === undefined) return scan.expect(WORD, 'a value');
    const quoted = scan.take(QUOTED)!;
    this.#last = start + 1;
    try {
      return JSON.parse(quoted) as string;
    } catch {
      throw new SyntaxMistake('this text cannot be read: inside quotes, \\ starts an escape as in JSON', start);
    }
  }

  #name(): string {
    const scan = this.#scan;
    const start = scan.offset;
    this.#last = start;
    const quoted = scan.take(QUOTED);
    if (quoted === undefined) return scan.expect(NAME, 'a name');
    this.#last = start + 1;
    const name = quoted.slice(1, -1);
    if (!/^[A-Za-z0-9_][A-Za-z0-9_-]*$/.test(name)) throw new SyntaxMistake(`${shorten(quoted)} is not a name`, start);
    this.#deviation(`names have no quotes: ${shorten(quoted)}`, start);
    return name;
  }

  #endPoint(): EndPoint {
    const at = this.#scan.here;
    const node = this.#reference('node', 'point');
    if (this.#scan.take(/\./y) === undefined) return { node, at };
    const point = this.#name();
    this.#names?.point(node, { name: point, offset: this.#last });
    return { node, point, at };
  }

  #list<T>(one: () => T): readonly T[] {
    const list = [one()];
    while (this.#scan.take(COMMA) !== undefined) list.push(one());
    return list;
  }

  #end(): void {
    if (this.#scan.take(END) !== undefined) return;
    if (!this.#scan.atEnd) this.#scan.expect(END, "';'");
    this.#deviation("';' is missing at the end", this.#scan.offset);
  }

  #deviation(message: string, offset: number): void {
    this.#deviations += 1;
    if (this.#deviations <= DEVIATIONS_MAX) this.report('warning', 'SF-DESCRIPTOR-SYNTAX', message, offset);
  }
}
