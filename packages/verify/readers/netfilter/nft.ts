import type { LineLedger } from '../../read/ledger.ts';
import { isList, isObject, textOf, type Listed } from './nft-ast.ts';
import type { NamedSet } from './nft-match.ts';
import { ruleParts } from './nft-rules.ts';
import type { Base, Chain, Family, NfRule, NfTable, Part, Ruleset } from './ruleset.ts';

interface OpenTable {
  readonly family: Family;
  readonly name: string;
  readonly sets: Map<string, NamedSet>;
  readonly chains: Map<string, Chain & { readonly rules: NfRule[] }>;
}

/** The objects of `nft list ruleset`, whether they came as JSON or as text, put together. */
export function assembleRuleset(listed: readonly Listed[], ledger: LineLedger): Ruleset {
  const tables = new Map<string, OpenTable>();
  const tableOf = (object: Listed): OpenTable => {
    const family = (textOf(object.value['family']) ?? 'ip') as Family;
    const name = textOf(object.value[object.kind === 'table' ? 'name' : 'table']) ?? '';
    const key = `${family} ${name}`;
    const found = tables.get(key) ?? { family, name, sets: new Map(), chains: new Map() };
    tables.set(key, found);
    return found;
  };
  /** Sets and chains before the rules that name them, wherever they stand. */
  for (const object of listed) {
    const name = textOf(object.value['name']) ?? '';
    if (object.kind === 'table') tableOf(object);
    else if (object.kind === 'set' || object.kind === 'map') tableOf(object).sets.set(name, setOf(object));
    else if (object.kind === 'chain') {
      const base = baseOf(object);
      const chain = {
        name,
        rules: [],
        source: ledger.at(object.line, object.text),
        ...(base === undefined ? {} : { base }),
      };
      tableOf(object).chains.set(name, chain);
    }
  }
  for (const object of listed) readObject(object, tableOf, ledger);
  return { tables: [...tables.values()].map(({ family, name, chains }): NfTable => ({ family, name, chains })) };
}

function readObject(object: Listed, tableOf: (object: Listed) => OpenTable, ledger: LineLedger): void {
  if (object.kind === 'element') {
    const table = tableOf(object);
    const name = textOf(object.value['name']) ?? '';
    const set = table.sets.get(name);
    const elements = isList(object.value['elem']) ? object.value['elem'] : [];
    if (set !== undefined) table.sets.set(name, { ...set, elements: [...set.elements, ...elements] });
    ledger.used(object.line);
  } else if (object.kind === 'rule') readRule(object, tableOf(object), ledger);
  else if (['table', 'set', 'map', 'chain', 'metainfo'].includes(object.kind)) ledger.used(object.line);
  else ledger.withoutEffect(object.line, `${object.kind}: counts, limits and helpers do not decide where packets go`);
}

const EXPRESSIONS_MAX = 256;

function readRule(object: Listed, table: OpenTable, ledger: LineLedger): void {
  const chain = table.chains.get(textOf(object.value['chain']) ?? '');
  if (chain === undefined) {
    ledger.notUnderstood(object.line, `no chain ${textOf(object.value['chain']) ?? ''}`);
    return;
  }
  const given = isList(object.value['expr']) ? object.value['expr'] : [];
  /** People write ten; maps within maps are followed by recursion. */
  const expressions = given.length > EXPRESSIONS_MAX ? [{ [`more than ${EXPRESSIONS_MAX} expressions`]: null }] : given;
  const { parts, problems } = ruleParts(expressions, table.sets);
  const effect = parts.some(isAction);
  if (problems.length > 0) ledger.notUnderstood(object.line, problems.join('; '));
  else if (effect) ledger.used(object.line);
  else ledger.withoutEffect(object.line, 'the rule changes nothing that decides where packets go');
  if (effect) chain.rules.push({ parts, source: ledger.at(object.line, object.text) });
}

function isAction(part: Part): boolean {
  return ['accept', 'drop', 'return', 'jump', 'assign', 'nat', 'untrack', 'cases', 'doubt'].includes(part.is);
}

function setOf(object: Listed): NamedSet {
  const flags = object.value['flags'];
  const names = isList(flags) ? flags : [flags ?? null];
  return { elements: isList(object.value['elem']) ? object.value['elem'] : [], dynamic: names.includes('dynamic') };
}

const hooks = ['prerouting', 'input', 'forward', 'output', 'postrouting', 'ingress', 'egress'] as const;

function baseOf(object: Listed): Base | undefined {
  const hook = hooks.find((name) => name === object.value['hook']);
  const priority = object.value['prio'];
  if (hook === undefined || !isObject(object.value)) return undefined;
  const type = textOf(object.value['type']);
  return {
    hook,
    priority: typeof priority === 'number' ? priority : 0,
    type: type === 'nat' || type === 'route' ? type : 'filter',
    policy: object.value['policy'] === 'drop' ? 'drop' : 'accept',
  };
}
