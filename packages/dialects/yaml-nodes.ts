import { Composer, type CST, LineCounter, type Node } from 'yaml';
import { dialectLimits } from './errors.ts';
import { boundedTokens, Excess } from './yaml-tokens.ts';

/**
 * The nodes of the first document of a text that somebody is writing: what is wrong in it is passed over. Null where there is
 * none, and where the text passes the bounds within which texts are read.
 */
export function yamlNodes(text: string): Node | null {
  if (text.length > dialectLimits.fileBytes) return null;
  const tokens: CST.Token[] = [];
  for (const token of boundedTokens(text, new LineCounter())) {
    if (token instanceof Excess) return null;
    tokens.push(token);
  }
  const composer = new Composer({ uniqueKeys: false, version: '1.2', schema: 'core', stringKeys: false });
  for (const document of composer.compose(tokens, true, text.length)) return document.contents;
  return null;
}
