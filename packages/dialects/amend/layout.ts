import { Document, type Pair, type Scalar, isCollection, isMap, isScalar, isSeq, type Node, visit } from 'yaml';

/** How whoever wrote a text writes: what is added to it looks alike. */
export interface Layout {
  readonly isJson: boolean;
  /** Columns by which what lies in a group is moved to the right. */
  readonly indent: number;
  /** Whether the dashes of a list are moved to the right of its key. */
  readonly indentSeq: boolean;
  readonly flowPadding: boolean;
  /** Groups of one word are written in braces: `{get_resource: port}`. */
  readonly isTerse: boolean;
}

export function layoutOf(text: string): Layout {
  const first = /^( {1,8})[^\s#]/m.exec(text)?.[1]?.length ?? 2;
  return {
    isJson: /^\s*[{[]/.test(text),
    indent: first,
    indentSeq: !/^( *)[\w"':-]+:[ \t]*\n\1- /m.test(text),
    flowPadding: /\{ \S/.test(text),
    isTerse: /[:-] \{ ?\w+: [^{},\n]+\}/.test(text),
  };
}

/** A value as lines of block style, the first of which stands at the place itself. */
export function blockText(value: unknown, column: number, layout: Layout): string {
  const document = new Document(value, { aliasDuplicateObjects: false, compat: 'yaml-1.1', version: '1.2' });
  if (layout.isTerse)
    visit(document, {
      Map(key, node) {
        const [only, ...others] = node.items;
        if (key !== null && only !== undefined && others.length === 0 && isWord(only.value)) node.flow = true;
      },
    });
  const text = document.toString({
    lineWidth: 0,
    indent: layout.indent,
    indentSeq: layout.indentSeq,
    flowCollectionPadding: layout.flowPadding,
  });
  return text.replace(/\n$/, '').replace(/\n(?=[^\n])/g, `\n${' '.repeat(column)}`);
}

const isWord = (value: unknown): boolean => isScalar(value) && !/[\n]/.test(String(value.value));

/** A value as it stands between brackets: in one line, or in JSON of several lines as it is usually written. */
export function flowText(value: unknown, column: number, isLong: boolean, layout: Layout): string {
  if (layout.isJson) {
    const text = JSON.stringify(value, undefined, isLong ? layout.indent : undefined);
    return isLong ? text.replaceAll('\n', `\n${' '.repeat(column)}`) : spaced(value);
  }
  const document = new Document(value, { aliasDuplicateObjects: false, compat: 'yaml-1.1', version: '1.2' });
  visit(document, {
    Collection(_key, node) {
      node.flow = true;
    },
    // What stands between brackets has one line.
    Scalar(_key, node) {
      if (typeof node.value === 'string' && /\n/.test(node.value)) node.type = 'QUOTE_DOUBLE';
    },
  });
  const text = document.toString({ lineWidth: 0, flowCollectionPadding: layout.flowPadding });
  return text.replace(/\n$/, '').replace(/\n\s*/g, ' ');
}

/** JSON in one line, with the spaces that people put there. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  if (entries.length === 0) return '{}';
  return `{ ${entries.map(([name, inner]) => `${JSON.stringify(name)}: ${spaced(inner)}`).join(', ')} }`;
}

/** A plain value in place of another, in the quotes that stand there; undefined where it takes another form. */
export function scalarText(value: unknown, before: Scalar, source: string, layout: Layout): string | undefined {
  if (value !== null && typeof value === 'object') return undefined;
  if (layout.isJson) return JSON.stringify(value);
  if (before.type === 'BLOCK_LITERAL' || before.type === 'BLOCK_FOLDED' || source === '') return undefined;
  const natural = (one: unknown) => blockText([one], 0, layout).replace(/^ *- /, '');
  // Quotes that had to be are no habit.
  const isHabit = !/^["'|>]/.test(natural(before.value));
  if (isHabit && typeof value === 'string' && !/[\n\t\\]/.test(value)) {
    if (before.type === 'QUOTE_DOUBLE' && !value.includes('"')) return `"${value}"`;
    if (before.type === 'QUOTE_SINGLE') return `'${value.replaceAll("'", "''")}'`;
  }
  const text = natural(value);
  return text.includes('\n') ? undefined : text;
}

/** Where what is written of a node ends: behind its last letter, or behind the line of a text of several lines. */
export function endOf(node: Node | null | undefined, otherwise: number): number {
  if (node === null || node === undefined) return otherwise;
  if (isCollection(node) && node.flow !== true) {
    const last = node.items.at(-1);
    if (isMap(node) && last !== undefined) return endOfPair(last as Pair<Node, Node | null>);
    if (isSeq(node) && last !== undefined) return endOf(last as Node, node.range?.[1] ?? otherwise);
  }
  const range = node.range;
  if (range === null || range === undefined) return otherwise;
  return range[1];
}

export function endOfPair({ key, value }: Pair<Node, Node | null>): number {
  const behind = key.range?.[1] ?? 0;
  return Math.max(behind, endOf(value, behind));
}
