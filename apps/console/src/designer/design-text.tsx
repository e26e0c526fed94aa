import type { Problem } from '@superfluidity/core';
import { lazy, Suspense } from 'react';
import { openIn, pathsOf, textIn } from './core/tree.ts';
import type { Reveal } from './editor/text-editor.tsx';
import { FileList } from './file-list.tsx';
import type { Design } from './use-design.ts';

const TextEditor = lazy(() => import('./editor/text-editor.tsx'));

/** What may have descriptors in it: of all other files a tree may have, nothing is known. */
const isDescriptor = (path: string): boolean => /\.(?:ya?ml|json|xml|nemo|click)$/i.test(path);

/** The text of a design; of a tree of files, that of the one that is open. */
export function DesignText(props: {
  readonly design: Design;
  readonly file: string;
  readonly reveal: Reveal | undefined;
  readonly onFile: (path: string) => void;
  readonly onCursor: (offset: number) => void;
}) {
  const { design, file, reveal } = props;
  const { history, dispatch, reading } = design;
  const { now } = history;
  const isTree = now.others !== undefined;
  const text = textIn(now, file);
  const problems = isTree ? Map.groupBy(reading.problems, (one) => pathOf(design, one)) : undefined;
  const isHere = reveal?.file === undefined || reveal.file === file;
  return (
    <>
      {problems !== undefined && (
        <FileList
          paths={pathsOf(now)}
          open={file}
          problems={new Map([...problems].map(([path, list]) => [path, list.length]))}
          onOpen={props.onFile}
        />
      )}
      <Suspense fallback={<div className="sf-code" />}>
        <TextEditor
          key={isTree ? file : undefined}
          text={text ?? 'This file is no text: it stays as it is.'}
          isReadOnly={text === undefined}
          language={isTree && !isDescriptor(file) ? undefined : now.language}
          {...(problems === undefined ? {} : { problems: problems.get(file) ?? NONE })}
          reveal={isHere ? reveal : undefined}
          onType={(typed) => dispatch({ type: 'typed', text: typed, file, atMs: performance.now() })}
          onCursor={props.onCursor}
          onUndo={() => dispatch({ type: 'undo' })}
          onRedo={() => dispatch({ type: 'redo' })}
        />
      </Suspense>
    </>
  );
}

const NONE: readonly Problem[] = [];

const pathOf = ({ history }: Design, { position }: Problem): string => openIn(history.now, position?.file);
