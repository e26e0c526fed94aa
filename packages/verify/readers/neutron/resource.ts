import type { SourceRef } from '../../ir/source.ts';
import { familyOf, address as parseAddress, mac as parseMac, widthOf } from '../netfilter/addresses.ts';
import { unusable } from '../../read/lines.ts';
import type { Account } from './account.ts';
import type { IpFamily, Prefix } from './deployment.ts';
import type { Json } from './json.ts';
import { withoutEffect } from './without-effect.ts';

/** One object of the API, and which of its attributes were looked at. */
export class Resource {
  readonly #kind: string;
  readonly #ledger: Account;
  readonly #members: ReadonlyMap<string, { readonly line: number; readonly value: Json }>;
  readonly #json: Json;
  readonly #taken = new Set<string>();

  constructor(kind: string, json: Json, ledger: Account) {
    if (json.kind !== 'object') throw unusable(ledger.file, json.line, `a ${kind} is no object`);
    this.#kind = kind;
    this.#json = json;
    this.#ledger = ledger;
    this.#members = new Map(json.members.map(({ key, line, value }) => [key, { line, value }]));
  }

  /** The line of the whole, or of one attribute. */
  source(key?: string): SourceRef {
    const line = (key === undefined ? undefined : this.#members.get(key)?.line) ?? this.#json.line;
    const name = this.#members.get('name')?.value;
    const id = this.#members.get('id')?.value;
    const text = [name, id].flatMap((each) =>
      each?.kind === 'scalar' && each.value !== null && each.value !== '' ? [String(each.value)] : [],
    );
    return this.#ledger.at(line, [this.#kind, ...text].join(' '));
  }

  wrong(key: string, why: string): never {
    const line = this.#members.get(key)?.line ?? this.#json.line;
    throw unusable(this.#ledger.file, line, `${key} of a ${this.#kind} ${why}`);
  }

  /** A value is there and is understood in part only: what it means stays in doubt. */
  doubt(key: string, why: string): void {
    this.#ledger.notUnderstood(this.#members.get(key)?.line ?? this.#json.line, `${key} of a ${this.#kind}: ${why}`);
  }

  #take(key: string): Json | undefined {
    this.#taken.add(key);
    const found = this.#members.get(key);
    if (found === undefined) return undefined;
    for (let line = found.line; line <= found.value.end; line += 1) this.#ledger.used(line);
    return found.value.kind === 'scalar' && found.value.value === null ? undefined : found.value;
  }

  #scalar(key: string): string | number | boolean | undefined {
    const found = this.#take(key);
    if (found === undefined) return undefined;
    return found.kind === 'scalar' && found.value !== null ? found.value : this.wrong(key, 'is no single value');
  }

  /** Undefined when it is absent, null or empty. */
  text(key: string): string | undefined {
    const found = this.#scalar(key);
    return found === undefined || found === '' ? undefined : String(found);
  }

  required(key: string): string {
    return this.text(key) ?? this.wrong(key, 'is missing');
  }

  flag(key: string, otherwise: boolean): boolean {
    const found = this.#scalar(key);
    if (found === undefined) return otherwise;
    return typeof found === 'boolean' ? found : this.wrong(key, 'is neither true nor false');
  }

  integer(key: string, most: number): number | undefined {
    const found = this.text(key);
    if (found === undefined) return undefined;
    if (!/^\d{1,10}$/.test(found) || Number(found) > most) this.wrong(key, `is ${found}, no number up to ${most}`);
    return Number(found);
  }

  oneOf<T extends string>(key: string, values: readonly T[], otherwise?: T): T {
    const found = this.text(key) ?? otherwise;
    const known = values.find((value) => value === found);
    return known ?? this.wrong(key, `is ${found ?? 'missing'}, none of ${values.join(', ')}`);
  }

  address(key: string): bigint | undefined {
    const found = this.text(key);
    if (found === undefined) return undefined;
    return parseAddress(found, familyOf(found)) ?? this.wrong(key, `is ${found}, no address`);
  }

  requiredAddress(key: string): bigint {
    return this.address(key) ?? this.wrong(key, 'is missing');
  }

  mac(key: string): bigint | undefined {
    const found = this.text(key);
    if (found === undefined) return undefined;
    return parseMac(found) ?? this.wrong(key, `is ${found}, no MAC address`);
  }

  prefix(key: string): Prefix | undefined {
    const found = this.text(key);
    if (found === undefined) return undefined;
    return prefixOf(found) ?? this.wrong(key, `is ${found}, no block of addresses`);
  }

  requiredPrefix(key: string): Prefix {
    return this.prefix(key) ?? this.wrong(key, 'is missing');
  }

  texts(key: string): readonly string[] {
    return this.#items(key).map((item) =>
      item.kind === 'scalar' && typeof item.value === 'string'
        ? item.value
        : this.wrong(key, 'has something else than names'),
    );
  }

  prefixes(key: string): readonly Prefix[] {
    return this.texts(key).map((text) => prefixOf(text) ?? this.wrong(key, `has ${text}, no block of addresses`));
  }

  inner(key: string): Resource | undefined {
    const found = this.#take(key);
    return found === undefined ? undefined : new Resource(key, found, this.#ledger);
  }

  list<T>(key: string, kind: string, one: (resource: Resource) => T): readonly T[] {
    return this.#items(key).map((item) => {
      const resource = new Resource(kind, item, this.#ledger);
      const made = one(resource);
      resource.finish();
      return made;
    });
  }

  #items(key: string): readonly Json[] {
    const found = this.#take(key);
    if (found === undefined) return [];
    return found.kind === 'list' ? found.items : this.wrong(key, 'is no list');
  }

  /** What nobody asked for is known to have no effect on packets, or is not understood. */
  finish(): void {
    for (const [key, { line, value }] of this.#members) {
      if (this.#taken.has(key)) continue;
      const why = isEmpty(value) ? 'it is empty' : withoutEffect(this.#kind, key);
      for (let at = line; at <= value.end; at += 1) {
        if (why === undefined) this.#ledger.notUnderstood(at, `${key} of a ${this.#kind}`);
        else this.#ledger.withoutEffect(at, `${key}: ${why}`);
      }
    }
  }
}

function isEmpty(value: Json): boolean {
  if (value.kind === 'list') return value.items.length === 0;
  if (value.kind === 'object') return value.members.length === 0;
  return value.value === null || value.value === '';
}

function prefixOf(text: string): Prefix | undefined {
  const [before = '', after, ...more] = text.split('/');
  const family: IpFamily = familyOf(before);
  const value = parseAddress(before, family);
  const width = widthOf(family);
  const length = after === undefined ? width : /^\d{1,3}$/.test(after) ? Number(after) : undefined;
  if (value === undefined || length === undefined || length > width || more.length > 0) return undefined;
  const rest = BigInt(width - length);
  return { family, address: (value >> rest) << rest, length };
}
