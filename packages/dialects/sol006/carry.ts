import { canonicalJson } from '@superfluidity/core';
import type { Block } from '@superfluidity/model';
import { isGroup } from './modules.ts';
import { nsdShape, vduShape, vnfdShape } from './shape.ts';

/**
 * What a descriptor says and the model cannot is carried through for other orchestrators: fields of an NSD, a VNFD or a
 * VDU that nobody here reads. Fields deeper inside are not: they belong to things that are written anew.
 */
const CARRIED = 'sol006';

type Fields = Readonly<Record<string, unknown>>;

/** Fields that nobody reads, as they are written where nothing is carried. */
export const customary = {
  nsd: (name: string) => ({ designer: 'superfluidity', 'invariant-id': name }),
  vnfd: (name: string, version: string) => ({
    provider: 'superfluidity',
    'product-name': name,
    'software-version': version,
    version,
    'vnfm-info': ['superfluidity'],
  }),
  vdu: (name: string) => ({ name }),
};

/** Fields that are read, or follow from what is. */
const own = {
  nsd: new Set([...Object.keys(nsdShape.shape), 'vnfd-id']),
  vnfd: new Set([...Object.keys(vnfdShape.shape), 'int-virtual-link-desc']),
  vdu: new Set(Object.keys(vduShape.shape)),
};

/** To be spread into a native block. */
export function carry(
  kind: keyof typeof own,
  descriptor: Fields,
  usual: Fields,
): { carried?: Record<string, unknown> } {
  const fields = Object.entries(descriptor).filter(
    ([name, value]) => !own[kind].has(name) && !same(value, usual[name]),
  );
  return fields.length === 0 ? {} : { carried: { [CARRIED]: Object.fromEntries(fields) } };
}

const same = (a: unknown, b: unknown) => b !== undefined && canonicalJson(a) === canonicalJson(b);

/** To be spread into a descriptor. What is written from the model cannot be replaced. */
export function carriedBy(kind: keyof typeof own, { carried }: Block): Fields {
  const fields = carried?.[CARRIED];
  if (!isGroup(fields)) return {};
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !own[kind].has(name)));
}
