import { SuperfluidityError } from '@superfluidity/core';
import '../../errors.ts';
import { inputLimits } from '../../limits.ts';
import type { InputFile } from '../../read/reader.ts';

/** The lines of a file, within the bounds of what is read. */
export function inputLines(file: InputFile): string[] {
  const lines = file.text.split('\n');
  if (lines.length > inputLimits.lines)
    throw tooLarge(file, inputLimits.lines, `it has more than ${inputLimits.lines} lines`);
  const long = lines.findIndex((line) => line.length > inputLimits.lineLength);
  if (long >= 0) throw tooLarge(file, long + 1, `the line is longer than ${inputLimits.lineLength} characters`);
  return lines;
}

function tooLarge(file: InputFile, line: number, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-VERIFY-LIMIT', {
    reason: `${file.path}:${line}: ${reason}`,
    data: { file: file.path, line },
  });
}

export function unusable(file: string, line: number, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-VERIFY-INPUT', { reason: `${file}:${line}: ${reason}`, data: { file, line } });
}
