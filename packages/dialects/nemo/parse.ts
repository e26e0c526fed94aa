import type { Position, Problem } from '@superfluidity/core';
import { dialectLimits, type dialectErrors } from '../errors.ts';
import { shorten } from '../yaml-text.ts';
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
  const parser = new Parser(new Scanner(text, file));
  const bad = text.indexOf('\u{FFFD}');
  if (bad !== -1) parser.report('error', 'SF-DESCRIPTOR-ENCODING', 'bytes that are not UTF-8', bad);
  const statements = bad === -1 ? parser.script() : [];
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

/** Half of the problems of a file: mistakes and deviations each. */
const DEVIATIONS_MAX = dialectLimits.problems / 2;

class Parser {
  readonly problems: Problem[] = [];
  readonly #scan: Scanner;
  #deviations = 0;

  constructor(scanner: Scanner) {
    this.#scan = scanner;
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
        statements.push(this.#statement());
      } catch (error) {
        if (!(error instanceof SyntaxMistake)) throw error;
        mistakes += 1;
        this.report('error', 'SF-DESCRIPTOR-SYNTAX', error.message, error.offset);
        this.#scan.skipStatement();
      }
    }
    return statements;
  }

  report(severity: Problem['severity'], code: keyof typeof dialectErrors, message: string, offset: number): void {
    this.problems.push({ severity, code, message, path: '', position: this.#scan.position(offset) });
  }

  #statement(): Statement {
    const scan = this.#scan;
    const start = scan.offset;
    const at = scan.here;
    const verb = scan.take(VERB);
    if (verb === undefined) return this.#other(start, at);
    if (scan.peek(keywords.notification) !== undefined) return this.#notification(start, at, verb);
    if (verb !== 'DELETE') {
      const item = this.#item();
      return { kind: 'make', verb: verb as 'CREATE' | 'IMPORT' | 'UPDATE', item, text: scan.since(start) };
    }
    const named = scan.expect(keywords.deleted, `one of ${itemKinds.join(', ')}`);
    const name = this.#name();
    this.#end();
    // An instance of a template is a node.
    const of = named === 'TemplateInstance' ? 'Node' : named === 'Nodemodel' ? 'NodeModel' : (named as ItemKind);
    return { kind: 'delete', of, name, at };
  }

  #other(start: number, at: Position): Statement {
    const scan = this.#scan;
    const other = (): Statement => {
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
      if (scan.take(keywords.from) !== undefined) this.#name();
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

  #notification(start: number, at: Position, verb: string): Statement {
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

  #item(): Item {
    const scan = this.#scan;
    const start = scan.offset;
    const kind = scan.expect(MEMBER, `one of ${itemKinds.join(', ')}`);
    const at = scan.position(start);
    switch (kind) {
      case 'Node':
        return this.#node(at);
      case 'Connection':
        return this.#connection(at);
      case 'Flow':
        return this.#flow(at);
      case 'Operation':
        return this.#operation(at);
      case 'ConnectionPoint':
        return this.#connectionPoint(at);
      default:
        if (kind === 'Nodemodel') this.#deviation("'Nodemodel' is written NodeModel", start);
        return this.#nodeModel(at);
    }
  }

  #node(at: Position): NodeItem {
    const scan = this.#scan;
    const name = this.#name();
    const type = scan.take(keywords.type) === undefined ? undefined : this.#name();
    const contain = scan.take(keywords.contain) === undefined ? undefined : this.#list(() => this.#endPoint());
    const properties = this.#properties();
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

  #connection(at: Position): ConnectionItem {
    const scan = this.#scan;
    const name = this.#name();
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

  #flow(at: Position): FlowItem {
    const name = this.#name();
    const match = this.#scan.take(keywords.match) === undefined ? [] : this.#list(() => this.#property());
    const properties = this.#properties();
    this.#end();
    return { kind: 'Flow', name, at, match, properties };
  }

  /** Texts give target and priority in either order. */
  #operation(at: Position): OperationItem {
    const scan = this.#scan;
    const name = this.#name();
    const found: { target?: string; priority?: number; condition?: string } = {};
    for (;;) {
      if (scan.take(keywords.target) !== undefined) found.target = this.#name();
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
    return this.#scan.take(COLON) === undefined ? { name, at } : { name, at, value: this.#value() };
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

  #nodeModel(at: Position): NodeModelItem {
    const scan = this.#scan;
    const name = this.#name();
    const parameters = new Map<string, ParameterType>();
    if (scan.take(keywords.property) !== undefined) {
      this.#list(() => {
        const type = scan.expect(keywords.parameterType, 'string, integer or range') as ParameterType;
        scan.expect(COLON, "':'");
        parameters.set(this.#name(), type);
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

  #connectionPoint(at: Position): ConnectionPointItem {
    const scan = this.#scan;
    const name = this.#name();
    if (scan.take(keywords.at) === undefined) {
      this.#end();
      return { kind: 'ConnectionPoint', name, at };
    }
    scan.expect(keywords.vnfd, 'VNFD');
    scan.expect(COLON, "':'");
    const there = scan.here;
    const vnfdInterface = { name: this.#text(), at: there };
    this.#end();
    return { kind: 'ConnectionPoint', name, at, vnfdInterface };
  }

  #properties(): readonly Property[] {
    return this.#scan.take(keywords.property) === undefined ? [] : this.#list(() => this.#property());
  }

  #property(): Property {
    const at = this.#scan.here;
    const name = this.#name();
    this.#scan.expect(COLON, "':'");
    return { name, value: this.#value(), at };
  }

  #value(): Value {
    const scan = this.#scan;
    if (scan.take(/\(/y) !== undefined) {
      const from = scan.expect(NUMBER, 'a number');
      scan.expect(COMMA, "','");
      const to = scan.expect(NUMBER, 'a number');
      scan.expect(/\)/y, "')'");
      return { from, to };
    }
    if (scan.take(/\[/y) === undefined) return this.#text();
    if (scan.take(/\]/y) !== undefined) return [];
    const list = this.#list(() => this.#text());
    scan.expect(/\]/y, "']'");
    return list;
  }

  #text(): string {
    const scan = this.#scan;
    if (scan.peek(QUOTED) === undefined) return scan.expect(WORD, 'a value');
    const start = scan.offset;
    const quoted = scan.take(QUOTED)!;
    try {
      return JSON.parse(quoted) as string;
    } catch {
      throw new SyntaxMistake('this text cannot be read: inside quotes, \\ starts an escape as in JSON', start);
    }
  }

  #name(): string {
    const scan = this.#scan;
    const start = scan.offset;
    const quoted = scan.take(QUOTED);
    if (quoted === undefined) return scan.expect(NAME, 'a name');
    const name = quoted.slice(1, -1);
    if (!/^[A-Za-z0-9_][A-Za-z0-9_-]*$/.test(name)) throw new SyntaxMistake(`${shorten(quoted)} is not a name`, start);
    this.#deviation(`names have no quotes: ${shorten(quoted)}`, start);
    return name;
  }

  #endPoint(): EndPoint {
    const at = this.#scan.here;
    const node = this.#name();
    return this.#scan.take(/\./y) === undefined ? { node, at } : { node, point: this.#name(), at };
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
