import { Card, CardBody, CardTitle, PageSection } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useQueriesOf } from '../data/queries.ts';
import { ErrorView } from '../ui/error-view.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { FileDrop } from '../catalogue/file-drop.tsx';
import type { SourceFile } from '../view-model/read-files.ts';
import { bytesOf } from './bytes.ts';
import type { Version } from './core/history.ts';
import { templates } from './templates.ts';

/** Nothing is being designed yet: what one can begin with. */
export function Start(props: {
  readonly onTemplate: (id: string) => void;
  readonly onBegin: (version: Version) => void;
}) {
  const known = useQuery(useQueriesOf().descriptors).data ?? [];
  const names = [...new Set(known.map(({ name }) => name))].toSorted();
  const [refused, setRefused] = useState<string>();
  const take = async (files: readonly SourceFile[]) => {
    if (files.length === 0) return;
    const { importFiles } = await import('./import-files.ts');
    const { version, problems } = await importFiles(
      files.map(({ path, base64 }) => ({ path, bytes: bytesOf(base64) })),
    );
    if (version !== undefined) props.onBegin(version);
    else setRefused(problems[0]?.message ?? 'nothing in it is a descriptor');
  };
  return (
    <>
      <PageHead title="Designer" about="Draw a service, or write it: the graph and the text are one." />
      <PageSection className="sf-section sf-stack" hasBodyWrapper={false}>
        <h2 className="sf-start__title">Begin with</h2>
        <div className="sf-cards">
          {templates.map(({ id, title, about }) => (
            <Card key={id} isCompact className="sf-start__card">
              <CardTitle component="h3">
                <button type="button" data-template={id} onClick={() => props.onTemplate(id)}>
                  {title}
                </button>
              </CardTitle>
              <CardBody>{about}</CardBody>
            </Card>
          ))}
        </div>
        <h2 className="sf-start__title">Or go on with one of the catalogue</h2>
        {names.length === 0 ? (
          <p className="sf-subtle">The catalogue is empty.</p>
        ) : (
          <ul className="sf-links sf-start__names">
            {names.map((name) => (
              <li key={name}>
                <Link to="/designer" search={{ descriptor: name }}>
                  {name}
                </Link>
              </li>
            ))}
          </ul>
        )}
        <h2 className="sf-start__title">Or with a file of any dialect</h2>
        <FileDrop onFiles={(files) => void take(files)} />
        {refused !== undefined && (
          <ErrorView error={{ code: 'SF-DESCRIPTOR-UNRECOGNISED', message: refused }} title="It cannot be read" />
        )}
      </PageSection>
    </>
  );
}
