import { readFile, writeFile } from 'node:fs/promises';
import { type Problem, SuperfluidityError } from '@superfluidity/core';
import { designLimits } from '@superfluidity/place';
import { lookAlike, readMatrices, readRfb, type RfbInstance } from '@superfluidity/place/rfb';
import type { Context } from '../context.ts';
import { type Bars, barsSvg } from './bars.ts';
import '../errors.ts';

export interface NetworkSource {
  readonly coverage?: string;
  readonly rates?: string;
  readonly users?: number;
  readonly copies: number;
  readonly seed: number;
}

/** The network that a command was given, in one of three ways. */
export async function loadInstance(file: string | undefined, source: NetworkSource): Promise<RfbInstance> {
  const { coverage, rates, users, copies, seed } = source;
  const ways = [file, coverage ?? rates, users].filter((way) => way !== undefined).length;
  if (ways !== 1) throw usage('a network is a file, --coverage with --rates, or --users: one of them');
  if (file !== undefined) {
    const read = readRfb(await bytesOf(file), file);
    return checked(file, 'instance' in read ? read.instance : undefined, read.problems);
  }
  if (users !== undefined) {
    if (users < 1 || users > designLimits.users) throw usage(`--users is from 1 to ${designLimits.users}`);
    if (5 * copies + 1 > designLimits.nodes) throw usage(`${copies} copies have more than ${designLimits.nodes} nodes`);
    return lookAlike({ users, copies, seed });
  }
  if (coverage === undefined || rates === undefined) throw usage('--coverage and --rates go together');
  const [first, second] = await Promise.all([bytesOf(coverage), bytesOf(rates)]);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return readMatrices(coverage, text(first), text(second));
}

export function usage(reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-CLI-USAGE', { doing: 'read the arguments', reason });
}

export async function bytesOf(file: string): Promise<Uint8Array> {
  return readFile(file).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SuperfluidityError('SF-CLI-FILE', { doing: `read ${file}`, reason, cause });
  });
}

/** What was read, or the first of its problems with all of them in the data. */
export function checked<T>(file: string, value: T | undefined, problems: readonly Problem[]): T {
  if (value !== undefined) return value;
  throw new SuperfluidityError('SF-DESIGN-INPUT', {
    doing: `read ${file}`,
    reason: `${problems.length === 1 ? 'one error' : `${problems.length} errors`}, the first: ${problems[0]!.message}`,
    data: { problems },
  });
}

export async function plot(context: Context, file: string | undefined, bars: Bars): Promise<void> {
  if (file === undefined) return;
  await writeFile(file, barsSvg(bars)).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SuperfluidityError('SF-CLI-FILE', { doing: `write ${file}`, reason, cause });
  });
  context.note(`picture in ${file}`);
}
