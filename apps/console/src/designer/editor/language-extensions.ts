import {
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
} from '@codemirror/autocomplete';
import { HighlightStyle, LanguageSupport, StreamLanguage, syntaxHighlighting } from '@codemirror/language';
import { linter, lintGutter } from '@codemirror/lint';
import { yaml } from '@codemirror/lang-yaml';
import type { Extension } from '@codemirror/state';
import { hoverTooltip } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { complete, diagnostics, hover, type Language, type LanguageDocument } from '@superfluidity/language';
import { fileOf } from '../core/reading.ts';

/** Time without a key before the text is checked. */
const CHECK_MS = 250;

const kinds = { keyword: 'keyword', field: 'property', value: 'enum', name: 'variable', class: 'class' } as const;

/** One document for one text: what the service of the language knows of it is remembered with it. */
function documents(language: Language): (text: string) => LanguageDocument {
  let known: LanguageDocument | undefined;
  return (text) => {
    if (known?.text !== text) known = { path: fileOf({ language, text }), text, language };
    return known;
  };
}

/** What the service of a language says, as CodeMirror asks for it; `isChecked` says whether it looks for mistakes too. */
export function languageExtensions(language: Language | undefined, isChecked = true): Extension {
  if (language === undefined) return [];
  const documentOf = documents(language);
  return [
    language === 'nemo' || language === 'click' ? wordy(language) : yaml(),
    syntaxHighlighting(colours),
    lintGutter(),
    isChecked ? checking(documentOf) : [],
    autocompletion({ override: [(context) => completions(documentOf(context.state.doc.toString()), context)] }),
    hoverTooltip((view, at) => {
      const found = hover(documentOf(view.state.doc.toString()), at);
      if (found === undefined) return null;
      return { pos: found.from, end: found.to, above: true, create: () => ({ dom: explained(found.text) }) };
    }),
  ];
}

function checking(documentOf: ReturnType<typeof documents>): Extension {
  return linter(
    (view) =>
      diagnostics(documentOf(view.state.doc.toString())).map(({ from, to, problem }) => ({
        from,
        to,
        severity: problem.severity,
        source: problem.code,
        message: problem.suggestion === undefined ? problem.message : `${problem.message}; ${problem.suggestion}`,
      })),
    { delay: CHECK_MS },
  );
}

function completions(document: LanguageDocument, context: CompletionContext): CompletionResult | null {
  const offered = complete(document, context.pos);
  const word = context.matchBefore(/[\w-]+/);
  const [first] = offered;
  if (first === undefined || (word === null && !context.explicit)) return null;
  return {
    from: first.from,
    options: offered
      .filter(({ from }) => from === first.from)
      .map(
        ({ label, kind, insert, detail, documentation }): Completion => ({
          label,
          type: kinds[kind],
          ...(insert === undefined ? {} : { apply: insert }),
          ...(detail === undefined ? {} : { detail }),
          ...(documentation === undefined ? {} : { info: () => explained(documentation) }),
        }),
      ),
  };
}

/** Markdown of the language service: paragraphs, and code between backquotes. */
function explained(text: string): HTMLElement {
  const box = document.createElement('div');
  box.className = 'sf-code__hover';
  for (const paragraph of text.split('\n\n')) {
    const p = document.createElement('p');
    paragraph.split('`').forEach((part, i) => {
      const piece = document.createElement(i % 2 === 1 ? 'code' : 'span');
      piece.textContent = part;
      p.append(piece);
    });
    box.append(p);
  }
  return box;
}

const keywords = {
  nemo: /^(?:CREATE|IMPORT|DELETE|UPDATE|Node|NodeModel|Connection|ConnectionModel|Flow|Operation|Property|Type|Contain|Connect|EndNodes|Match|Action|Priority|Target|Condition|ConnectionPoint|VNFD)\b/i,
  click: /^(?:elementclass|define|require|provide|input|output)\b/,
} as const;

/** Comments, texts, words and numbers: as much as a reader wants to be told apart. */
function wordy(language: 'nemo' | 'click'): LanguageSupport {
  return new LanguageSupport(
    StreamLanguage.define<{ comment: boolean }>({
      startState: () => ({ comment: false }),
      token(stream, state) {
        if (state.comment) {
          if (stream.skipTo('*/')) {
            stream.match('*/');
            state.comment = false;
          } else stream.skipToEnd();
          return 'comment';
        }
        if (stream.eatSpace()) return null;
        if (stream.match('//')) {
          stream.skipToEnd();
          return 'comment';
        }
        if (stream.match('/*')) {
          state.comment = true;
          return 'comment';
        }
        if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) return 'string';
        if (stream.match(keywords[language])) return 'keyword';
        if (stream.match(/^[A-Z][\w@]*/)) return 'className';
        if (stream.match(/^\d[\w./]*/)) return 'number';
        if (!stream.match(/^[\w@-]+/)) stream.next();
        return null;
      },
    }),
  );
}

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--sf-code-field)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--sf-code-string)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--sf-code-number)' },
  { tag: [tags.keyword, tags.operator], color: 'var(--sf-code-field)' },
  { tag: tags.className, color: 'var(--sf-code-string)' },
  { tag: tags.comment, color: 'var(--sf-text-subtle)', fontStyle: 'italic' },
]);
