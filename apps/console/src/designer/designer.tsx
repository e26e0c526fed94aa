import { Alert, AlertActionCloseButton, AlertActionLink } from '@patternfly/react-core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useState } from 'react';
import { useConfirm } from '../ui/confirm.tsx';
import type { Difference } from './core/compare.ts';
import { DesignDialogs } from './design-dialogs.tsx';
import { DesignerHead, type Doing } from './designer-head.tsx';
import type { Reveal } from './editor/text-editor.tsx';
import { openIn } from './core/tree.ts';
import { offsetOfLine } from './subject.ts';
import { type Beginning, type Design, useDesign } from './use-design.ts';
import { useSave } from './use-save.ts';
import { Workspace } from './workspace.tsx';

const MergeDialog = lazy(() => import('./merge-dialog.tsx'));

/** Differences from another version, which the graph shows until they are put away. */
export interface Compared {
  readonly of: ReadonlyMap<string, Difference>;
  readonly version: string;
}

/** Text and graph of one design, side by side: two views of the same text. */
export function Designer(props: {
  readonly beginning: Beginning;
  readonly onAnother: () => void;
  /** It was saved, and its address has its name now. */
  readonly onNamed: (name: string) => void;
}) {
  const { beginning, onAnother, onNamed } = props;
  const search = useSearch({ from: '/designer' });
  const navigate = useNavigate({ from: '/designer' });
  const go = useCallback(
    (changes: Readonly<Record<string, string | undefined>>, replace = true) =>
      void navigate({ search: (before) => ({ ...before, ...changes }) as never, replace }),
    [navigate],
  );
  const design = useDesign(beginning, search.in ?? '');
  const [notice, setNotice] = useState<string>();
  const [reveal, setReveal] = useState<Reveal>();
  const file = openIn(design.history.now, search.file);
  /** A part of the text, in the file where it is. */
  const show = (part: Reveal) => {
    setReveal(part);
    if (part.file !== undefined && part.file !== file) go({ file: part.file });
  };
  const [compared, setCompared] = useState<Compared>();
  const name = design.drawn?.service.block.name ?? beginning.key;
  const saving = useSave(design, name, (saved, words) => {
    setNotice(words);
    if (search.descriptor === saved) return;
    onNamed(saved);
    go({ descriptor: saved, template: undefined });
  });
  const confirm = useConfirm();
  const act = (what: Doing) => {
    if (what === 'save') return saving.save();
    if (what === 'plan') return void navigate({ to: '/deploy', search: { descriptor: design.base!.id } });
    if (what !== 'another') return go({ do: what }, false);
    if (design.isSaved) {
      design.drop();
      return onAnother();
    }
    confirm({
      title: 'Begin another design?',
      body: 'What was not saved of this one is lost.',
      verb: 'Begin another',
      danger: true,
      act: () => {
        design.drop();
        onAnother();
        return Promise.resolve();
      },
    });
  };
  return (
    <div className="sf-designer" data-designer={name} data-stale={design.isStale}>
      <DesignerHead name={name} design={design} saving={saving.pending} onDo={act} />
      {design.fromDraft && !design.isSaved && <DraftNotice design={design} beginning={beginning} />}
      {!design.isKept && (
        <Alert
          component="h2"
          isInline
          variant="warning"
          title="The browser has no room for a draft: what is not saved is lost when this page is left"
        />
      )}
      <Workspace
        design={design}
        compared={compared}
        file={file}
        reveal={reveal}
        onReveal={show}
        onShown={setReveal}
        onFile={(path) => go({ file: path }, false)}
        onNotice={setNotice}
        onNotCompared={() => setCompared(undefined)}
      />
      <div className="sf-designer__notice" role="status">
        {notice !== undefined && (
          <Alert
            component="h2"
            variant="info"
            title={notice}
            data-notice
            actionClose={<AlertActionCloseButton aria-label="Close" onClose={() => setNotice(undefined)} />}
          />
        )}
      </div>
      <DesignDialogs
        design={design}
        name={name}
        file={file}
        go={go}
        saveError={saving.error}
        onSaveErrorSeen={saving.forget}
        onNotice={setNotice}
        onCompared={setCompared}
        onLine={(line, at) => show(offsetOfLine(design.history.now, line, at))}
      />
      {saving.conflict !== undefined && (
        <Suspense fallback={null}>
          <MergeDialog
            conflict={saving.conflict}
            pending={saving.pending}
            onSave={saving.saveBoth}
            onTheirs={saving.takeTheirs}
            onClose={saving.leave}
          />
        </Suspense>
      )}
    </div>
  );
}

function DraftNotice({ design, beginning }: { readonly design: Design; readonly beginning: Beginning }) {
  const confirm = useConfirm();
  const drop = () =>
    confirm({
      title: 'Drop the draft?',
      body: 'What you changed since the version that you began with is lost.',
      verb: 'Drop it',
      danger: true,
      act: () => Promise.resolve(design.dispatch({ type: 'begun', beginning })),
    });
  return (
    <Alert
      component="h2"
      isInline
      isPlain
      variant="info"
      className="sf-designer__draft"
      title="This is your draft: it was not saved yet"
      actionLinks={<AlertActionLink onClick={drop}>Drop it</AlertActionLink>}
    />
  );
}
