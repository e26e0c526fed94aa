import { SuperfluidityError } from '@superfluidity/core';
import { learnLimits } from './errors.ts';
import type { ColumnShape } from './table.ts';

type Fields = Readonly<Record<string, unknown>>;

export function notAModel(reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-LEARN-MODEL', { reason });
}

export function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notAModel(`${what} is not an object`);
  return value as Fields;
}

/** The fields of a model of this format, in the one version that there is. */
export function modelOf(value: unknown, format: string): Fields {
  const fields = fieldsOf(value, 'the model');
  if (fields['format'] !== format) throw notAModel(`its format is ${String(fields['format'])}, not ${format}`);
  if (fields['version'] !== 1) throw notAModel(`its version is ${String(fields['version'])}, not 1`);
  return fields;
}

export function arrayOf(value: unknown, what: string, most: number): readonly unknown[] {
  if (!Array.isArray(value)) throw notAModel(`${what} is not a list`);
  if (value.length > most) throw notAModel(`${what} has ${value.length} entries, at most ${most}`);
  return value;
}

export function numbersOf(value: unknown, what: string, most: number): readonly number[] {
  return arrayOf(value, what, most).map((each) => numberOf(each, what));
}

export function numberOf(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw notAModel(`${what} is not a number`);
  return value;
}

/** From 0 up to, but not, `end`. */
export function indexOf(value: unknown, what: string, end: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) >= end) {
    throw notAModel(`${what} is not a whole number from 0 up to ${end - 1}`);
  }
  return value as number;
}

export function namesOf(value: unknown, what: string, most: number): readonly string[] {
  return arrayOf(value, what, most).map((each) => {
    if (typeof each !== 'string') throw notAModel(`${what} has an entry that is not text`);
    return each;
  });
}

export function shapesOf(value: unknown): readonly ColumnShape[] {
  return arrayOf(value, 'columns', learnLimits.columns).map((each) => {
    const { kind, name, names } = fieldsOf(each, 'a column');
    if (typeof name !== 'string') throw notAModel('a column has no name');
    if (kind === 'numeric') return { kind, name };
    if (kind === 'nominal') return { kind, name, names: namesOf(names, `column ${name}`, learnLimits.names) };
    throw notAModel(`column ${name} is neither numeric nor nominal`);
  });
}
