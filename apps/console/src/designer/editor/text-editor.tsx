import { type Diagnostic, setDiagnostics } from '@codemirror/lint';
import { Compartment, EditorState, type Text, Transaction } from '@codemirror/state';
import { EditorView, keymap } from '@codemirror/view';
import type { Problem } from '@superfluidity/core';
import type { Language } from '@superfluidity/language';
import { useEffect, useEffectEvent, useRef } from 'react';
import { baseExtensions } from './base-extensions.ts';
import { languageExtensions } from './language-extensions.ts';

/** A part of the text that is to be shown. Another object asks again. */
export interface Reveal {
  readonly from: number;
  readonly to: number;
  /** Of a tree of files: where. */
  readonly file?: string;
}

/** The text of a design. What is typed is told; what others change is taken over without losing the place. */
export default function TextEditor(props: {
  readonly text: string;
  /** None of a file that is no descriptor. */
  readonly language: Language | undefined;
  /** Of a file of a tree: what the reading of all of them has found in this one. Else the text is checked by itself. */
  readonly problems?: readonly Problem[];
  readonly isReadOnly?: boolean;
  readonly reveal: Reveal | undefined;
  readonly onType: (text: string) => void;
  readonly onCursor: (offset: number) => void;
  readonly onUndo: () => void;
  readonly onRedo: () => void;
}) {
  const { text, language, reveal, problems, isReadOnly = false } = props;
  const isAlone = problems === undefined;
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const tongue = useRef(new Compartment());
  const typed = useEffectEvent((now: string) => props.onType(now));
  const moved = useEffectEvent((offset: number) => props.onCursor(offset));
  const undo = useEffectEvent(() => props.onUndo());
  const redo = useEffectEvent(() => props.onRedo());
  const first = useEffectEvent(() => ({ text, language, isAlone, isReadOnly }));

  useEffect(() => {
    const begin = first();
    const run = (act: () => void) => () => {
      act();
      return true;
    };
    const made = new EditorView({
      parent: host.current!,
      state: EditorState.create({
        doc: begin.text,
        extensions: [
          keymap.of([
            { key: 'Mod-z', run: run(undo), preventDefault: true },
            { key: 'Mod-y', mac: 'Mod-Shift-z', run: run(redo), preventDefault: true },
            { key: 'Mod-Shift-z', run: run(redo), preventDefault: true },
          ]),
          baseExtensions('Text of the design'),
          EditorState.readOnly.of(begin.isReadOnly),
          tongue.current.of(languageExtensions(begin.language, begin.isAlone)),
          EditorView.updateListener.of((update) => {
            const own = update.transactions.some((one) => one.annotation(Transaction.userEvent) !== undefined);
            if (update.docChanged && own) typed(update.state.doc.toString());
            if (update.selectionSet && own) moved(update.state.selection.main.head);
          }),
        ],
      }),
    });
    view.current = made;
    return () => {
      view.current = undefined;
      made.destroy();
    };
  }, []);

  useEffect(() => {
    view.current?.dispatch({ effects: tongue.current.reconfigure(languageExtensions(language, isAlone)) });
  }, [language, isAlone]);

  useEffect(() => {
    const now = view.current;
    if (now === undefined) return;
    const before = now.state.doc.toString();
    if (before === text) return;
    const { from, to, insert } = difference(before, text);
    now.dispatch({ changes: { from, to, insert } });
  }, [text]);

  useEffect(() => {
    const now = view.current;
    if (now === undefined || problems === undefined) return;
    now.dispatch(setDiagnostics(now.state, marksOf(now.state.doc, problems)));
  }, [problems, text]);

  useEffect(() => {
    const now = view.current;
    if (now === undefined || reveal === undefined) return;
    const anchor = Math.min(reveal.from, now.state.doc.length);
    // Its first line is enough to see where it is.
    const head = Math.max(anchor, Math.min(reveal.to, now.state.doc.lineAt(anchor).to));
    now.dispatch({ selection: { anchor, head }, effects: EditorView.scrollIntoView(anchor, { y: 'center' }) });
  }, [reveal]);

  return <div className="sf-code" ref={host} data-editor />;
}

/** Problems as marks of the rest of their lines. */
function marksOf(doc: Text, problems: readonly Problem[]): readonly Diagnostic[] {
  return problems.flatMap(({ position, severity, code, message }) => {
    if (position === undefined || position.line > doc.lines) return [];
    const { from, to } = doc.line(position.line);
    const start = Math.min(to, from + position.column - 1);
    return [{ from: start, to: Math.max(start, to), severity, source: code, message }];
  });
}

/** The one part in which the texts differ, so that cursor and scrolling stay where they are. */
function difference(a: string, b: string): { readonly from: number; readonly to: number; readonly insert: string } {
  let from = 0;
  while (from < a.length && from < b.length && a[from] === b[from]) from += 1;
  let [endA, endB] = [a.length, b.length];
  while (endA > from && endB > from && a[endA - 1] === b[endB - 1]) {
    endA -= 1;
    endB -= 1;
  }
  return { from, to: endA, insert: b.slice(from, endB) };
}
