import { Composer, type CST, type Document, LineCounter, type Node } from 'yaml';
import { dialectLimits } from './errors.ts';
import { boundedTokens, Excess } from './yaml-tokens.ts';

/**
 * The nodes of the first document of a text that somebody is writing: what is wrong in it is passed over. Null where there is
 * none, and where the text passes the bounds within which texts are read.
 */
export function yamlNodes(text: string): Node | null {
  return yamlTrees(text)?.[0]?.contents ?? null;
}

/** The plain value of a document; undefined where its aliases lead nowhere, or to too much. */
export function plainValue(document: Document.Parsed): { readonly value: unknown } | undefined {
  try {
    return { value: document.toJS({ maxAliasCount: dialectLimits.aliasedValues }) as unknown };
  } catch (error) {
    if (error instanceof ReferenceError) return undefined;
    throw error;
  }
}

/** All documents of such a text, with where each mark stands. Undefined where it passes the bounds. */
export function yamlTrees(text: string): readonly Document.Parsed[] | undefined {
  if (text.length > dialectLimits.fileBytes) return undefined;
  const tokens: CST.Token[] = [];
  for (const token of boundedTokens(text, new LineCounter())) {
    if (token instanceof Excess) return undefined;
    tokens.push(token);
  }
  const composer = new Composer({
    uniqueKeys: false,
    version: '1.2',
    schema: 'core',
    stringKeys: false,
    keepSourceTokens: true,
  });
  const documents: Document.Parsed[] = [];
  for (const document of composer.compose(tokens, true, text.length)) {
    if (documents.length >= dialectLimits.documents) return undefined;
    documents.push(document as Document.Parsed);
  }
  return documents;
}
