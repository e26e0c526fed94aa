import { ClickMistake, type ClickConfiguration, expand, parseClick } from '@superfluidity/click';
import { SuperfluidityError } from '@superfluidity/core';
import '../../errors.ts';
import { inputLimits } from '../../limits.ts';
import { LineLedger } from '../../read/ledger.ts';
import { countLines, unusable } from '../../read/lines.ts';
import type { InputFile, Reading } from '../../read/reader.ts';

export interface ClickOptions {
  /** The file that `require(library NAME)` means; absent: it is noted as without effect. */
  readonly library?: (name: string) => InputFile | undefined;
}

/**
 * Reads a Click configuration and takes its compound elements apart. Throws SF-VERIFY-INPUT with file and line for what is
 * not in the language, SF-VERIFY-LIMIT for what is too large. Element classes are not looked at here.
 */
export function readClick(file: InputFile, options: ClickOptions = {}): Reading<ClickConfiguration> {
  check(file);
  const ledger = new LineLedger(file.path, 'click', countLines(file));
  const { library } = options;
  try {
    const { scope, requirements } = parseClick(file.path, file.text, {
      seen: (line) => ledger.used(line),
      ...(library === undefined ? {} : { library: (name) => checked(library(name)) }),
    });
    for (const { place, text } of requirements) if (place.path === file.path) ledger.withoutEffect(place.line, text);
    return { value: expand(scope), reading: ledger.reading() };
  } catch (error) {
    if (error instanceof ClickMistake) throw refused(error);
    throw error;
  }
}

function checked(file: InputFile | undefined): InputFile | undefined {
  if (file !== undefined) check(file);
  return file;
}

function check({ path, text }: InputFile): void {
  if (text.length > inputLimits.fileBytes) throw tooMuch(path, 1, `more than ${inputLimits.fileBytes} characters`);
}

function refused({ kind, place: { file, line }, message }: ClickMistake): SuperfluidityError {
  return kind === 'limit' ? tooMuch(file, line, message) : unusable(file, line, message);
}

function tooMuch(file: string, line: number, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-VERIFY-LIMIT', { reason: `${file}:${line}: ${reason}`, data: { file, line } });
}
