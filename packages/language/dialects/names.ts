import { isMap, isScalar, type Node } from 'yaml';
import type { LanguageDocument } from '../document.ts';
import type { Name, NameSymbol } from '../names.ts';
import type { TreePlace } from '../yaml/structured.ts';
import { leavesOf, lettersOf, nodeAt, type Path, treesOf } from '../yaml/tree.ts';
import type { NameRule } from './rules.ts';

/** The name of a field without that of a YANG module (RFC 7951, clause 4). */
export const withoutModule = (name: string): string =>
  name.replace(/^(?:etsi-nfv-[\w-]+|superfluidity-nfv|nfv|nsd|vnfd|sf):/, '');

/** Names of a text by the rules of its dialect: what is defined in it, and what refers to that. */
export class DialectNames {
  readonly #rules: readonly NameRule[];

  constructor(rules: readonly NameRule[]) {
    this.#rules = rules;
  }

  all(document: LanguageDocument): readonly Name[] {
    const symbols = this.#symbols(document);
    return [...this.#occurrences(document)].flatMap(({ rule, leaf, place }): Name[] => {
      const letters = lettersOf(leaf, document.text);
      const name = String(leaf.value);
      if (letters === undefined) return [];
      const symbol = symbols.get(keyOf(rule, place, name));
      return [
        {
          from: letters.from,
          to: letters.to,
          kind: rule.kind,
          name,
          isDefinition: rule.defines === true,
          ...(symbol === undefined ? {} : { symbol }),
          ...(letters.isPlain ? { write: plain } : {}),
        },
      ];
    });
  }

  /** What can be named at a place. */
  at(document: LanguageDocument, place: TreePlace): readonly { readonly label: string; readonly detail: string }[] {
    const rule = this.#rules.find((one) => one.of === 'value' && one.defines !== true && isAt(one, place));
    if (rule === undefined) return [];
    const scope = scopeOf(rule, place);
    return [...this.#symbols(document)]
      .filter(([key]) => key.startsWith(`${rule.kind}\0${scope}\0`))
      .map(([, { name, detail }]) => ({ label: name, detail: detail ?? rule.kind }));
  }

  isNamed(path: Path): boolean {
    return this.#rules.some(
      (rule) => rule.of === 'value' && rule.defines === true && isAt(rule, { path, root: null, document: 0 }),
    );
  }

  #symbols(document: LanguageDocument): ReadonlyMap<string, NameSymbol> {
    const symbols = new Map<string, NameSymbol>();
    for (const { rule, leaf, place } of this.#occurrences(document)) {
      if (rule.defines !== true) continue;
      const name = String(leaf.value);
      const key = keyOf(rule, place, name);
      const about = rule.of === 'key' ? nodeAt(place.root, place.path) : null;
      const type = isMap(about) ? about.get('type') : undefined;
      if (!symbols.has(key))
        symbols.set(key, { kind: rule.kind, name, ...(typeof type === 'string' ? { detail: type } : {}) });
    }
    return symbols;
  }

  *#occurrences(document: LanguageDocument): Generator<Occurrence> {
    for (const [index, root] of treesOf(document).entries())
      for (const { path, isKey, node } of leavesOf(root)) {
        if (typeof node.value !== 'string' && typeof node.value !== 'number') continue;
        const place = { path, root, document: index };
        const rule = this.#rules.find((one) => (one.of === 'key') === isKey && isAt(one, place));
        if (rule !== undefined) yield { rule, leaf: node, place };
      }
  }
}

interface Occurrence {
  readonly rule: NameRule;
  readonly leaf: Parameters<typeof lettersOf>[0];
  readonly place: TreePlace;
}

const keyOf = (rule: NameRule, place: TreePlace, name: string): string =>
  `${rule.kind}\0${scopeOf(rule, place)}\0${name}`;

/** The item of a list, or the document, of which names are. */
function scopeOf({ within }: NameRule, { path, document }: TreePlace): string {
  if (within === undefined) return '';
  if (within === '^') return String(document);
  const at = path.findLastIndex((step) => typeof step === 'string' && withoutModule(step) === within);
  const next = path[at + 1];
  return `${document} ${path.slice(0, at + (at >= 0 && next !== undefined ? 2 : 1)).join(' ')}`;
}

/** `^` is the top; a name with a capital in front of the top stands for the kind of the object. */
function isAt({ at, first }: NameRule, { path, root }: TreePlace): boolean {
  const last = path.at(-1);
  if (first === true && typeof last === 'number' && last !== 0) return false;
  const names = path.filter((step): step is string => typeof step === 'string').map(withoutModule);
  const wanted = at.split(' ');
  const kind = /^([A-Z]\w+)$/.exec(wanted[0]!)?.[1];
  const target = /^scaleTargetRef-(\w+)$/.exec(wanted[0]!)?.[1];
  if (kind !== undefined && wanted[1] === 'metadata')
    return names.join(' ') === 'metadata name' && said(root, ['kind']) === kind;
  if (target !== undefined)
    return names.slice(-2).join(' ') === 'scaleTargetRef name' && said(root, [...path.slice(0, -1), 'kind']) === target;
  const [isTop, rest] = wanted[0] === '^' ? [true, wanted.slice(1)] : [false, wanted];
  if (isTop ? names.length !== rest.length : names.length < rest.length) return false;
  return rest.every((name, i) => name === '*' || name === names[names.length - rest.length + i]);
}

function said(root: Node | null, path: Path): unknown {
  const node = nodeAt(root, path);
  return isScalar(node) ? node.value : undefined;
}

/** A name that YAML takes for something else than text needs quotes. */
function plain(name: string): string {
  return /^[A-Za-z][\w./-]*$/.test(name) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(name)
    ? name
    : JSON.stringify(name);
}
