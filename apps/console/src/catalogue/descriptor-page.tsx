import type { Descriptor, Service } from '@superfluidity/api';
import {
  Button,
  Card,
  CardBody,
  CardTitle,
  ClipboardCopyButton,
  CodeBlock,
  CodeBlockAction,
  CodeBlockCode,
  PageSection,
} from '@patternfly/react-core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useQueriesOf } from '../data/queries.ts';
import { useClient } from '../data/session.tsx';
import { ActionButton } from '../ui/action-button.tsx';
import { useConfirm } from '../ui/confirm.tsx';
import { Ago, Facts } from '../ui/facts.tsx';
import { Failure } from '../ui/failure.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { descriptorMay } from '../view-model/permitted.ts';
import { DescriptorLabel } from './catalogue-page.tsx';

const NO_DESCRIPTORS: readonly Descriptor[] = [];
const NO_SERVICES: readonly Service[] = [];
const SOURCE_SHOWN = 200_000;

/** One descriptor: its text, its other versions, who uses it, and what can be done with it. */
export function DescriptorPage() {
  const { id } = useParams({ from: '/catalogue/$id' });
  const client = useClient();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const confirm = useConfirm();
  const q = useQueriesOf();
  const query = useQuery(q.descriptor(id));
  const versions = (useQuery(q.descriptors).data ?? NO_DESCRIPTORS).filter((one) => one.name === query.data?.name);
  const users =
    useQuery({
      queryKey: ['services', 'of', id],
      queryFn: async () =>
        (await client.call('listServices', { query: { descriptor: query.data!.id, limit: 50 } })).items,
      enabled: query.isSuccess,
    }).data ?? NO_SERVICES;
  if (query.isError) {
    return (
      <Failure
        isPage
        error={query.error}
        what={`descriptor ${id}`}
        onRetry={() => void query.refetch()}
        elsewhere={<Link to="/catalogue">The catalogue</Link>}
      />
    );
  }
  const descriptor = query.data;
  if (descriptor === undefined) return <h1 className="sf-offscreen">{id}</h1>;
  const enabled = descriptor.operationalState === 'ENABLED';
  const refresh = () =>
    Promise.all([
      cache.invalidateQueries({ queryKey: ['descriptor'] }),
      cache.invalidateQueries({ queryKey: ['descriptors'] }),
    ]);
  const setState = async () => {
    const operationalState = enabled ? 'DISABLED' : 'ENABLED';
    await client.call('setDescriptorState', { params: { id: descriptor.id }, body: { operationalState } });
    await refresh();
  };
  return (
    <>
      <PageHead
        title={descriptor.name}
        parent={{ to: '/catalogue', title: 'Catalogue' }}
        beside={<DescriptorLabel of={descriptor} />}
        actions={
          <>
            <ActionButton
              permission={descriptorMay('deploy', descriptor)}
              onClick={() => void navigate({ to: '/deploy', search: { descriptor: descriptor.id } })}
            >
              Plan…
            </ActionButton>
            <Button
              variant="secondary"
              onClick={() => void navigate({ to: '/designer', search: { descriptor: descriptor.id } })}
            >
              Design…
            </Button>
            <ActionButton
              variant="secondary"
              onClick={() =>
                confirm({
                  title: `${enabled ? 'Disable' : 'Enable'} ${descriptor.name}?`,
                  body: enabled
                    ? 'No further service can be made from it. Those that run go on.'
                    : 'Services can be made from it again, and the pools for its units begin to fill.',
                  verb: enabled ? 'Disable' : 'Enable',
                  danger: enabled,
                  act: setState,
                })
              }
            >
              {enabled ? 'Disable' : 'Enable'}
            </ActionButton>
            <ActionButton
              variant="secondary"
              isDanger
              permission={descriptorMay('delete', descriptor)}
              onClick={() =>
                confirm({
                  title: `Delete ${descriptor.name} ${descriptor.version}?`,
                  body: 'Its text is lost. Services cannot be made from it any more, not even the ones that were before.',
                  verb: 'Delete',
                  danger: true,
                  act: async () => {
                    await client.call('removeDescriptor', { params: { id: descriptor.id } });
                    await navigate({ to: '/catalogue' });
                    await cache.invalidateQueries({ queryKey: ['descriptors'] });
                  },
                })
              }
            >
              Delete
            </ActionButton>
          </>
        }
      />
      <PageSection className="sf-section sf-stack" hasBodyWrapper={false}>
        <div className="sf-cards">
          <Card>
            <CardTitle component="h2">About it</CardTitle>
            <CardBody>
              <Facts
                of={[
                  ['Id', <code key="id">{descriptor.id}</code>],
                  ['Version', descriptor.version],
                  ['Format', descriptor.format],
                  ['Since', <Ago key="since" at={descriptor.createdAt} />],
                ]}
              />
            </CardBody>
          </Card>
          <Card>
            <CardTitle component="h2">Used by</CardTitle>
            <CardBody>
              {users.length === 0 ? (
                <p className="sf-subtle">No service was made from it.</p>
              ) : (
                <ul className="sf-links">
                  {users.map((one) => (
                    <li key={one.name}>
                      <Link to="/services/$name" params={{ name: one.name }}>
                        {one.name}
                      </Link>
                    </li>
                  ))}
                </ul>
              )}
            </CardBody>
          </Card>
          <Card>
            <CardTitle component="h2">Versions</CardTitle>
            <CardBody>
              <ul className="sf-links">
                {versions.map((one) => (
                  <li key={one.id}>
                    {one.id === descriptor.id ? (
                      <strong aria-current="page">{one.version}</strong>
                    ) : (
                      <Link to="/catalogue/$id" params={{ id: one.id }}>
                        {one.version}
                      </Link>
                    )}{' '}
                    <DescriptorLabel of={one} />
                  </li>
                ))}
              </ul>
            </CardBody>
          </Card>
        </div>
        <Source text={descriptor.source} name={descriptor.name} />
      </PageSection>
    </>
  );
}

function Source({ text, name }: { readonly text: string; readonly name: string }) {
  const [copied, setCopied] = useState(false);
  const shown = text.slice(0, SOURCE_SHOWN);
  return (
    <Card>
      <CardTitle component="h2">Text</CardTitle>
      <CardBody>
        <CodeBlock
          actions={
            <CodeBlockAction>
              <ClipboardCopyButton
                id="copy-source"
                aria-label={`Copy the text of ${name}`}
                onClick={() => {
                  void navigator.clipboard.writeText(text);
                  setCopied(true);
                }}
                onTooltipHidden={() => setCopied(false)}
                variant="plain"
              >
                {copied ? 'Copied' : 'Copy'}
              </ClipboardCopyButton>
            </CodeBlockAction>
          }
        >
          <CodeBlockCode id="source">{shown}</CodeBlockCode>
        </CodeBlock>
        {shown.length < text.length && (
          <p className="sf-subtle">
            The first {SOURCE_SHOWN} of {text.length} characters.{' '}
            <Button variant="link" isInline onClick={() => void navigator.clipboard.writeText(text)}>
              Copy all
            </Button>
          </p>
        )}
      </CardBody>
    </Card>
  );
}
