import { type ParseArgsConfig, parseArgs } from 'node:util';
import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<T extends Options> = ReturnType<
  typeof parseArgs<{ options: T; allowPositionals: true; allowNegative: true }>
>['values'];

export interface Asked<T extends Options> {
  readonly verb: 'up' | 'down' | 'status';
  readonly names: readonly string[];
  readonly values: Parsed<T>;
}

const VERBS = ['up', 'down', 'status'] as const;

/** What the command line asks for. Undefined when it got the usage: because it wants it, or needs it. */
export function readVerb<const T extends Options>(
  args: readonly string[],
  options: T,
  usage: string,
): Asked<T> | undefined {
  const { values, positionals } = parse(args, options);
  const [word, ...names] = positionals;
  const verb = VERBS.find((known) => known === word);
  const isAsked = (values as { readonly help?: boolean }).help === true;
  if (!isAsked && verb !== undefined) return { verb, names, values };
  process[isAsked ? 'stdout' : 'stderr'].write(usage);
  if (!isAsked) process.exitCode = 2;
  return undefined;
}

function parse<T extends Options>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, allowNegative: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SuperfluidityError('SF-LAB-OPTION', { doing: 'read the command', reason, cause: error });
  }
}

/** Progress is for eyes; a log gets the result. */
export function tellProgress(): (text: string) => void {
  return process.stderr.isTTY ? (text) => process.stderr.write(`${text}\n`) : () => {};
}

export function printer(json: boolean): (value: unknown, text: string) => void {
  return (value, text) => process.stdout.write(json ? `${JSON.stringify(value, undefined, 2)}\n` : text);
}

/** Without what was not said. */
export function said<T>(values: { readonly [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
