import { SuperfluidityError, type Problem } from '@superfluidity/core';
import type { Service } from '@superfluidity/model';
import { withPrograms } from './click/program.ts';
import {
  type Dialect,
  type Encode,
  type Encoding,
  encodings,
  type Format,
  formats,
  type Lose,
  type ReadResult,
  type Writer,
  type Written,
} from './dialect.ts';
import { dialects } from './dialects.ts';
import { dialectLimits } from './errors.ts';
import { express, lossOf } from './express.ts';
import type { DescriptorFile } from './files.ts';
import { checkInputs, type Input, type InputValues } from './inputs.ts';
import { readNative } from './native/read.ts';
import { named } from './recognise.ts';
import { readYamlDocuments } from './yaml-text.ts';

export interface ReadDescriptor extends ReadResult {
  /** Absent when no format was recognised. */
  readonly format?: Format;
}

/** The first file decides where it can: a folder may hold one service in several dialects. */
function dialectOf(files: readonly DescriptorFile[]): Dialect | undefined {
  const first = recogniser(files.slice(0, 1));
  return first === undefined || first.isPart === true ? recogniser(files) : first;
}

function recogniser(files: readonly DescriptorFile[]): Dialect | undefined {
  return dialects.find(({ recognises }) => recognises?.(files) ?? false);
}

/** Which dialect the files are written in, if it is a known one. */
export function recognise(files: readonly DescriptorFile[]): Format | undefined {
  return dialectOf(files)?.format;
}

/**
 * Reads a descriptor in whatever dialect it is written: one file, or the files of a package. A single file of which nothing
 * is recognised is taken for a native one, so that its mistakes are named. With `inputs`, those that a template declares are
 * checked and put in; without, what has no default stays open as far as the dialect allows.
 */
export function readDescriptor(files: readonly DescriptorFile[], inputs?: InputValues): ReadDescriptor {
  const problem = tooMuch(files);
  if (problem !== undefined) return { problems: [problem] };
  const dialect = dialectOf(files);
  if (inputs !== undefined) {
    const { values, problems } = checkInputs(dialect?.inputs?.(files) ?? [], inputs);
    if (problems.length > 0) return { problems, ...(dialect === undefined ? {} : { format: dialect.format }) };
    if (dialect?.read !== undefined) return { ...dialect.read(files, values), format: dialect.format };
  }
  if (dialect?.read !== undefined) return { ...dialect.read(files), format: dialect.format };
  const [only, ...others] = files;
  if (only !== undefined && others.length === 0) return readNative(only.bytes, { file: only.path });
  // The file that would have told may be the one that cannot be read.
  const texts = files.filter(named('yaml', 'yml', 'json')).flatMap(({ path, bytes }) => readYamlDocuments(bytes, path));
  const problems = texts.flatMap((text) => text.problems);
  if (problems.length > 0) return { problems };
  return { problems: [refusal('SF-DESCRIPTOR-UNRECOGNISED', 'no file is a descriptor of a known dialect')] };
}

/** Reads files as those of one dialect, whatever they look like: of a text that somebody is changing. */
export function readIn(format: Format, files: readonly DescriptorFile[]): ReadResult {
  const problem = tooMuch(files);
  if (problem !== undefined) return { problems: [problem] };
  const dialect = dialects.find((one) => one.format === format);
  return dialect?.read?.(files) ?? { problems: [refusal('SF-DESCRIPTOR-UNRECOGNISED', `nothing reads '${format}'`)] };
}

/** What a template leaves open; nothing of what is none. */
export function inputsOf(files: readonly DescriptorFile[]): readonly Input[] {
  return tooMuch(files) === undefined ? (dialectOf(files)?.inputs?.(files) ?? []) : [];
}

/**
 * Writes a service in a dialect. What the dialect cannot say is left out and named in `losses`, with its place in the
 * files that were read where reading has given `locate`.
 * @throws SuperfluidityError SF-DESCRIPTOR-NO-WRITER
 */
export function writeDescriptor(
  service: Service,
  format: Format,
  locate?: ReadResult['locate'],
  encoding: Encoding = 'yaml',
): Written {
  const { writer } = dialects.find((dialect) => dialect.format === format) ?? {};
  if (writer === undefined) {
    const writable = dialects.flatMap((dialect) => (dialect.writer === undefined ? [] : [dialect.format]));
    const reason = `'${format}' cannot be written; what can: ${writable.join(', ')}`;
    throw new SuperfluidityError('SF-DESCRIPTOR-NO-WRITER', { doing: `write ${service.block.name}`, reason });
  }
  // A writer of elements writes the program as they are, and says what it cannot.
  const settled = writer.expresses.includes('unit.elements') ? service : withPrograms(service);
  const { service: expressible, losses } = express(settled, format, writer.expresses);
  const more: Problem[] = [];
  const lose: Lose = (path, message) => more.push(lossOf(format, path, message));
  const files = encoderOf(writer, format, encoding)(writer.write(expressible, lose), lose);
  const placed = [...losses, ...more].map((loss) => {
    const position = locate?.(loss.path);
    return position === undefined ? loss : { ...loss, position };
  });
  return { files, losses: placed };
}

function encoderOf({ encodings: known = {} }: Writer, format: Format, encoding: Encoding): Encode {
  if (encoding === 'yaml') return (files) => files;
  const encode = known[encoding];
  if (encode !== undefined) return encode;
  const able = dialects.flatMap((one) => (one.writer?.encodings?.[encoding] === undefined ? [] : [one.format]));
  const reason = `'${format}' is not written in ${encoding}; what is: ${able.join(', ')}`;
  throw new SuperfluidityError('SF-DESCRIPTOR-NO-WRITER', { doing: `write ${format}`, reason });
}

/** @throws SuperfluidityError SF-DESCRIPTOR-NO-WRITER: there is no such encoding. */
export function encodingOf(name: string): Encoding {
  const encoding = encodings.find((one) => one === name);
  if (encoding !== undefined) return encoding;
  const reason = `there is no encoding '${name}'; there are ${encodings.join(', ')}`;
  throw new SuperfluidityError('SF-DESCRIPTOR-NO-WRITER', { reason });
}

/** @throws SuperfluidityError SF-DESCRIPTOR-NO-WRITER: there is no such dialect. */
export function formatOf(name: string): Format {
  const format = formats.find((one) => one === name);
  if (format !== undefined) return format;
  const reason = `there is no dialect '${name}'; there are ${formats.join(', ')}`;
  throw new SuperfluidityError('SF-DESCRIPTOR-NO-WRITER', { reason });
}

export interface Converted extends Written {
  /** Of the files that were read. */
  readonly from?: Format;
  /** Of reading; when one is an error, nothing is written. */
  readonly problems: readonly Problem[];
}

/** From one dialect to another. Losses point at the lines of the files that were read. */
export function convert(files: readonly DescriptorFile[], to: Format, encoding?: Encoding): Converted {
  const { service, problems, format, locate } = readDescriptor(files);
  const from = format === undefined ? {} : { from: format };
  if (service === undefined) return { ...from, problems, files: [], losses: [] };
  return { ...from, problems, ...writeDescriptor(service, to, locate, encoding) };
}

function tooMuch(files: readonly DescriptorFile[]): Problem | undefined {
  if (files.length > dialectLimits.files) {
    return refusal('SF-DESCRIPTOR-TOO-LARGE', `${files.length} files, at most ${dialectLimits.files}`);
  }
  const bytes = files.reduce((sum, file) => sum + file.bytes.byteLength, 0);
  if (bytes <= dialectLimits.packageBytes) return undefined;
  return refusal(
    'SF-DESCRIPTOR-TOO-LARGE',
    `${(bytes / 2 ** 20).toFixed(1)} MiB, at most ${dialectLimits.packageBytes / 2 ** 20} MiB`,
  );
}

function refusal(code: Problem['code'], message: string): Problem {
  return { severity: 'error', code, message, path: '' };
}
