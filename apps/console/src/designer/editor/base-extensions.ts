import { closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, indentWithTab } from '@codemirror/commands';
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from '@codemirror/language';
import { lintKeymap } from '@codemirror/lint';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import type { Extension } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from '@codemirror/view';

/** What every text of the console is edited with. Undoing is the design's matter, which knows of the graph too. */
export function baseExtensions(label: string): Extension {
  return [
    lineNumbers(),
    highlightActiveLineGutter(),
    foldGutter(),
    drawSelection(),
    indentOnInput(),
    indentUnit.of('  '),
    bracketMatching(),
    closeBrackets(),
    highlightActiveLine(),
    highlightSelectionMatches(),
    search({ top: true }),
    keymap.of([
      ...closeBracketsKeymap,
      ...defaultKeymap,
      ...searchKeymap,
      ...foldKeymap,
      ...completionKeymap,
      ...lintKeymap,
      // Escape, then Tab leaves the editor: as CodeMirror tells people who need the keyboard.
      indentWithTab,
    ]),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
    look,
  ];
}

const look = EditorView.theme({
  '&': { height: '100%', fontSize: '12.5px', color: 'var(--sf-text)', backgroundColor: 'var(--sf-surface)' },
  '.cm-scroller': { fontFamily: 'var(--pf-t--global--font--family--mono)', lineHeight: '1.5' },
  '.cm-content': { caretColor: 'var(--sf-text)' },
  '.cm-cursor': { borderLeftColor: 'var(--sf-text)' },
  '.cm-gutters': {
    backgroundColor: 'var(--sf-raised)',
    color: 'var(--sf-text-subtle)',
    borderRight: '1px solid var(--sf-line)',
  },
  '.cm-activeLine': { backgroundColor: 'color-mix(in srgb, var(--sf-brand) 6%, transparent)' },
  '.cm-activeLineGutter': { backgroundColor: 'var(--sf-sunken)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'color-mix(in srgb, var(--sf-brand) 24%, transparent)',
  },
  '.cm-tooltip': {
    backgroundColor: 'var(--sf-surface)',
    border: '1px solid var(--sf-line-strong)',
    color: 'var(--sf-text)',
    maxWidth: '420px',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': {
    backgroundColor: 'var(--sf-brand-soft)',
    color: 'var(--sf-text)',
  },
  '.cm-panels': { backgroundColor: 'var(--sf-raised)', color: 'var(--sf-text)', borderColor: 'var(--sf-line)' },
  '.cm-completionDetail': { color: 'var(--sf-text-subtle)' },
});
