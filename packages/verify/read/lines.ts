import { SuperfluidityError } from '@superfluidity/core';
import '../errors.ts';
import { inputLimits } from '../limits.ts';
import type { InputFile } from './reader.ts';

/** Refuses a file with more lines than are read, before anything is made of them. */
export function boundedLines({ path, text }: InputFile): void {
  let count = 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1;
  if (count > inputLimits.lines) {
    const reason = `${path}:${inputLimits.lines + 1}: it has ${count} lines, at most ${inputLimits.lines} are read`;
    throw new SuperfluidityError('SF-VERIFY-LIMIT', { reason, data: { file: path, line: inputLimits.lines + 1 } });
  }
}

/** With the ends of lines of any system. */
export function linesOf({ text }: InputFile): readonly string[] {
  const lines = text.split('\n');
  return text.includes('\r') ? lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line)) : lines;
}
