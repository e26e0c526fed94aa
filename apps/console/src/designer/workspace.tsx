import { Alert, Breadcrumb, BreadcrumbItem, Button, ToggleGroup, ToggleGroupItem } from '@patternfly/react-core';
import type { Problem } from '@superfluidity/core';
import type { Path } from '@superfluidity/dialects/languages';
import type { Language } from '@superfluidity/language';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useState } from 'react';
import { useClient } from '../data/session.tsx';
import { useConfirm } from '../ui/confirm.tsx';
import { Later } from '../ui/later.tsx';
import { ClickElementForm } from './click-element-form.tsx';
import type { End } from './core/edits.ts';
import * as operations from './core/operations.ts';
import { mayConnect, type PaletteEntry } from './core/palette.ts';
import type { Compared } from './designer.tsx';
import { DesignGraph } from './design-graph.tsx';
import { DesignText } from './design-text.tsx';
import type { Reveal } from './editor/text-editor.tsx';
import { filesOfEntry } from './entry-files.ts';
import { NemoNodeForm } from './nemo-node-form.tsx';
import { PalettePanel } from './palette-panel.tsx';
import { ProblemsPanel } from './problems-panel.tsx';
import { PropertiesPanel, type Subject } from './properties-panel.tsx';
import { offsetOfLine, placeOf, subjectOf, thingAt } from './subject.ts';
import type { Design } from './use-design.ts';
import { paletteOf, useModel } from './use-model.ts';

const SELECTED_MAX = 20;

/** Palette, graph and text of what is open, and the form of what is selected. */
export function Workspace(props: {
  readonly design: Design;
  readonly compared: Compared | undefined;
  /** Of a tree of files, which one is open. */
  readonly file: string;
  readonly onFile: (path: string) => void;
  readonly reveal: Reveal | undefined;
  readonly onReveal: (reveal: Reveal) => void;
  /** Where the text is of what was selected: its file is in the address already. */
  readonly onShown: (reveal: Reveal) => void;
  readonly onNotice: (words: string | undefined) => void;
  readonly onNotCompared: () => void;
}) {
  const { design, file, onReveal, onShown, onNotice } = props;
  const { drawn, history, dispatch } = design;
  const { language } = history.now;
  const native = drawn?.reading.native;
  const isNative = native !== undefined;
  const search = useSearch({ from: '/designer' });
  const navigate = useNavigate({ from: '/designer' });
  const client = useClient();
  const model = useModel();
  const selected = (search.selected ?? '').split(',').filter(Boolean);
  const [many, setMany] = useState<readonly string[]>([]);
  const chosen = many.length > 0 ? many : selected;
  const [tab, setTab] = useState<'properties' | 'problems'>('properties');
  const [port, setPort] = useState<Subject>();

  const select = useCallback(
    (ids: readonly string[], fromText = false) => {
      const fits = ids.length <= SELECTED_MAX;
      setMany(fits ? [] : ids);
      setPort(undefined);
      const [only, ...others] = ids;
      const thing =
        others.length > 0
          ? undefined
          : [...(drawn?.level.nodes ?? []), ...(drawn?.level.edges ?? [])].find(({ id }) => id === only);
      const range = thing === undefined || drawn === undefined || fromText ? undefined : placeOf(drawn, thing);
      const next = {
        selected: fits && ids.length > 0 ? ids.join(',') : undefined,
        // Its file in the same step: of two, the second would not know of the first.
        ...(range?.file === undefined ? {} : { file: range.file }),
      };
      void navigate({ search: (before) => ({ ...before, ...next }) as never, replace: true });
      if (range !== undefined) onShown(range);
    },
    [navigate, drawn, onShown],
  );
  const open = (path: string, selects?: string) => {
    setMany([]);
    setPort(undefined);
    void navigate({
      search: (before) => ({ ...before, in: path === '' ? undefined : path, selected: selects }) as never,
    });
  };
  const confirm = useConfirm();
  const run = (change: Parameters<Design['edit']>[0]): operations.Done => {
    const done = design.edit(change);
    onNotice('refused' in done ? sentence(done.refused) : undefined);
    if ('refused' in done) return done;
    const { losses = [], text: changed } = done;
    if (losses.length > 0)
      confirm({
        title: 'Some of this is lost',
        body: <LostWords losses={losses} />,
        verb: 'Change it without that',
        danger: true,
        act: () =>
          Promise.resolve(dispatch({ type: 'changed', version: done.version ?? { ...history.now, text: changed } })),
      });
    else if (done.selects !== undefined) select(done.selects, true);
    return done;
  };
  const add = (entry: PaletteEntry) => run((now) => operations.add(now, entry));
  const addDescriptor = async (id: string) => {
    try {
      const entry = await client.call('getDescriptor', { params: { id } });
      const { importFiles } = await import('./import-files.ts');
      const { version } = await importFiles(filesOfEntry(entry));
      const part = version === undefined ? undefined : operations.everything(version);
      if (part === undefined) return onNotice(`${entry.name} cannot be taken apart: its text is no service by itself.`);
      run((now) => operations.pasted(now, part));
    } catch (error) {
      onNotice(error instanceof Error ? error.message : String(error));
    }
  };
  const connect = (from: End, to: End) => {
    const kind = drawn?.level.open.block.kind ?? 'service';
    // Scripts and programs have rules of their own.
    const rules = isNative && drawn?.level.isProgram === false ? model.model : undefined;
    if (rules !== undefined && !mayConnect(rules, kind, from.node.kind, to.node.kind))
      return onNotice(
        `The description model '${rules.name}' has no edge from a ${from.node.kind} to a ${to.node.kind}.`,
      );
    run((now) => operations.connected(now, from, to));
  };
  const bring = async (file: File) => {
    const refused = model.bring(await file.text());
    onNotice(refused === undefined ? undefined : sentence(refused));
  };
  const onCursor = (offset: number) => {
    if (drawn === undefined || design.isStale) return;
    const id = thingAt(drawn, offset, file);
    if (id !== undefined && id !== chosen[0]) select([id], true);
  };
  const openAt: Path = drawn === undefined ? [] : drawn.reading.documentPath(drawn.level.open.at);
  const subject = port ?? (drawn === undefined ? undefined : subjectOf(drawn.level, chosen, openAt));
  const only = chosen.length === 1 ? drawn?.level.nodes.find(({ id }) => id === chosen[0]) : undefined;
  const element = drawn?.level.isProgram === true && only?.kind === 'element' ? only : undefined;
  const entries = drawn === undefined ? [] : paletteOf(model.model, drawn);
  const errors = design.reading.problems.length;

  return (
    <div className="sf-workspace">
      <div className="sf-workspace__palette">
        {drawn !== undefined && (
          <PalettePanel
            title={paletteTitle(language, drawn.level.isProgram, model.model?.name)}
            entries={entries}
            withCatalogue={isNative && drawn.level.open.block.kind === 'service'}
            onAdd={add}
            onAddDescriptor={(id) => void addDescriptor(id)}
            onModel={(file) => void bring(file)}
          />
        )}
        {model.isOwn && (
          <Button variant="link" isInline onClick={model.leave}>
            Back to the usual model
          </Button>
        )}
      </div>
      <div className="sf-workspace__graph">
        {drawn !== undefined && (
          <Breadcrumb className="sf-workspace__crumbs" aria-label="What is open">
            {drawn.level.line.map(({ path, block }, i, line) => (
              <BreadcrumbItem key={path} isActive={i === line.length - 1}>
                {i === line.length - 1 ? (
                  <span data-open={path}>{block.name}</span>
                ) : (
                  <Button variant="link" isInline onClick={() => open(path)}>
                    {block.name}
                  </Button>
                )}
              </BreadcrumbItem>
            ))}
          </Breadcrumb>
        )}
        {props.compared !== undefined && (
          <Alert
            component="h2"
            isInline
            isPlain
            variant="info"
            data-compared={props.compared.of.size}
            title={`Marked: what differs from ${props.compared.version}`}
            actionLinks={
              <Button variant="link" isInline onClick={props.onNotCompared}>
                No marks
              </Button>
            }
          />
        )}
        <DesignGraph
          design={design}
          chosen={chosen}
          compared={props.compared}
          entries={entries}
          model={model.model}
          onSelect={select}
          onOpen={open}
          onConnect={connect}
          onRun={run}
          onNotice={onNotice}
          onAddDescriptor={(id) => void addDescriptor(id)}
          onShowText={(node) => {
            const range = drawn === undefined ? undefined : placeOf(drawn, node);
            if (range !== undefined) onReveal({ ...range });
          }}
        />
      </div>
      <div className="sf-workspace__side">
        <Later>
          <DesignText design={design} file={file} reveal={props.reveal} onFile={props.onFile} onCursor={onCursor} />
          <div className="sf-side">
            <ToggleGroup aria-label="About the design" className="sf-side__choice">
              <ToggleGroupItem
                text="Properties"
                buttonId="side-properties"
                isSelected={tab === 'properties'}
                onChange={() => setTab('properties')}
              />
              <ToggleGroupItem
                text={errors === 0 ? 'Problems' : `Problems (${errors})`}
                buttonId="side-problems"
                isSelected={tab === 'problems'}
                onChange={() => setTab('problems')}
              />
            </ToggleGroup>
            <div
              className="sf-side__body"
              tabIndex={0}
              role="group"
              aria-label={tab === 'properties' ? 'Properties' : 'Problems'}
            >
              {tab === 'problems' ? (
                <ProblemsPanel
                  problems={design.reading.problems}
                  onProblem={({ position }) => {
                    if (position !== undefined) onReveal(offsetOfLine(history.now, position.line, position.file));
                  }}
                />
              ) : element !== undefined && drawn !== undefined ? (
                <ClickElementForm
                  level={drawn.level}
                  name={element.name}
                  onChange={(field, value) => run((now) => operations.configured(now, element.name, field, value))}
                />
              ) : language === 'nemo' && drawn !== undefined && only !== undefined && !design.isStale ? (
                <NemoNodeForm
                  design={drawn}
                  node={only}
                  onRename={(name) => run((now) => operations.renamedNode(now, only, name))}
                  onChange={(field, value) => run((now) => operations.saidOfNode(now, only, field, value))}
                />
              ) : subject === undefined || native === undefined || design.isStale ? (
                <p className="sf-subtle sf-side__words">
                  {design.isStale
                    ? 'The text cannot be read: mend it, and the form is back.'
                    : 'Select one thing to see what it says.'}
                </p>
              ) : (
                <PropertiesPanel
                  text={native}
                  subject={subject}
                  onChange={(path, value) => run((now) => operations.field(now, path, value))}
                  onRename={(at, name) => run((now) => operations.renamed(now, at, name))}
                  onPort={(at) => setPort({ title: `port ${String(at.at(-1))} of ${subject.title}`, at, ports: [] })}
                />
              )}
            </div>
          </div>
        </Later>
      </div>
    </div>
  );
}

function paletteTitle(language: Language, isProgram: boolean, model = ''): string {
  if (isProgram) return 'Click elements';
  return language === 'nemo' ? 'Types of NEMO' : model;
}

/** What a dialect has no words for, before it is gone. */
function LostWords({ losses }: { readonly losses: readonly Problem[] }) {
  return (
    <div data-losses={losses.length}>
      <p>The dialect of this text has no words for a part of the change:</p>
      <ul>
        {losses.map(({ message }, i) => (
          <li key={i}>{message}</li>
        ))}
      </ul>
    </div>
  );
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
