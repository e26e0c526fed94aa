import { SuperfluidityError } from '@superfluidity/core';
import '../errors.ts';
import { inputLimits } from '../limits.ts';
import type { InputFile } from './reader.ts';

/** The lines of a file, within the bounds of what is read. */
export function inputLines(file: InputFile): string[] {
  countLines(file);
  const lines = file.text.split('\n');
  const long = lines.findIndex((line) => line.length > inputLimits.lineLength);
  if (long >= 0) throw longLine(file.path, long + 1);
  return lines;
}

/** How many there are. Refused are more than are read, before anything is kept of them. */
export function countLines({ path, text }: InputFile): number {
  let count = 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
    count += 1;
    if (count > inputLimits.lines) {
      throw tooLarge(path, inputLimits.lines, `it has more than ${inputLimits.lines} lines`);
    }
  }
  return count;
}

export function longLine(path: string, line: number): SuperfluidityError {
  return tooLarge(path, line, `the line is longer than ${inputLimits.lineLength} characters`);
}

function tooLarge(path: string, line: number, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-VERIFY-LIMIT', {
    reason: `${path}:${line}: ${reason}`,
    data: { file: path, line },
  });
}

export function unusable(file: string, line: number, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-VERIFY-INPUT', { reason: `${file}:${line}: ${reason}`, data: { file, line } });
}
