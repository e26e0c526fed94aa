import { type CST, Lexer, type LineCounter, Parser } from 'yaml';
import { dialectLimits } from './errors.ts';

/** A text has more of something than is read. */
export class Excess {
  readonly code: 'SF-DESCRIPTOR-TOO-LARGE' | 'SF-DESCRIPTOR-TOO-DEEP';
  readonly offset: number;
  readonly message: string;

  constructor(code: Excess['code'], offset: number, message: string) {
    this.code = code;
    this.offset = offset;
    this.message = message;
  }
}

/**
 * Runs lexer and parser in lockstep, so that a text which nests without end is refused before anything recurses over it. An
 * excess is the last that comes.
 */
export function* boundedTokens(text: string, lines: LineCounter): Generator<CST.Token | Excess> {
  const parser = new Parser((offset) => lines.addNewLine(offset));
  // The parser reports the starts of lines after the first only.
  lines.addNewLine(0);
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1;
    if (lexemes > dialectLimits.lexemes) {
      yield new Excess('SF-DESCRIPTOR-TOO-LARGE', parser.offset, `more than ${dialectLimits.lexemes} tokens`);
      return;
    }
    yield* parser.next(lexeme);
    if (parser.stack.length > dialectLimits.depth * 2) {
      yield new Excess('SF-DESCRIPTOR-TOO-DEEP', parser.offset, `more than ${dialectLimits.depth} levels`);
      return;
    }
  }
  yield* parser.end();
}
