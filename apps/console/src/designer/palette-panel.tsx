import { Button, SearchInput } from '@patternfly/react-core';
import { FileUploadIcon } from '@patternfly/react-icons/dist/esm/icons/file-upload-icon';
import { useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useQueriesOf } from '../data/queries.ts';
import type { PaletteEntry } from './core/palette.ts';
import { ENTRY } from './graph/graph-view.tsx';

const SHOWN_MAX = 60;

/** What can be added to what is open: drag it onto the graph, or press it. */
export function PalettePanel(props: {
  readonly title: string;
  readonly entries: readonly PaletteEntry[];
  /** Descriptors whose functions can be taken over, when a service is open. */
  readonly withCatalogue: boolean;
  readonly onAdd: (entry: PaletteEntry) => void;
  readonly onAddDescriptor: (id: string) => void;
  readonly onModel: (file: File) => void;
}) {
  const [search, setSearch] = useState('');
  const q = useQueriesOf();
  const known = useQuery({ ...q.descriptors, enabled: props.withCatalogue }).data ?? [];
  const matches = (...texts: readonly (string | undefined)[]) =>
    texts.some((text) => text?.toLowerCase().includes(search.toLowerCase()));
  const entries = props.entries.filter(({ label, about }) => matches(label, about)).slice(0, SHOWN_MAX);
  const newest = new Map(known.toSorted((a, b) => a.createdAt - b.createdAt).map((one) => [one.name, one]));
  const descriptors = props.withCatalogue
    ? [...newest.values()].filter(({ name }) => matches(name)).slice(0, SHOWN_MAX)
    : [];
  const file = useRef<HTMLInputElement>(null);
  return (
    <section className="sf-palette-panel" aria-label="What can be added">
      <SearchInput
        placeholder="Add…"
        aria-label="Search what can be added"
        value={search}
        onChange={(_event, value) => setSearch(value)}
        onClear={() => setSearch('')}
      />
      <div className="sf-palette-panel__list">
        {/* Until its model has come, it has no name. */}
        {props.title !== '' && <h2>{props.title}</h2>}
        <ul>
          {entries.map((entry) => (
            <li key={entry.id}>
              <button
                type="button"
                className="sf-entry"
                draggable
                data-entry={entry.id}
                title={entry.about}
                onDragStart={(event) => event.dataTransfer.setData(ENTRY, entry.id)}
                onClick={() => props.onAdd(entry)}
              >
                <strong>{entry.label}</strong>
                {entry.about !== undefined && <small>{entry.about}</small>}
              </button>
            </li>
          ))}
        </ul>
        {entries.length === 0 && <p className="sf-subtle">Nothing of that name.</p>}
        {descriptors.length > 0 && (
          <>
            <h2>From the catalogue</h2>
            <ul>
              {descriptors.map(({ id, name, version }) => (
                <li key={id}>
                  <button
                    type="button"
                    className="sf-entry"
                    draggable
                    data-entry={`descriptor:${id}`}
                    title={`All functions of ${name} ${version}`}
                    onDragStart={(event) => event.dataTransfer.setData(ENTRY, `descriptor:${id}`)}
                    onClick={() => props.onAddDescriptor(id)}
                  >
                    <strong>{name}</strong>
                    <small>{version.split('+')[0]}</small>
                  </button>
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
      <Button variant="link" icon={<FileUploadIcon />} onClick={() => file.current?.click()}>
        Description model…
      </Button>
      <input
        ref={file}
        type="file"
        accept=".yaml,.yml"
        aria-label="Description model, a YAML file"
        className="sf-offscreen"
        tabIndex={-1}
        onChange={(event) => {
          const [chosen] = event.target.files ?? [];
          if (chosen !== undefined) props.onModel(chosen);
          event.target.value = '';
        }}
      />
    </section>
  );
}
