import {
  Button,
  FormSelect,
  FormSelectOption,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  ToggleGroup,
  ToggleGroupItem,
} from '@patternfly/react-core';
import type { Descriptor } from '@superfluidity/api';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useQueriesOf } from '../data/queries.ts';
import { Ago } from '../ui/facts.tsx';
import { Failure } from '../ui/failure.tsx';
import { differencesOf, type Difference } from './core/compare.ts';
import type { Version } from './core/history.ts';
import { readVersion } from './core/reading.ts';
import { isSame, textIn, versionOf } from './core/tree.ts';
import { CompareEditor } from './editor/compare-editor.tsx';
import { filesOfEntry } from './entry-files.ts';

const NO_DIFFERENCES: ReadonlyMap<string, Difference> = new Map();

/** The versions of the catalogue, and what differs between one of them and the text as it is now. */
export default function VersionsDialog(props: {
  readonly name: string;
  /** As it is now, and of a tree of files the one that is open. */
  readonly version: Version;
  readonly file: string;
  /** The version that is compared with, as the address has it. */
  readonly against: string | undefined;
  readonly onAgainst: (id: string) => void;
  readonly onShowInGraph: (differences: ReadonlyMap<string, Difference>, version: string) => void;
  readonly onTake: (version: Version) => void;
  readonly onClose: () => void;
}) {
  const q = useQueriesOf();
  const all = useQuery(q.descriptors);
  const versions = useMemo(
    () => (all.data ?? []).filter(({ name }) => name === props.name).toSorted((a, b) => b.createdAt - a.createdAt),
    [all.data, props.name],
  );
  const id = props.against ?? versions[0]?.id;
  const other = useQuery({ ...q.descriptor(id ?? ''), enabled: id !== undefined });
  const [view, setView] = useState<'text' | 'list'>('text');
  const { version: now, file } = props;
  const { language } = now;
  const before = useMemo(
    () =>
      other.data === undefined
        ? undefined
        : (versionOf(filesOfEntry(other.data), { language }) ?? { text: other.data.source, language }),
    [other.data, language],
  );
  const isTree = now.others !== undefined && before?.others !== undefined;
  const left = before === undefined ? undefined : isTree ? (textIn(before, file) ?? '') : before.text;
  const right = isTree ? (textIn(now, file) ?? '') : now.text;
  const differences = useMemo(() => {
    if (before === undefined) return NO_DIFFERENCES;
    const [a, b] = [readVersion(before), readVersion(now)];
    return a.service === undefined || b.service === undefined ? NO_DIFFERENCES : differencesOf(a.service, b.service);
  }, [before, now]);
  return (
    <Modal
      isOpen
      variant="large"
      onClose={props.onClose}
      aria-labelledby="versions-title"
      className="sf-merge"
      data-versions={versions.length}
    >
      <ModalHeader
        title={`Versions of ${props.name}`}
        labelId="versions-title"
        description="One of the catalogue on the left, the text as it is now on the right."
      />
      <ModalBody>
        {all.isError && <Failure error={all.error} what="the catalogue" onRetry={() => void all.refetch()} />}
        {all.isSuccess && versions.length === 0 && (
          <p className="sf-subtle">The catalogue has no version yet: save the first.</p>
        )}
        {versions.length > 0 && (
          <>
            <div className="sf-versions__bar">
              <FormSelect aria-label="Version" value={id ?? ''} onChange={(_event, value) => props.onAgainst(value)}>
                {versions.map((one) => (
                  <FormSelectOption key={one.id} value={one.id} label={labelOf(one)} />
                ))}
              </FormSelect>
              {other.data !== undefined && (
                <span className="sf-subtle">
                  <Ago at={other.data.createdAt} />
                </span>
              )}
              <ToggleGroup aria-label="How to compare">
                <ToggleGroupItem
                  text="Text"
                  buttonId="compare-text"
                  isSelected={view === 'text'}
                  onChange={() => setView('text')}
                />
                <ToggleGroupItem
                  text={`Parts (${differences.size})`}
                  buttonId="compare-parts"
                  isSelected={view === 'list'}
                  onChange={() => setView('list')}
                />
              </ToggleGroup>
            </div>
            {left !== undefined && view === 'text' && (
              <CompareEditor left={left} right={right} language={language} labels={[other.data!.version, 'Now']} />
            )}
            {view === 'list' && <DifferenceList of={differences} />}
          </>
        )}
      </ModalBody>
      <ModalFooter>
        <Button
          isDisabled={differences.size === 0}
          onClick={() => props.onShowInGraph(differences, other.data?.version ?? '')}
        >
          Show in the graph
        </Button>
        <Button
          variant="secondary"
          isDisabled={before === undefined || isSame(before, now)}
          onClick={() => props.onTake(before!)}
        >
          Take this version
        </Button>
        <Button variant="link" onClick={props.onClose}>
          Close
        </Button>
      </ModalFooter>
    </Modal>
  );
}

const labelOf = ({ version, operationalState }: Descriptor): string =>
  operationalState === 'ENABLED' ? version : `${version} (disabled)`;

function DifferenceList({ of }: { readonly of: ReadonlyMap<string, Difference> }) {
  if (of.size === 0) return <p className="sf-subtle">Both describe the same service.</p>;
  return (
    <ul className="sf-differences">
      {[...of].map(([key, difference]) => (
        <li key={key} className={`sf-difference--${difference}`}>
          <strong>{difference}</strong>{' '}
          {key
            .replace(/^net:/, 'network ')
            .replace(/^block:/, '')
            .replace(/^chain:/, 'chain ')}
        </li>
      ))}
    </ul>
  );
}
