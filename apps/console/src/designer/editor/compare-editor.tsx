import { MergeView } from '@codemirror/merge';
import { EditorState } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import type { Language } from '@superfluidity/language';
import { useEffect, useEffectEvent, useRef } from 'react';
import { baseExtensions } from './base-extensions.ts';
import { languageExtensions } from './language-extensions.ts';

/** Two texts side by side, with what differs; the right one can be changed where somebody wants to know. */
export function CompareEditor(props: {
  readonly left: string;
  readonly right: string;
  readonly language: Language;
  readonly labels: readonly [string, string];
  readonly onChange?: (right: string) => void;
}) {
  const host = useRef<HTMLDivElement>(null);
  const { left, right, language } = props;
  const told = useEffectEvent((text: string) => props.onChange?.(text));
  const begin = useEffectEvent(() => ({ labels: props.labels, isFixed: props.onChange === undefined, right }));
  // What is typed on the right comes back as the same text, and must not make the view anew.
  const typed = useRef(right);
  const from = typed.current === right ? 'own' : right;
  useEffect(() => {
    const { labels, isFixed, right: doc } = begin();
    const fixed = [EditorState.readOnly.of(true), EditorView.editable.of(false)];
    const view = new MergeView({
      parent: host.current!,
      a: { doc: left, extensions: [baseExtensions(labels[0]), languageExtensions(language), fixed] },
      b: {
        doc,
        extensions: [
          baseExtensions(labels[1]),
          languageExtensions(language),
          isFixed ? [fixed] : [],
          EditorView.updateListener.of((update) => {
            if (!update.docChanged) return;
            typed.current = update.state.doc.toString();
            told(typed.current);
          }),
        ],
      },
      collapseUnchanged: { margin: 3, minSize: 6 },
      gutter: true,
    });
    return () => view.destroy();
  }, [left, from, language]);
  return (
    <div className="sf-compare">
      <div className="sf-compare__labels">
        <span>{props.labels[0]}</span>
        <span>{props.labels[1]}</span>
      </div>
      <div className="sf-compare__texts" ref={host} />
    </div>
  );
}
