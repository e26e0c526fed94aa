import { inputLimits } from '../../limits.ts';
import { LineLedger } from '../../read/ledger.ts';
import type { InputFile, Reading } from '../../read/reader.ts';
import type { ClickConfiguration } from './configuration.ts';
import { expand } from './expand.ts';
import { tooMuch, unusable } from './failure.ts';
import { parseClick } from './parse.ts';
import { ClickLexer, type Token } from './tokens.ts';

export interface ClickOptions {
  /** The file that `require(library NAME)` means; absent: it is noted as without effect. */
  readonly library?: (name: string) => InputFile | undefined;
}

/**
 * Reads a Click configuration (click(5)) with all of the language: declarations, connections, compound elements with
 * parameters and overloads, groups, `define`, `require`, `#line`. Throws SF-VERIFY-INPUT with file and line for what is not
 * in the language, SF-VERIFY-LIMIT for what is too large. Element classes are not looked at here.
 */
export function readClick(file: InputFile, options: ClickOptions = {}): Reading<ClickConfiguration> {
  check(file);
  const ledger = new LineLedger(file.path, 'click', countLines(file.text));
  const lexer = new ClickLexer(file.path, file.text, (line) => ledger.used(line));
  const open = new Set([file.path]);
  const library = (name: string, from: Token): ClickLexer | undefined => {
    const found = options.library?.(name);
    if (found === undefined) return undefined;
    // A library that is read twice adds its classes twice; one that is still being read would never end.
    if (open.has(found.path)) throw unusable(from.file, from.line, `${found.path} requires itself`);
    open.add(found.path);
    check(found);
    return new ClickLexer(found.path, found.text, () => {});
  };
  const scope = parseClick(lexer, (line, why) => ledger.withoutEffect(line, why), { library });
  return { value: expand(scope), reading: ledger.reading() };
}

function check({ path, text }: InputFile): void {
  if (text.length > inputLimits.fileBytes) throw tooMuch(path, 1, `more than ${inputLimits.fileBytes} characters`);
}

function countLines(text: string): number {
  let lines = 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}
