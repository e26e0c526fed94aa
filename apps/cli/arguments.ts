import { InvalidArgumentError } from 'commander';
import type { Context } from './context.ts';

/** Gives an action of a command the context that the options of the program make. */
export type Run = <A extends unknown[]>(
  action: (context: Context, ...args: A) => Promise<void>,
) => (...args: unknown[]) => Promise<void>;

export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It is not a number.');
  return value;
}

/** From 0 on. */
export function amount(text: string): number {
  const value = number(text);
  if (value < 0) throw new InvalidArgumentError('It is not a number from 0 on.');
  return value;
}

/** Of a whole: from 0 to 1, both included. */
export function part(text: string): number {
  const value = amount(text);
  if (value > 1) throw new InvalidArgumentError('It is not a part of one.');
  return value;
}

/** Of what is neither impossible nor certain. */
export function probability(text: string): number {
  const value = part(text);
  if (value === 0 || value === 1) throw new InvalidArgumentError('It is not between 0 and 1.');
  return value;
}

export function wholeNumber(text: string): number {
  const value = number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('It is not a whole number from 0 on.');
  return value;
}

export function positive(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError('It must be more than 0.');
  return value;
}

/** Timers of Node take 24 days at most, and fire at once when they are asked for more. */
const SECONDS_MAX = 604_800;

export function seconds(text: string): number {
  const value = positive(text);
  if (value > SECONDS_MAX) throw new InvalidArgumentError(`It must be at most ${SECONDS_MAX}: a week.`);
  return value;
}
