import { canonicalJson } from '@superfluidity/core';
import type { Block, Port } from '@superfluidity/model';
import { spells } from '../names.ts';
import { carriedIn, type Fields } from '../sol006/style.ts';
import { groupIn, textIn } from '../sol006/writing.ts';

export const OSM8 = 'osm8';

export const carriedBy = (thing: { readonly carried?: Fields }) => carriedIn(OSM8, thing);
export const same = (a: unknown, b: unknown) => canonicalJson(a) === canonicalJson(b);

/** The name as the descriptors had it, unless the thing has been renamed since. */
export function idOf(thing: { readonly name: string; readonly carried?: Fields }): string {
  const id = textIn(carriedBy(thing), 'id');
  return id !== undefined && spells(id, thing.name) ? id : thing.name;
}

export function without(fields: Fields, own: ReadonlySet<string>): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !own.has(name)));
}

/** Fields that descriptors have which are written anew. */
export const usual = (carried: Fields, fields: Fields) => (Object.keys(carried).length === 0 ? fields : {});

/** As it was written, where that is a number: text in the model of OSM. */
export const asCarried = (raw: unknown, index: string) => (String(raw) === index ? raw : index);

export const pointIn = (rest: Fields) =>
  textIn(rest, 'external-connection-point-ref') ?? textIn(rest, 'vnfd-connection-point-ref');

function interfaceIn(port: Port): Fields {
  const carried = carriedBy(port);
  const list = ['interface', 'external-interface', 'internal-interface'].find((name) => carried[name] !== undefined);
  return list === undefined ? {} : groupIn(carried, list);
}

/** The external connection point of a port. */
export function pointOf(unit: Block, port: Port): string {
  return pointIn(interfaceIn(port)) ?? `${idOf(unit)}-${idOf(port)}`;
}

export function innerPoint(unit: Block, port: Port): string {
  const rest = interfaceIn(port);
  return (
    textIn(rest, 'internal-connection-point-ref') ??
    textIn(rest, 'vdu-internal-connection-point-ref') ??
    `${idOf(unit)}-${idOf(port)}`
  );
}
