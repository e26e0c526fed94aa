import { Alert, Button, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import type { Language } from '@superfluidity/language';
import { useMemo, useState } from 'react';
import { hasMarkers, mergeTexts } from './core/merge.ts';
import { readVersion } from './core/reading.ts';
import { CompareEditor } from './editor/compare-editor.tsx';

export interface Conflict {
  readonly base: string;
  readonly theirs: { readonly id: string; readonly version: string; readonly text: string };
}

/** Somebody else has saved: both changes in one text, and what only a person can decide between markers. */
export default function MergeDialog(props: {
  readonly conflict: Conflict;
  readonly mine: string;
  readonly language: Language;
  readonly pending: boolean;
  readonly onSave: (text: string) => void;
  readonly onTheirs: () => void;
  readonly onClose: () => void;
}) {
  const { conflict, mine, language } = props;
  const merged = useMemo(() => mergeTexts(conflict.base, mine, conflict.theirs.text), [conflict, mine]);
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
    : readVersion({ text, language }).problems.filter(({ severity }) => severity === 'error');
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
        description={`${conflict.theirs.version} on the left; on the right it with your changes, which you can edit.`}
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
          language={language}
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
