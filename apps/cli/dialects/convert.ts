import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { SuperfluidityError, type Problem } from '@superfluidity/core';
import {
  convert as convertFiles,
  encodingOf,
  formatOf,
  type Converted,
  type DescriptorFile,
} from '@superfluidity/dialects';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { problemLine } from '../print/problem.ts';
import { readSource } from '../source.ts';
import '../errors.ts';

export interface ConvertOptions {
  readonly to: string;
  /** Of a dialect that has several. */
  readonly encoding?: string;
  /** A folder; a file where one is written. Absent: standard output, where one is written. */
  readonly out?: string;
  readonly force?: boolean;
  readonly strict?: boolean;
}

/** From one dialect to another: what is lost is said, and with `--strict` is a failure. */
export async function convert(context: Context, inputs: readonly string[], options: ConvertOptions): Promise<void> {
  const to = formatOf(options.to);
  const encoding = encodingOf(options.encoding ?? 'yaml');
  const source = await readSource(inputs);
  if ('descriptor' in source) {
    const reason = `there is no file '${inputs[0] ?? ''}'`;
    throw new SuperfluidityError('SF-CLI-FILE', { doing: `convert to ${to}`, reason });
  }
  const files = source.files.map(({ path, base64 }) => ({ path, bytes: Buffer.from(base64, 'base64') }));
  const converted = convertFiles(files, to, encoding);
  const refused = converted.files.length === 0;
  const lost = converted.losses.length > 0;
  if (refused) process.exitCode = exitCodes.usage;
  else if (lost && options.strict === true) process.exitCode = exitCodes.failed;
  const write = !refused && !(lost && options.strict === true);

  for (const problem of [...converted.problems, ...converted.losses]) context.note(problemLine(problem, context.style));
  const printed = write && options.out === undefined && context.options.output === 'table';
  if (printed) {
    context.say(onlyText(converted.files));
    return;
  }
  const written = write && options.out !== undefined ? await writeAll(converted.files, options.out, options) : [];
  await context.show(answer(converted, to, written), () => summary(converted, to, written, context));
}

function onlyText(files: readonly DescriptorFile[]): string {
  const [only, ...others] = files;
  if (others.length === 0) return new TextDecoder().decode(only!.bytes).trimEnd();
  const reason = `it is written as ${files.length} files`;
  throw new SuperfluidityError('SF-CLI-USAGE', {
    doing: 'print what was converted',
    reason: `${reason}: name a folder with -o`,
  });
}

/** @returns the files, as they are on the disk. Nothing is written outside of `out`, and nothing is replaced unasked. */
async function writeAll(
  files: readonly DescriptorFile[],
  out: string,
  { force = false }: { readonly force?: boolean },
): Promise<readonly string[]> {
  const found = await stat(out).catch(() => undefined);
  const [only, ...others] = files;
  if (others.length === 0 && found?.isDirectory() !== true && !out.endsWith('/')) {
    if (found !== undefined && !force) throw inTheWay(out);
    await mkdir(dirname(out), { recursive: true });
    await writeFile(out, only!.bytes);
    return [out];
  }
  if (found !== undefined && !force && (!found.isDirectory() || (await readdir(out)).length > 0)) throw inTheWay(out);
  const written: string[] = [];
  for (const { path, bytes } of files) {
    if (isAbsolute(path) || path.split('/').includes('..')) throw new Error(`a writer made the path ${path}`);
    const at = join(out, path);
    await mkdir(dirname(at), { recursive: true });
    await writeFile(at, bytes);
    written.push(at);
  }
  return written;
}

function inTheWay(out: string): SuperfluidityError {
  const reason = `${out} is there already: name another place, or say --force`;
  return new SuperfluidityError('SF-CLI-FILE', { doing: `write ${out}`, reason });
}

/** For machines; without files on the disk, what would be in them. */
function answer({ from, files, problems, losses }: Converted, to: string, written: readonly string[]) {
  const plain = (list: readonly Problem[]) => list.map((problem) => ({ ...problem }));
  const content = files.map(({ path, bytes }) => ({ path, text: new TextDecoder().decode(bytes) }));
  return {
    ok: files.length > 0,
    from: from ?? null,
    to,
    files: written.length > 0 ? written : content,
    problems: plain(problems),
    losses: plain(losses),
  };
}

function summary(
  { from, files, problems, losses }: Converted,
  to: string,
  written: readonly string[],
  { style }: Context,
): string {
  const what = `${from ?? 'what was given'} to ${to}`;
  const unusable = problems.some(({ severity }) => severity === 'error');
  const why = unusable ? 'the input cannot be used' : `${to} has words for none of it, see above`;
  if (files.length === 0) return style.red(`${what}: nothing was written, since ${why}`);
  if (written.length === 0)
    return style.red(`${what}: nothing was written, since ${count(losses.length, 'thing')} would be lost`);
  const lost =
    losses.length === 0 ? 'nothing is lost' : style.yellow(`${count(losses.length, 'thing')} lost, see above`);
  return [...written, `${what}: ${count(written.length, 'file')}, ${lost}`].join('\n');
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
