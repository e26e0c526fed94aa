import type { Position } from '@superfluidity/core';
import type { Report } from '../report.ts';
import { shorten } from '../yaml-text.ts';
import type {
  ConnectionItem,
  ConnectionPointItem,
  FlowItem,
  Item,
  ItemKind,
  NodeItem,
  NodeModelItem,
  OperationItem,
  Statement,
  Verb,
} from './syntax.ts';

/** What exists when a script has run. */
export interface Intent {
  readonly Node: ReadonlyMap<string, Made<NodeItem>>;
  readonly Connection: ReadonlyMap<string, Made<ConnectionItem>>;
  readonly Flow: ReadonlyMap<string, Made<FlowItem>>;
  readonly Operation: ReadonlyMap<string, Made<OperationItem>>;
  readonly NodeModel: ReadonlyMap<string, Made<NodeModelItem>>;
  readonly ConnectionPoint: ReadonlyMap<string, Made<ConnectionPointItem>>;
  /** Statements that make nothing, as they were written. */
  readonly others: readonly string[];
}

export interface Made<T extends Item> {
  readonly item: T;
  /** Imported, it was there before the script. */
  readonly imported: boolean;
  readonly text: string;
}

const words: Readonly<Record<ItemKind, string>> = {
  Node: 'node',
  Connection: 'connection',
  Flow: 'flow',
  Operation: 'operation',
  NodeModel: 'node model',
  ConnectionPoint: 'connection point',
};

/**
 * Runs a script. What names what is looked at when it has ended, so that a transaction may make and delete things in any
 * order: what was deleted and is still named is missing then.
 */
export function runScript(statements: readonly Statement[], report: Report): Intent {
  const made = {
    Node: new Map<string, Made<NodeItem>>(),
    Connection: new Map<string, Made<ConnectionItem>>(),
    Flow: new Map<string, Made<FlowItem>>(),
    Operation: new Map<string, Made<OperationItem>>(),
    NodeModel: new Map<string, Made<NodeModelItem>>(),
    ConnectionPoint: new Map<string, Made<ConnectionPointItem>>(),
  };
  const others: string[] = [];
  let open: Position | undefined;
  for (const statement of statements) {
    if (statement.kind === 'other') others.push(statement.text);
    else if (statement.kind === 'transaction') {
      const { step, at } = statement;
      if ((step === 'Begin') !== (open === undefined)) {
        const message = step === 'Begin' ? 'a transaction is open already' : 'no transaction is open';
        report.error('SF-DESCRIPTOR-VALUE', at, message);
      }
      open = step === 'Begin' ? at : undefined;
    } else if (statement.kind === 'delete') {
      const things: Map<string, unknown> = made[statement.of];
      if (!things.delete(statement.name))
        report.missing(statement.at, words[statement.of], statement.name, things.keys());
    } else {
      const { item, verb, text } = statement;
      make(made[item.kind] as Map<string, Made<Item>>, item, verb, text, report);
    }
  }
  if (open !== undefined)
    report.error('SF-DESCRIPTOR-VALUE', open, 'the transaction does not end: nothing of it would be done');
  return { ...made, others };
}

function make(things: Map<string, Made<Item>>, item: Item, verb: Verb, text: string, report: Report): void {
  const before = things.get(item.name);
  const imported = verb === 'IMPORT' || (verb === 'UPDATE' && before?.imported === true);
  if (verb === 'UPDATE') {
    if (before === undefined) return report.missing(item.at, words[item.kind], item.name, things.keys());
    things.set(item.name, { item: updated(before.item, item), imported, text });
  } else if (before === undefined) things.set(item.name, { item, imported, text });
  else
    report.error(
      'SF-DESCRIPTOR-DUPLICATE-KEY',
      item.at,
      `there is a ${words[item.kind]} '${shorten(item.name)}' already`,
    );
}

/** What is given replaces what was; properties one by one. */
function updated(before: Item, now: Item): Item {
  const given = Object.entries(now).filter(([, value]) => !(Array.isArray(value) && value.length === 0));
  if (!('properties' in before) || !('properties' in now)) return { ...before, ...Object.fromEntries(given) } as Item;
  const replaced = new Set(now.properties.map(({ name }) => name));
  const properties = [...before.properties.filter(({ name }) => !replaced.has(name)), ...now.properties];
  return { ...before, ...Object.fromEntries(given), properties } as Item;
}
