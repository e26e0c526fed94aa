import { fieldsOf } from './project.ts';
import type { Vnfd } from './shape.ts';

/**
 * Addresses are not in ETSI's elements: the project's translator to Heat reads them from `modifiableAttributes.metadata`,
 * where lists of groups of one field stand for groups.
 */
export interface Addresses {
  /** By internal virtual link. */
  readonly prefixes: ReadonlyMap<string, string>;
  /** By connection point. */
  readonly fixed: ReadonlyMap<string, string>;
}

export const PREFIXES = 'CPIPv4CIDR';
export const FIXED = 'CPIPv4FixedIP';

export function addressesOf({ modifiableAttributes }: Vnfd): Addresses {
  const prefixes = new Map<string, string>();
  const fixed = new Map<string, string>();
  for (const entry of entriesOf(modifiableAttributes?.metadata)) {
    for (const [link, value] of entriesOf(entry[PREFIXES]).flatMap(Object.entries)) {
      const cidr = entriesOf(value).find((one) => one['cidr'] !== undefined)?.['cidr'];
      if (typeof cidr === 'string') prefixes.set(link, cidr);
    }
    for (const [point, value] of entriesOf(entry[FIXED]).flatMap(Object.entries))
      if (typeof value === 'string') fixed.set(point, value);
  }
  return { prefixes, fixed };
}

/** The list with these addresses in place of those that it had. */
export function withAddresses(metadata: unknown, { prefixes, fixed }: Addresses): readonly unknown[] {
  const others = entriesOf(metadata)
    .map((entry) => Object.fromEntries(Object.entries(entry).filter(([name]) => name !== PREFIXES && name !== FIXED)))
    .filter((entry) => Object.keys(entry).length > 0);
  const cidrs = [...prefixes].map(([link, cidr]) => ({ [link]: [{ cidr }] }));
  const points = [...fixed].map(([point, address]) => ({ [point]: address }));
  return [
    ...others,
    ...(cidrs.length === 0 ? [] : [{ [PREFIXES]: cidrs }]),
    ...(points.length === 0 ? [] : [{ [FIXED]: points }]),
  ];
}

function entriesOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map(fieldsOf).filter((one) => one !== undefined);
}
