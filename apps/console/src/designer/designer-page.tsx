import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useQueriesOf } from '../data/queries.ts';
import { Failure } from '../ui/failure.tsx';
import { ErrorView } from '../ui/error-view.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { PageSection } from '@patternfly/react-core';
import { dropDraft, readDraft } from './core/draft.ts';
import type { Version } from './core/history.ts';
import { loadLanguage } from './core/load-language.ts';
import { isLoaded } from './core/others.ts';
import { Designer } from './designer.tsx';
import './styles/workspace.css';
import './styles/palette.css';
import './styles/selection.css';
import './styles/graph.css';
import './styles/text.css';
import './styles/form.css';
import './styles/compare.css';
import './styles/start.css';
import { filesOfEntry } from './entry-files.ts';
import type { Imported } from './import-files.ts';
import { Start } from './start.tsx';
import { templates } from './templates.ts';
import type { Beginning } from './use-design.ts';
import { baseOf } from './use-save.ts';

const NEW = 'new';

/** The designer of one descriptor of the catalogue, of a new one, or the choice of what to begin with. */
export function DesignerPage() {
  const { descriptor, template } = useSearch({ from: '/designer' });
  // What was new, or opened by its id, is the same design when its address has its name.
  const [named, setNamed] = useState<{ readonly was: Source; readonly is: string }>();
  const asked: Source = descriptor === undefined ? { template } : { descriptor };
  const source = named !== undefined && named.is === descriptor ? named.was : asked;
  const onNamed = (is: string) => setNamed({ was: source, is });
  if (source.descriptor !== undefined)
    return <OfCatalogue key={`descriptor ${source.descriptor}`} name={source.descriptor} onNamed={onNamed} />;
  return <OfNew key={`template ${source.template ?? ''}`} template={source.template} onNamed={onNamed} />;
}

interface Source {
  readonly descriptor?: string;
  readonly template?: string | undefined;
}

/** The designer, as soon as what it needs to read the text, or the draft of it, is there. */
function WithLanguage(props: Parameters<typeof Designer>[0]) {
  const { key, version } = props.beginning;
  const [language] = useState(() => readDraft(localStorage, key)?.language ?? version.language);
  const [isReady, setReady] = useState(() => isLoaded(language));
  useEffect(() => {
    if (isReady) return undefined;
    let wanted = true;
    void loadLanguage(language).then(() => {
      if (wanted) setReady(true);
    });
    return () => {
      wanted = false;
    };
  }, [isReady, language]);
  return isReady ? <Designer {...props} /> : <h1 className="sf-offscreen">Designer</h1>;
}

interface Named {
  /** It was saved under this name, which its address has now. */
  readonly onNamed: (name: string) => void;
}

function OfNew({ template, onNamed }: Named & { readonly template: string | undefined }) {
  const navigate = useNavigate({ from: '/designer' });
  const known = templates.find(({ id }) => id === template);
  const [begun, setBegun] = useState<Version | undefined>(() => known ?? readDraft(localStorage, NEW));
  if (begun === undefined)
    return (
      <Start
        onTemplate={(id) => void navigate({ search: { template: id } })}
        onBegin={(version) => {
          dropDraft(localStorage, NEW);
          setBegun(version);
        }}
      />
    );
  return (
    <WithLanguage
      beginning={{ key: NEW, version: begun }}
      onAnother={() => {
        dropDraft(localStorage, NEW);
        setBegun(undefined);
        void navigate({ search: {} });
      }}
      onNamed={onNamed}
    />
  );
}

function OfCatalogue({ name, onNamed }: Named & { readonly name: string }) {
  const q = useQueriesOf();
  const navigate = useNavigate({ from: '/designer' });
  // What was opened stays as it is, however often the catalogue is asked; a newer version is found when this is saved.
  const query = useQuery({ ...q.descriptor(name), refetchOnWindowFocus: false });
  const [beginning, setBeginning] = useState<Beginning>();
  const [unread, setUnread] = useState<Imported>();
  const { data } = query;
  useEffect(() => {
    if (data === undefined || beginning !== undefined) return undefined;
    let wanted = true;
    const begin = (version: Version) => setBeginning({ key: data.name, version, base: baseOf(data.id, version) });
    if (data.format === 'native') begin({ text: data.source, language: 'native' });
    else
      void import('./import-files.ts').then(async ({ importFiles }) => {
        const imported = await importFiles(filesOfEntry(data));
        if (!wanted) return;
        if (imported.version === undefined) setUnread(imported);
        else begin(imported.version);
      });
    return () => {
      wanted = false;
    };
  }, [data, beginning]);
  if (query.isError && beginning === undefined)
    return (
      <Failure
        isPage
        error={query.error}
        what={`descriptor ${name}`}
        onRetry={() => void query.refetch()}
        elsewhere={<Link to="/designer">Begin a new one</Link>}
      />
    );
  if (unread !== undefined && data !== undefined)
    return (
      <>
        <PageHead title={`Designer: ${name}`} parent={{ to: '/catalogue', title: 'Catalogue' }} />
        <PageSection className="sf-section sf-stack" hasBodyWrapper={false} data-failure="unread">
          <ErrorView
            title="It cannot be designed"
            error={{
              code: unread.problems[0]?.code ?? 'SF-DESCRIPTOR-UNRECOGNISED',
              message: `${unread.problems[0]?.message ?? 'nothing in it is a descriptor'}. The catalogue keeps the first file of a package as its text, and this one says too little alone.`,
              hint: 'Import all files of the package in a new design.',
            }}
          />
          <Link to="/designer">Begin a new design</Link>
        </PageSection>
      </>
    );
  if (beginning === undefined) return <h1 className="sf-offscreen">Designer</h1>;
  return (
    <WithLanguage
      beginning={beginning}
      onAnother={() => void navigate({ to: '/designer', search: {} })}
      onNamed={onNamed}
    />
  );
}
