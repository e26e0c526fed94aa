import { learnLimits } from '../errors.ts';
import { arrayOf, indexOf, modelOf, notAModel } from '../model-json.ts';
import { SuperfluidityError } from '@superfluidity/core';

/** Symbols are whole numbers from 0 up to the size of the alphabet. */
export type Symbols = Uint8Array | Uint16Array | Uint32Array | Int32Array;

/** The phrases of a Lempel-Ziv 78 parse as a tree; node 0 is the root. Plain JSON. */
export interface Lz78Model {
  readonly format: 'lz78';
  readonly version: 1;
  readonly alphabet: number;
  /** Symbols with which a phrase goes on from the one before it (the M of LZ-MS). */
  readonly backShift: number;
  /** Of each node after the root: the node before it, and the symbol between. A parent comes before its children. */
  readonly parents: readonly number[];
  readonly symbols: readonly number[];
}

/** A model from JSON that was parsed. Rejects with SF-LEARN-MODEL. */
export function readLz78(value: unknown): Lz78Model {
  const fields = modelOf(value, 'lz78');
  const alphabet = indexOf(fields['alphabet'], 'alphabet', learnLimits.alphabet + 1);
  if (alphabet < 2) throw notAModel('its alphabet has less than 2 symbols');
  const backShift = indexOf(fields['backShift'], 'backShift', learnLimits.backShift + 1);
  const most = nodesWithin(alphabet) - 1;
  const parents = arrayOf(fields['parents'], 'parents', most).map((parent, i) => indexOf(parent, 'a parent', i + 1));
  const symbols = arrayOf(fields['symbols'], 'symbols', most).map((symbol) => indexOf(symbol, 'a symbol', alphabet));
  if (parents.length !== symbols.length) throw notAModel('it has more parents than symbols, or less');
  const children = new Set(parents.map((parent, i) => parent * alphabet + symbols[i]!));
  if (children.size < parents.length) throw notAModel('a node has two children by one symbol');
  return { format: 'lz78', version: 1, alphabet, backShift, parents, symbols };
}

/** A node and a symbol are one number of 32 bits. */
export const nodesWithin = (alphabet: number): number =>
  Math.min(learnLimits.lzNodes, Math.floor((2 ** 32 - 1) / alphabet));

export function notASymbol(symbol: number, alphabet: number): SuperfluidityError {
  return new SuperfluidityError('SF-LEARN-SYMBOL', { reason: `${symbol} is not from 0 up to ${alphabet - 1}` });
}
