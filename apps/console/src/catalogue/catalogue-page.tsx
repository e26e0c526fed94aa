import type { Descriptor } from '@superfluidity/api';
import { Label, PageSection } from '@patternfly/react-core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useQueriesOf } from '../data/queries.ts';
import { useClient } from '../data/session.tsx';
import { Dialog } from '../service/dialog.tsx';
import { ActionButton } from '../ui/action-button.tsx';
import { Empty } from '../ui/empty.tsx';
import { Ago } from '../ui/facts.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { anyOf, type Column, type Filter } from '../list/column.ts';
import { ResourceTable } from '../list/resource-table.tsx';
import type { SourceFile } from '../view-model/read-files.ts';
import { FileDrop } from './file-drop.tsx';

export function DescriptorLabel({ of: { onboardingState, operationalState } }: { readonly of: Descriptor }) {
  if (onboardingState !== 'ONBOARDED')
    return (
      <Label isCompact color="orange">
        {onboardingState.toLowerCase()}
      </Label>
    );
  return operationalState === 'ENABLED' ? (
    <Label isCompact color="green">
      enabled
    </Label>
  ) : (
    <Label isCompact color="grey">
      disabled
    </Label>
  );
}

const columns: readonly Column<Descriptor>[] = [
  {
    title: 'Name',
    sort: 'name',
    width: 25,
    cell: (one) => (
      <Link to="/catalogue/$id" params={{ id: one.id }}>
        {one.name}
      </Link>
    ),
  },
  { title: 'State', width: 15, cell: (one) => <DescriptorLabel of={one} /> },
  { title: 'Version', sort: 'version', from: 'medium', cell: (one) => one.version },
  { title: 'Format', sort: 'format', from: 'medium', cell: (one) => one.format },
  { title: 'Use', cell: (one) => (one.usageState === 'IN_USE' ? 'in use' : 'not in use') },
  { title: 'Since', sort: 'createdAt', from: 'wide', cell: (one) => <Ago at={one.createdAt} /> },
];

const states: readonly Filter[] = [
  {
    name: 'operationalState',
    title: 'State',
    options: [
      ['ENABLED', 'enabled'],
      ['DISABLED', 'disabled'],
    ],
  },
  {
    name: 'usageState',
    title: 'Use',
    options: [
      ['IN_USE', 'in use'],
      ['NOT_IN_USE', 'not in use'],
    ],
  },
];

export function CataloguePage() {
  const search = useSearch({ from: '/catalogue' });
  const navigate = useNavigate({ from: '/catalogue' });
  const formats = useQuery(useQueriesOf().system).data?.formats ?? [];
  const onboarding = (on: boolean) =>
    void navigate({ search: (before) => ({ ...before, do: on ? 'onboard' : undefined }) as never });
  return (
    <>
      <PageHead title="Catalogue" about="Descriptors from which services are made, in all versions." />
      <PageSection isFilled className="sf-fill" hasBodyWrapper={false}>
        <ResourceTable
          label="Descriptors"
          list="listDescriptors"
          keyOf={(one) => one.id}
          columns={columns}
          filters={[...states, anyOf('format', 'Format', formats)]}
          firstSort="name"
          searchWords="Name or id"
          actions={<ActionButton onClick={() => onboarding(true)}>Onboard…</ActionButton>}
          empty={
            <Empty title="The catalogue is empty" command="superfluidity descriptor add service.yaml">
              Onboard a descriptor by dropping its file, or in a terminal by
            </Empty>
          }
        />
      </PageSection>
      {search.do === 'onboard' && (
        <OnboardDialog
          onClose={() => onboarding(false)}
          onDone={(id) => void navigate({ to: '/catalogue/$id', params: { id } })}
        />
      )}
    </>
  );
}

function OnboardDialog(props: { readonly onClose: () => void; readonly onDone: (id: string) => void }) {
  const client = useClient();
  const [files, setFiles] = useState<readonly SourceFile[]>([]);
  const add = useMutation({
    mutationFn: () => client.call('addDescriptor', { body: { files: [...files] } }),
    onSuccess: (made) => props.onDone(made.id),
  });
  return (
    <Dialog
      title="Onboard a descriptor"
      description="It is read and checked first. What is wrong is named with its line, and nothing is kept then."
      verb="Onboard"
      disabled={files.length === 0}
      pending={add.isPending}
      error={add.error}
      onSubmit={() => add.mutate()}
      onClose={props.onClose}
    >
      <FileDrop onFiles={setFiles} />
    </Dialog>
  );
}
