/**
 * The data tree of a set of YANG modules (RFC 7950), as far as the modules of ETSI GS NFV-SOL 006 need it: groupings,
 * choices and typedefs are resolved, conditions are not looked at.
 */
export interface YangNode {
  readonly name: string;
  readonly kind: 'container' | 'list' | 'leaf' | 'leaf-list';
  /** Names of the keys of a list. */
  readonly keys: readonly string[];
  /** Built-in type of a leaf: `string`, `uint16`, `enumeration`, `identityref`, `leafref` ... */
  readonly type?: string;
  /** Values of an enumeration. */
  readonly values: readonly string[];
  /** Cases of one choice have the same number: a document has nodes of one of them. Nothing outside of choices. */
  readonly choice?: { readonly of: Statement; readonly case: Statement };
  readonly children: readonly YangNode[];
}

interface Statement {
  readonly keyword: string;
  readonly argument: string;
  readonly inner: readonly Statement[];
}

const TOKEN = /\s+|\/\/[^\n]*|\/\*[^]*?\*\/|"(?:[^"\\]|\\.)*"|'[^']*'|[{};]|[^\s{};"']+/g;

function statementsOf(source: string): readonly Statement[] {
  const tokens = (source.match(TOKEN) ?? []).filter((token) => !/^(?:\s|\/\/|\/\*)/.test(token));
  let at = 0;
  const text = (token: string) => (/^["']/.test(token) ? token.slice(1, -1) : token);
  const block = (): Statement[] => {
    const list: Statement[] = [];
    while (at < tokens.length && tokens[at] !== '}') {
      const keyword = tokens[at++]!;
      let argument = '';
      while (at < tokens.length && tokens[at] !== '{' && tokens[at] !== ';') {
        if (tokens[at] !== '+') argument += text(tokens[at]!);
        at += 1;
      }
      const opened = tokens[at++] === '{';
      const inner = opened ? block() : [];
      if (opened) at += 1;
      list.push({ keyword, argument, inner });
    }
    return list;
  };
  return block();
}

/** Of the types of RFC 6991 those that are numbers. */
const imported: Readonly<Record<string, string>> = {
  'yang:timeticks': 'uint32',
  'inet:port-number': 'uint16',
};

/** What stands in a top-level container of the modules. */
export function yangTree(modules: readonly string[], container: string): readonly YangNode[] {
  const all = modules.flatMap((source) => statementsOf(source).flatMap(({ inner }) => inner));
  const named = (keyword: string) =>
    new Map(all.filter((one) => one.keyword === keyword).map((one) => [one.argument, one] as const));
  const groupings = named('grouping');
  const typedefs = named('typedef');
  const plain = (name: string) => name.replace(/^[\w-]+:/, '');
  const argumentOf = (statement: Statement, keyword: string) =>
    statement.inner.find((one) => one.keyword === keyword)?.argument;
  const typeOf = (statement: Statement | undefined): Statement | undefined => {
    const type = statement?.inner.find((one) => one.keyword === 'type');
    const defined = type === undefined ? undefined : typedefs.get(plain(type.argument));
    return defined === undefined ? type : typeOf(defined);
  };
  const nodesOf = (statement: Statement, choice?: YangNode['choice']): readonly YangNode[] =>
    statement.inner.flatMap((one): readonly YangNode[] => {
      if (one.keyword === 'uses') return nodesOf(groupings.get(plain(one.argument))!, choice);
      if (one.keyword === 'choice')
        return one.inner.flatMap((branch) =>
          branch.keyword === 'case'
            ? nodesOf(branch, { of: one, case: branch })
            : nodesOf({ ...one, inner: [branch] }, { of: one, case: branch }),
        );
      if (!/^(?:container|list|leaf|leaf-list)$/.test(one.keyword)) return [];
      const type = typeOf(one);
      return [
        {
          name: one.argument,
          kind: one.keyword as YangNode['kind'],
          keys: (argumentOf(one, 'key') ?? '').split(/\s+/).filter((key) => key !== ''),
          ...(type === undefined ? {} : { type: imported[type.argument] ?? plain(type.argument) }),
          values: (type?.inner ?? []).filter(({ keyword }) => keyword === 'enum').map(({ argument }) => argument),
          ...(choice === undefined ? {} : { choice }),
          children: nodesOf(one),
        },
      ];
    });
  return nodesOf(all.find((one) => one.keyword === 'container' && one.argument === container)!);
}

/**
 * What the JSON of a data tree (RFC 7951) must know of its nodes: lists, leaf-lists, numbers, booleans and identities; all
 * others are text or groups. Nodes are named by as few of the names above them as tell them from the others: `int-cpd`,
 * `ext-cpd/int-cpd`.
 */
export function yangKinds(tree: readonly YangNode[]): Readonly<Record<string, readonly string[]>> {
  const kinds = new Map<string, Set<string>>();
  const visit = (node: YangNode, above: readonly string[]) => {
    const path = [...above, node.name];
    for (let length = 1; length <= 3; length += 1) {
      const key = path.slice(-length).join('/');
      kinds.set(key, (kinds.get(key) ?? new Set()).add(kindOf(node)));
    }
    for (const child of node.children) visit(child, path);
  };
  for (const node of tree) visit(node, []);
  const certain = (key: string) => kinds.get(key)?.size === 1;
  const table: Record<string, string[]> = {};
  for (const [key, [kind]] of kinds) {
    const shorter = key.slice(key.indexOf('/') + 1);
    if (!certain(key) || kind === undefined || kind === 'text' || kind === 'group') continue;
    if (key.includes('/') && certain(shorter)) continue;
    (table[kind] ??= []).push(key);
  }
  for (const list of Object.values(table)) list.sort();
  return table;
}

function kindOf({ kind, type = '' }: YangNode): string {
  if (kind === 'container') return 'group';
  if (kind === 'list') return 'list';
  // 64 bits and decimals are text in JSON (RFC 7951, clause 6.1).
  const value = /^u?int(?:8|16|32)$/.test(type)
    ? 'number'
    : type === 'boolean' || type === 'identityref'
      ? type
      : 'text';
  if (kind === 'leaf') return value;
  return value === 'identityref' ? 'identityref-list' : 'text-list';
}
