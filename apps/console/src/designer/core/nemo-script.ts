import {
  formatNemoProperties,
  type NemoConnection,
  type NemoItem,
  type NemoModel,
  NemoNames,
  type NemoNode,
  type NemoStatement,
  type NemoValue,
  parseNemo,
} from '@superfluidity/dialects/languages';

type Makes = Extract<NemoStatement, { readonly kind: 'make' }>;
/** What makes a thing, and the thing: a statement, or a member of a model, which has no verb. */
export interface Making<T extends NemoItem> {
  readonly verb: Makes['verb'] | '';
  readonly item: T;
  readonly from: number;
  readonly to: number;
}

/** A NEMO script as its graph is changed: what its statements make, and where they stand. */
export class NemoScript {
  readonly text: string;
  readonly statements: readonly NemoStatement[];
  readonly #names = new NemoNames();

  constructor(text: string) {
    this.text = text;
    this.statements = parseNemo(new TextEncoder().encode(text), 'script.nemo', this.#names).statements;
  }

  /** What is made at the top. */
  get makings(): readonly Making<NemoItem>[] {
    return this.statements.flatMap((one) => (one.kind === 'make' ? [one] : []));
  }

  get models(): readonly Making<NemoModel>[] {
    return this.makings.filter((one): one is Making<NemoModel> => one.item.kind === 'NodeModel');
  }

  model(name: string | undefined): NemoModel | undefined {
    return this.models.find(({ item }) => item.name === name)?.item;
  }

  /** Where a thing gets its name, at the top or inside of a model. */
  nameAt(kind: 'node' | 'connection', name: string, model: string | undefined): number | undefined {
    return this.#names.occurrences.find(
      (one) => one.kind === kind && one.name === name && one.isDefinition && one.symbol?.model === model,
    )?.offset;
  }

  /** Behind the last statement; before the end of a transaction, so that it is done with it. */
  get appendAt(): number {
    const end = this.statements.findLast((one) => one.kind === 'transaction' && one.step === 'End');
    return end === undefined ? this.text.length : end.from;
  }
}

export interface Change {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

export function nodeText({ verb, item }: Making<NemoNode>, properties = propertiesOf(item)): string {
  const { name, type, contain } = item;
  const holds = contain === undefined ? '' : ` Contain ${contain.map(endText).join(', ')}`;
  return `${verbText(verb)}Node ${name}${type === undefined ? '' : ` Type ${type}`}${holds}${formatNemoProperties(properties)};`;
}

export function connectionText(
  { verb, item }: Pick<Making<NemoConnection>, 'verb' | 'item'>,
  ends: readonly string[],
  properties = propertiesOf(item),
): string {
  // What has more than two ends is not point to point.
  const type = ends.length > 2 && (item.type ?? 'p2p') === 'p2p' ? 'p2mp' : (item.type ?? 'p2p');
  return `${verbText(verb)}Connection ${item.name} Type ${type} Endnodes ${ends.join(', ')}${formatNemoProperties(properties)};`;
}

const verbText = (verb: Making<NemoItem>['verb']): string => (verb === '' ? '' : `${verb} `);

export const endText = ({ node, point }: { readonly node: string; readonly point?: string }): string =>
  point === undefined ? node : `${node}.${point}`;

export type Properties = readonly (readonly [string, NemoValue])[];

export const propertiesOf = (item: NemoNode | NemoConnection): Properties =>
  item.properties.map(({ name, value }) => [name, value]);

/** Takes a statement away, with its line where nothing else stands in it. */
export function withoutStatement(text: string, { from, to }: { readonly from: number; readonly to: number }): Change {
  const start = text.lastIndexOf('\n', from - 1) + 1;
  const newline = text.indexOf('\n', to);
  const end = newline === -1 ? text.length : newline + 1;
  const isAlone = text.slice(start, from).trim() === '' && text.slice(to, end).trim() === '';
  return isAlone ? { from: start, to: end, text: '' } : { from, to, text: '' };
}

/** A value as somebody types it: `[a, b]`, `(1, 5)`, or a text. */
export function valueOf(typed: string): NemoValue {
  const words = (inner: string) => inner.split(',').map((one) => one.trim().replace(/^"(.*)"$/, '$1'));
  const list = /^\[(.*)\]$/s.exec(typed.trim());
  if (list !== null) return words(list[1]!).filter((one) => one !== '');
  const range = /^\(\s*([^,]+?)\s*,\s*([^,]+?)\s*\)$/.exec(typed.trim());
  return range === null ? typed.trim() : { from: range[1]!, to: range[2]! };
}

export function typedOf(value: NemoValue): string {
  if (typeof value === 'string') return value;
  return 'from' in value ? `(${value.from}, ${value.to})` : `[${value.join(', ')}]`;
}
