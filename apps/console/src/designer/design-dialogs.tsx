import { Button, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useState } from 'react';
import { FileDrop } from '../catalogue/file-drop.tsx';
import { errorBodyOf, ErrorView } from '../ui/error-view.tsx';
import type { SourceFile } from '../view-model/read-files.ts';
import { bytesOf } from './bytes.ts';
import type { Compared } from './designer.tsx';
import type { Imported } from './import-files.ts';
import { ProblemsPanel } from './problems-panel.tsx';
import type { Design } from './use-design.ts';

const VersionsDialog = lazy(() => import('./versions-dialog.tsx'));
const ExportDialog = lazy(() => import('./export-dialog.tsx'));

/** What opens over the designer: which one is in the address. */
export function DesignDialogs(props: {
  readonly design: Design;
  readonly name: string;
  readonly file: string;
  readonly go: (changes: Readonly<Record<string, string | undefined>>, replace?: boolean) => void;
  readonly saveError: unknown;
  readonly onSaveErrorSeen: () => void;
  readonly onNotice: (words: string | undefined) => void;
  readonly onCompared: (compared: Compared) => void;
  readonly onLine: (line: number, file?: string) => void;
}) {
  const { design, go } = props;
  const { do: what, against, format } = useSearch({ from: '/designer' });
  const { history, drawn, dispatch } = design;
  const close = () => go({ do: undefined, against: undefined, format: undefined });
  const isNative = what === 'native';
  useEffect(() => {
    if (!isNative || drawn === undefined) return;
    let wanted = true;
    void import('@superfluidity/dialects/languages').then(({ writeNative }) => {
      if (!wanted) return;
      dispatch({ type: 'changed', version: { text: writeNative(drawn.service), language: 'native' } });
      go({ do: undefined });
    });
    return () => {
      wanted = false;
    };
  }, [isNative, drawn, dispatch, go]);
  return (
    <Suspense fallback={null}>
      {what === 'versions' && (
        <VersionsDialog
          name={props.name}
          version={history.now}
          file={props.file}
          against={against}
          onAgainst={(id) => go({ against: id })}
          onShowInGraph={(of, version) => {
            props.onCompared({ of, version });
            close();
          }}
          onTake={(version) => {
            dispatch({ type: 'changed', version });
            close();
          }}
          onClose={close}
        />
      )}
      {what === 'export' && drawn !== undefined && (
        <ExportDialog
          service={drawn.service}
          version={drawn.reading.version}
          locate={drawn.reading.locate}
          format={format}
          onFormat={(one) => go({ format: one })}
          onLine={(line, file) => {
            close();
            props.onLine(line, file);
          }}
          onClose={close}
        />
      )}
      {what === 'import' && (
        <ImportDialog
          onTake={(imported) => {
            if (imported.version === undefined) return;
            dispatch({ type: 'changed', version: imported.version });
            props.onNotice(
              imported.format === imported.version.language
                ? undefined
                : `It was written in ${imported.format ?? 'another dialect'}, and is a native descriptor now. Undo takes it back.`,
            );
            go({ do: undefined, in: undefined, selected: undefined, file: undefined });
          }}
          onClose={close}
        />
      )}
      {props.saveError !== null && props.saveError !== undefined && (
        <Modal isOpen variant="small" onClose={props.onSaveErrorSeen} aria-labelledby="save-error-title">
          <ModalHeader title="It was not saved" labelId="save-error-title" />
          <ModalBody>
            <ErrorView error={errorBodyOf(props.saveError)} />
            <p className="sf-subtle">Your draft is kept in this browser. Save it again when this is mended.</p>
          </ModalBody>
          <ModalFooter>
            <Button onClick={props.onSaveErrorSeen}>Go on</Button>
          </ModalFooter>
        </Modal>
      )}
    </Suspense>
  );
}

function ImportDialog(props: { readonly onTake: (imported: Imported) => void; readonly onClose: () => void }) {
  const [imported, setImported] = useState<Imported>();
  const read = async (files: readonly SourceFile[]) => {
    if (files.length === 0) return setImported(undefined);
    const { importFiles } = await import('./import-files.ts');
    setImported(await importFiles(files.map(({ path, base64 }) => ({ path, bytes: bytesOf(base64) }))));
  };
  return (
    <Modal isOpen variant="small" onClose={props.onClose} aria-labelledby="import-title">
      <ModalHeader
        title="Import a descriptor"
        labelId="import-title"
        description="In any dialect that is read. It takes the place of what is here; undo brings that back."
      />
      <ModalBody>
        <FileDrop onFiles={(files) => void read(files)} />
        {imported !== undefined && (
          <div data-imported={imported.format}>
            <h3>{imported.format === undefined ? 'Of no dialect that is known' : `It is ${imported.format}`}</h3>
            <ProblemsPanel problems={imported.problems} onProblem={() => {}} />
          </div>
        )}
      </ModalBody>
      <ModalFooter>
        <Button isDisabled={imported?.version === undefined} onClick={() => props.onTake(imported!)}>
          Import
        </Button>
        <Button variant="link" onClick={props.onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Modal>
  );
}
