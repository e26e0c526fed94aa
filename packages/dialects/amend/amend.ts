import { canonicalJson, type Problem } from '@superfluidity/core';
import type { Service } from '@superfluidity/model';
import { readIn, writeDescriptor } from '../descriptor.ts';
import type { Format, ReadResult } from '../dialect.ts';
import { dialects } from '../dialects.ts';
import type { DescriptorFile } from '../files.ts';
import { Bringing, type Writings } from './bring.ts';
import { sourcesOf } from './source.ts';
import { Entangled } from './splice.ts';

/** The files of a service in which a change of it is said, with what their dialect has no words for; or why it cannot be. */
export type Amended =
  | { readonly files: readonly DescriptorFile[]; readonly losses: readonly Problem[] }
  | { readonly refused: string };

/**
 * Says in the files of any dialect what has changed of the service that was read from them, and leaves every other letter of
 * them as it was written: what the writer of the dialect says of the service before and after the change is compared, and
 * what differs is brought into the file in which it stands. A file that nothing differs in stays the same value. What they
 * then say is read again: a change that would not come out is refused.
 */
export function amend(files: readonly DescriptorFile[], format: Format, after: Service): Amended {
  const { title = format, writer } = dialects.find((one) => one.format === format) ?? {};
  if (writer === undefined) return { refused: `nothing writes ${title}: change it in the text, or make it native` };
  const { service: before, problems, locate } = readIn(format, files);
  if (before === undefined) return { refused: `${firstError(problems)}: mend it in the text first` };
  if (meaning(before) === meaning(after)) return { files, losses: [] };
  const [base, theirs] = [writeDescriptor(before, format), writeDescriptor(after, format)];
  const partners = partnersOf(before, locate, readIn(format, base.files).locate);
  const brought = attempt(files, format, { base: base.files, theirs: theirs.files, partners });
  if ('refused' in brought) return brought;
  const [only, ...others] = theirs.files;
  // Of some dialects the name of the file is that of the service.
  const path = files[0]!.path;
  const wanted = readIn(format, others.length === 0 ? [{ ...only!, path }] : theirs.files);
  const is = readIn(format, brought.files);
  if (is.service === undefined)
    return { refused: `then it could not be read (${firstError(is.problems)}): change it in the text` };
  if (wanted.service === undefined || meaning(wanted.service) !== meaning(is.service))
    return { refused: 'the text says this in a way that cannot be changed from the graph: change it in the text' };
  return { files: brought.files, losses: fresh(base.losses, theirs.losses) };
}

function attempt(
  files: readonly DescriptorFile[],
  format: Format,
  writings: Writings,
): { readonly files: readonly DescriptorFile[] } | { readonly refused: string } {
  try {
    const sources = sourcesOf(files);
    if (sources === undefined) return { refused: 'the text cannot be read: mend it first' };
    return { files: new Bringing(files, sources, format, writings).run() };
  } catch (error) {
    if (error instanceof Entangled)
      return { refused: `this cannot be changed by itself where it stands (${error.message}): change it in the text` };
    throw error;
  }
}

/** In which of the files that somebody has written stands what the writer has put into a file: by the units of both. */
function partnersOf(
  { block }: Service,
  ours: ReadResult['locate'],
  written: ReadResult['locate'],
): ReadonlyMap<string, string> {
  const partners = new Map<string, string>();
  for (const [i, fn] of block.children.entries())
    for (const j of fn.children.keys()) {
      const path = `functions[${i}].units[${j}]`;
      const [own, theirs] = [ours?.(path)?.file, written?.(path)?.file];
      if (own !== undefined && theirs !== undefined) partners.set(theirs, own);
    }
  return partners;
}

function firstError(problems: ReadResult['problems']): string {
  const error = problems.find(({ severity }) => severity === 'error');
  return error?.message ?? 'it cannot be read';
}

/** What is carried has no meaning here, and of what was assumed nothing is written. */
const meaning = (service: Service): string => canonicalJson(service, new Set(['carried']));

/** What this change loses: the rest was never said in the dialect. */
function fresh(before: readonly Problem[], after: readonly Problem[]): readonly Problem[] {
  const known = new Map<string, number>();
  for (const { message } of before) known.set(message, (known.get(message) ?? 0) + 1);
  return after.filter(({ message }) => {
    const left = known.get(message) ?? 0;
    known.set(message, left - 1);
    return left <= 0;
  });
}
