import type { CallReply, Descriptor, Service } from '@superfluidity/api';
import { Button, Card, CardBody, CardTitle, PageSection } from '@patternfly/react-core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useQueriesOf } from '../data/queries.ts';
import { useClient } from '../data/session.tsx';
import { ActionButton } from '../ui/action-button.tsx';
import { useConfirm } from '../ui/confirm.tsx';
import { Ago, Facts } from '../ui/facts.tsx';
import { Found } from '../ui/found.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { fieldsOf } from '../view-model/config-form.ts';
import { descriptorMay } from '../view-model/permitted.ts';
import { DescriptorLabel } from './catalogue-page.tsx';
import { SourceText } from './source-text.tsx';

const NO_DESCRIPTORS: readonly Descriptor[] = [];
const NO_SERVICES: readonly Service[] = [];

/** One descriptor: its text, its other versions, who uses it, and what can be done with it. */
export function DescriptorPage() {
  const { id } = useParams({ from: '/catalogue/$id' });
  const query = useQuery(useQueriesOf().descriptor(id));
  return (
    <Found query={query} kind="descriptor" name={id} list={{ to: '/catalogue', title: 'The catalogue' }}>
      {(descriptor) => <Shown descriptor={descriptor} />}
    </Found>
  );
}

function Shown({ descriptor }: { readonly descriptor: CallReply<'getDescriptor'> }) {
  const client = useClient();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const confirm = useConfirm();
  const q = useQueriesOf();
  const versions = (useQuery(q.descriptors).data ?? NO_DESCRIPTORS).filter((one) => one.name === descriptor.name);
  const users =
    useQuery({
      queryKey: ['services', 'of', descriptor.id],
      queryFn: async () =>
        (await client.call('listServices', { query: { descriptor: descriptor.id, limit: 50 } })).items,
    }).data ?? NO_SERVICES;
  const form = useQuery(q.inputs({ descriptor: descriptor.id })).data;
  const fields = fieldsOf(form?.schema ?? {});
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
          {fields.length > 0 && (
            <Card>
              <CardTitle component="h2">Inputs</CardTitle>
              <CardBody>
                <Facts
                  of={fields.map((field) => [
                    field.title,
                    field.required
                      ? `needed${field.hidden ? ', a secret' : ''}`
                      : `${field.initial === '' ? 'may be left out' : field.initial}`,
                  ])}
                />
              </CardBody>
            </Card>
          )}
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
        <SourceText text={descriptor.source} name={descriptor.name} />
      </PageSection>
    </>
  );
}
