import { type NemoItem, type NemoNode, nemoTypes } from '@superfluidity/dialects/languages';
import { freeName } from './edits.ts';
import type { LevelNode } from './level.ts';
import { designLimits } from './limits.ts';
import { mustScope, plain, scopeOf, writtenOf } from './nemo-edits.ts';
import { NemoScope } from './nemo-scope.ts';
import { connectionText, endText, type Making, NemoScript, nodeText } from './nemo-script.ts';
import type { Drawn } from './operations.ts';
import { Refused } from './yaml-edit.ts';

/** A part of a script is a script, so that it can be pasted into a text as well; this line says that it is a part. */
const MARK = '// superfluidity-fragment: nemo';

/** The nodes, with the connections between them and the models that they are of; empty where nothing is made by itself. */
export function copiedNodes(design: Drawn, nodes: readonly LevelNode[]): string {
  const scope = scopeOf(design);
  const written = nodes.flatMap((node) => writtenOf(design, node) ?? []);
  const names = new Set(written.flatMap(({ kind, name }) => (kind === 'node' ? [name] : [])));
  if (scope === undefined || names.size === 0) return '';
  const makings = scope.all('Node').filter(({ item, verb }) => verb !== 'UPDATE' && names.has(item.name));
  const models = modelsOf(scope.script, makings);
  const made = makings.map(({ item }) => {
    const { contain, ...rest } = item;
    const stays = contain?.filter(({ node }) => names.has(node)) ?? [];
    return nodeText(statement(stays.length === 0 ? rest : { ...rest, contain: stays }));
  });
  const connections = scope.all('Connection').flatMap(({ item, verb }) => {
    const ends = (item.ends ?? []).filter(({ node }) => names.has(node));
    return ends.length > 1 && verb !== 'UPDATE' ? [connectionText(statement(item), ends.map(endText))] : [];
  });
  return `${[MARK, ...models, ...made, ...connections].join('\n')}\n`;
}

const statement = <T extends NemoItem>(item: T): Making<T> => ({ verb: 'CREATE', item, from: 0, to: 0 });

/** As they are written; those that are inside of others too. */
function modelsOf(script: NemoScript, nodes: readonly { readonly item: NemoNode }[]): readonly string[] {
  const found = new Map<string, string>();
  const visit = (type: string | undefined) => {
    const making = script.models.find(({ item }) => item.name === type);
    if (making === undefined || found.has(making.item.name)) return;
    found.set(making.item.name, script.text.slice(making.from, making.to).trimEnd());
    for (const one of making.item.members) if (one.kind === 'Node') visit(one.type);
  };
  for (const { item } of nodes) visit(item.type);
  return [...found.values()];
}

export const isNemoFragment = (text: string): boolean =>
  text.trimStart().startsWith(MARK) && text.length <= designLimits.text;

/** Names that are taken get a number; models and networks that are there are used. */
export function pasteNodes(design: Drawn, text: string): { readonly text: string; readonly ids: readonly string[] } {
  const scope = mustScope(design);
  const part = NemoScope.top(new NemoScript(text));
  const taken = scope.all('Node').map(({ item }) => item.name);
  const renamed = new Map<string, string>();
  const fresh: { readonly name: string; readonly item: NemoNode }[] = [];
  for (const { item } of part.all('Node')) {
    const role = nemoTypes.get(item.type ?? '')?.role ?? 'function';
    if (role !== 'function' && taken.includes(item.name)) {
      renamed.set(item.name, item.name);
      continue;
    }
    scope.mustTake(item.type ?? '', part.script);
    const name = freeName(item.name, taken);
    taken.push(name);
    renamed.set(item.name, name);
    fresh.push({ name, item });
  }
  if (fresh.length === 0) throw new Refused('the clipboard has nothing for this place');
  const names = scope.all('Connection').map(({ item }) => item.name);
  const nodes = fresh.map(({ name, item: { contain, ...item } }) => {
    const holds = contain?.map((end) => ({ ...end, node: renamed.get(end.node) ?? end.node }));
    const moved = { ...item, name, ...(holds === undefined ? {} : { contain: holds }) };
    return nodeText({ ...statement(moved), verb: scope.verb });
  });
  const connections = part.all('Connection').flatMap(({ item }) => {
    const ends = (item.ends ?? []).map((end) => ({ ...end, node: renamed.get(end.node) ?? end.node }));
    // Of what is connected already nothing is made twice.
    if (!fresh.some(({ name }) => ends.some(({ node }) => node === name))) return [];
    const name = freeName(item.name, names);
    names.push(name);
    return [connectionText({ verb: scope.verb, item: { ...item, name } }, ends.map(endText))];
  });
  const put = scope.appended(...nodes, ...connections);
  const known = new Set(scope.script.models.map(({ item }) => item.name));
  const models = part.script.models.filter(({ item }) => !known.has(item.name));
  const whole =
    models.length === 0
      ? put
      : NemoScope.top(new NemoScript(put)).appended(...models.map(({ from, to }) => text.slice(from, to).trimEnd()));
  return {
    text: whole,
    ids: fresh.map(({ name, item }) =>
      nemoTypes.get(item.type ?? '')?.role === 'network' ? `net:${plain(name)}` : `block:${plain(name)}`,
    ),
  };
}
