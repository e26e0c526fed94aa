import { Alert, Button, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { useMemo, useState } from 'react';
import type { Version } from './core/history.ts';
import { hasMarkers, mergeTexts } from './core/merge.ts';
import { readVersion } from './core/reading.ts';
import { CompareEditor } from './editor/compare-editor.tsx';

export interface Conflict {
  readonly base: string;
  readonly mine: string;
  /** The design with a text for what both have changed. */
  readonly with: (text: string) => Version;
  /** Of a tree of files: which one. */
  readonly file?: string;
  readonly theirs: { readonly id: string; readonly version: string; readonly text: string };
}

/** Somebody else has saved: both changes in one text, and what only a person can decide between markers. */
export default function MergeDialog(props: {
  readonly conflict: Conflict;
  readonly pending: boolean;
  readonly onSave: (text: string) => void;
  readonly onTheirs: () => void;
  readonly onClose: () => void;
}) {
  const { conflict } = props;
  const merged = useMemo(() => mergeTexts(conflict.base, conflict.mine, conflict.theirs.text), [conflict]);
  const [text, setText] = useState(merged.text);
  const [from, setFrom] = useState(merged);
  // They have saved again meanwhile.
  if (from !== merged) {
    setFrom(merged);
    setText(merged.text);
  }
  const undecided = hasMarkers(text);
  const errors = undecided
    ? []
    : readVersion(conflict.with(text)).problems.filter(({ severity }) => severity === 'error');
  return (
    <Modal
      isOpen
      variant="large"
      onClose={props.onClose}
      aria-labelledby="merge-title"
      className="sf-merge"
      data-merge={merged.conflicts}
    >
      <ModalHeader
        title="Somebody else has saved a version since"
        labelId="merge-title"
        description={`${conflict.file === undefined ? '' : `${conflict.file}: `}${conflict.theirs.version} on the left; on the right it with your changes, which you can edit.`}
      />
      <ModalBody>
        {merged.conflicts > 0 ? (
          <Alert
            component="h2"
            isInline
            variant={undecided ? 'warning' : 'success'}
            title={
              undecided
                ? `${merged.conflicts} ${merged.conflicts === 1 ? 'place was' : 'places were'} changed by both: keep what is right, and take the markers away`
                : 'Everything is decided'
            }
          />
        ) : (
          <Alert
            component="h2"
            isInline
            variant="info"
            title="The changes do not touch each other: both are in the text"
          />
        )}
        {errors.length > 0 && (
          <Alert component="h2" isInline variant="danger" title={`The text has errors: ${errors[0]!.message}`} />
        )}
        <CompareEditor
          left={conflict.theirs.text}
          right={text}
          language={conflict.with(text).language}
          labels={[`Theirs, ${conflict.theirs.version}`, 'Both']}
          onChange={setText}
        />
      </ModalBody>
      <ModalFooter>
        <Button isDisabled={undecided || props.pending} isLoading={props.pending} onClick={() => props.onSave(text)}>
          Save both
        </Button>
        <Button variant="secondary" onClick={props.onTheirs}>
          Take theirs, drop mine
        </Button>
        <Button variant="link" onClick={props.onClose}>
          Go on with mine
        </Button>
      </ModalFooter>
    </Modal>
  );
}
