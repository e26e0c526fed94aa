import { type Document, parseDocument } from 'yaml';

let known: { readonly text: string; readonly document: Document.Parsed } | undefined;

/** The text as a document, to look things up in and not to be changed. It is read once, whoever asks. */
export function documentOf(text: string): Document.Parsed {
  if (known?.text !== text) known = { text, document: parseDocument(text) };
  return known.document;
}
