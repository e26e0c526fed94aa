import type { Position } from '@superfluidity/core';

/** What a NEMO script says, as it is written. Every part knows where it stands. */
export type Statement = StatementBody & Span;

/** Characters of the script, from the first of the statement to behind its last. */
interface Span {
  readonly from: number;
  readonly to: number;
}

export type StatementBody =
  | { readonly kind: 'make'; readonly verb: Verb; readonly item: Item; readonly text: string }
  | { readonly kind: 'delete'; readonly of: ItemKind; readonly name: string; readonly at: Position }
  | { readonly kind: 'transaction'; readonly step: 'Begin' | 'End' | 'Commit'; readonly at: Position }
  /** Queries, notifications and sessions: they ask and tell, and make nothing. */
  | { readonly kind: 'other'; readonly text: string; readonly at: Position };

export type Verb = 'CREATE' | 'IMPORT' | 'UPDATE';

export const itemKinds = ['Node', 'Connection', 'Flow', 'Operation', 'NodeModel', 'ConnectionPoint'] as const;
export type ItemKind = (typeof itemKinds)[number];
export type Item = NodeItem | ConnectionItem | FlowItem | OperationItem | NodeModelItem | ConnectionPointItem;

interface Named {
  readonly name: string;
  readonly at: Position;
}

/** A text, a range `(1, 5)`, or a list of texts. */
export type Value = string | { readonly from: string; readonly to: string } | readonly string[];

export interface Property {
  readonly name: string;
  readonly value: Value;
  readonly at: Position;
}

/** `node`, `point` or `node.point`. */
export interface EndPoint {
  readonly node: string;
  readonly point?: string;
  readonly at: Position;
}

export interface NodeItem extends Named {
  readonly kind: 'Node';
  readonly type?: string;
  readonly contain?: readonly EndPoint[];
  readonly properties: readonly Property[];
}

export interface ConnectionItem extends Named {
  readonly kind: 'Connection';
  readonly type?: string;
  readonly ends?: readonly EndPoint[];
  readonly properties: readonly Property[];
}

export interface FlowItem extends Named {
  readonly kind: 'Flow';
  readonly match: readonly Property[];
  readonly properties: readonly Property[];
}

export interface OperationItem extends Named {
  readonly kind: 'Operation';
  readonly target?: string;
  readonly priority?: number;
  /** As it is written: conditions are for who carries the operation out. */
  readonly condition?: string;
  readonly actions: readonly Action[];
}

export interface Action {
  readonly name: string;
  readonly value?: Value;
  readonly at: Position;
}

export type ParameterType = 'string' | 'integer' | 'range';

export interface NodeModelItem extends Named {
  readonly kind: 'NodeModel';
  readonly parameters: ReadonlyMap<string, ParameterType>;
  readonly vnfd?: { readonly uri: string; readonly at: Position };
  readonly members: readonly Item[];
}

export interface ConnectionPointItem extends Named {
  readonly kind: 'ConnectionPoint';
  /** Interface of the imported VNFD, or the parameter that names it. */
  readonly vnfdInterface?: { readonly name: string; readonly at: Position };
}

const BARE = /^[A-Za-z0-9](?:[A-Za-z0-9_./:-]*[A-Za-z0-9])?$/;
const NUMBER = /^[0-9]+$/;

/** A value as it is written: in quotes where it is not a plain word. */
export function formatValue(value: Value): string {
  if (typeof value === 'string') return BARE.test(value) ? value : JSON.stringify(value);
  if ('from' in value) return `(${value.from}, ${value.to})`;
  return `[${value.map(formatValue).join(', ')}]`;
}

export function formatProperties(properties: readonly (readonly [string, Value])[]): string {
  if (properties.length === 0) return '';
  const written = properties.map(([name, value]) => `${name}: ${formatValue(value)}`);
  return ` Property ${written.join(', ')}`;
}

export function isInteger(value: Value): value is string {
  return typeof value === 'string' && NUMBER.test(value);
}
