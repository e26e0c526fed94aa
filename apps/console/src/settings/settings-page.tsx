import type { Token } from '@superfluidity/api';
import {
  ClipboardCopy,
  FormGroup,
  FormSelect,
  FormSelectOption,
  Label,
  PageSection,
  Tab,
  Tabs,
  TabTitleText,
  TextInput,
} from '@patternfly/react-core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useQueriesOf } from '../data/queries.ts';
import { useClient } from '../data/session.tsx';
import { siteColumns, siteFilters } from '../infrastructure/infrastructure-page.tsx';
import { Dialog } from '../service/dialog.tsx';
import { ActionButton } from '../ui/action-button.tsx';
import { useConfirm } from '../ui/confirm.tsx';
import { Empty } from '../ui/empty.tsx';
import { Ago } from '../ui/facts.tsx';
import { PageHead } from '../ui/page-head.tsx';
import type { Column } from '../list/column.ts';
import { ResourceTable } from '../list/resource-table.tsx';
import { siteMay, tokenMay } from '../view-model/permitted.ts';
import { SiteForm } from './site-form.tsx';

const tabs = { tokens: 'Tokens', sites: 'Sites' } as const;

export function SettingsPage() {
  const search = useSearch({ from: '/settings' });
  const navigate = useNavigate({ from: '/settings' });
  const tab = search.tab === 'sites' ? 'sites' : 'tokens';
  const ask = (what: string | undefined) => void navigate({ search: (before) => ({ ...before, do: what }) as never });
  return (
    <>
      <PageHead title="Settings" about="Who may use this control plane, and which sites it has." />
      <PageSection type="tabs" className="sf-tabs" hasBodyWrapper={false}>
        <Tabs
          activeKey={tab}
          onSelect={(_event, key) => void navigate({ search: { tab: String(key) } })}
          aria-label="Parts of the settings"
          component="nav"
        >
          {Object.entries(tabs).map(([name, title]) => (
            <Tab
              key={name}
              eventKey={name}
              tabContentId="tab-content"
              title={<TabTitleText>{title}</TabTitleText>}
              href={`/settings?tab=${name}`}
              onClick={(event) => event.preventDefault()}
            />
          ))}
        </Tabs>
      </PageSection>
      <PageSection id="tab-content" isFilled className="sf-fill" hasBodyWrapper={false}>
        {tab === 'tokens' ? <Tokens onCreate={() => ask('create')} /> : <Sites onAdd={() => ask('add')} />}
      </PageSection>
      {tab === 'tokens' && search.do === 'create' && <CreateToken onClose={() => ask(undefined)} />}
      {tab === 'sites' && search.do === 'add' && <SiteForm onClose={() => ask(undefined)} />}
    </>
  );
}

const tokenColumns: readonly Column<Token>[] = [
  { title: 'Name', sort: 'name', width: 30, cell: (one) => <strong>{one.name}</strong> },
  {
    title: 'Role',
    sort: 'role',
    cell: (one) => (
      <Label isCompact color={one.role === 'admin' ? 'purple' : 'blue'}>
        {one.role}
      </Label>
    ),
  },
  { title: 'Since', sort: 'createdAt', cell: (one) => <Ago at={one.createdAt} /> },
  { title: 'Id', from: 'wide', cell: (one) => <code>{one.id}</code> },
];

function Tokens({ onCreate }: { readonly onCreate: () => void }) {
  const client = useClient();
  const cache = useQueryClient();
  const confirm = useConfirm();
  const q = useQueriesOf();
  const mine = useQuery(q.me).data?.name;
  const all = useQuery(q.tokens).data ?? [];
  return (
    <ResourceTable
      label="Tokens"
      list="listTokens"
      keyOf={(one) => one.id}
      columns={tokenColumns}
      filters={[
        {
          name: 'role',
          title: 'Role',
          options: [
            ['admin', 'admin'],
            ['reader', 'reader'],
          ],
        },
      ]}
      firstSort="createdAt"
      searchWords="Name"
      actions={<ActionButton onClick={onCreate}>Create…</ActionButton>}
      rowActions={(token) => (
        <ActionButton
          variant="secondary"
          isDanger
          size="sm"
          aria-label={`Revoke ${token.name}`}
          permission={tokenMay(token, all, mine)}
          onClick={() =>
            confirm({
              title: `Revoke ${token.name}?`,
              body: 'Whoever uses it is shut out within seconds. It cannot be made valid again.',
              verb: 'Revoke',
              danger: true,
              act: async () => {
                await client.call('revokeToken', { params: { name: token.name } });
                await cache.invalidateQueries({ queryKey: ['tokens'] });
              },
            })
          }
        >
          Revoke
        </ActionButton>
      )}
      empty={<Empty title="No tokens" />}
    />
  );
}

function CreateToken({ onClose }: { readonly onClose: () => void }) {
  const client = useClient();
  const cache = useQueryClient();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Token['role']>('reader');
  const create = useMutation({
    mutationFn: () => client.call('createToken', { body: { name, role } }),
    onSuccess: () => void cache.invalidateQueries({ queryKey: ['tokens'] }),
  });
  return (
    <Dialog
      title={create.data === undefined ? 'Create a token' : `The token ${create.data.name}`}
      description={
        create.data === undefined
          ? 'A reader sees everything and changes nothing. An admin may do everything.'
          : 'This is the only time that it is shown: the control plane keeps its hash alone.'
      }
      verb={create.data === undefined ? 'Create' : 'Done'}
      disabled={name === ''}
      pending={create.isPending}
      error={create.error}
      onSubmit={() => (create.data === undefined ? create.mutate() : onClose())}
      onClose={onClose}
    >
      {create.data === undefined ? (
        <>
          <FormGroup label="Name" fieldId="token-name">
            <TextInput
              id="token-name"
              value={name}
              pattern="[a-z0-9]([a-z0-9\-]*[a-z0-9])?"
              onChange={(_event, value) => setName(value)}
            />
            <p className="sf-form__note">Lower-case letters, digits and hyphens: ci-pipeline</p>
          </FormGroup>
          <FormGroup label="Role" fieldId="token-role">
            <FormSelect
              id="token-role"
              value={role}
              onChange={(_event, value) => setRole(value === 'admin' ? 'admin' : 'reader')}
            >
              <FormSelectOption value="reader" label="reader: sees everything" />
              <FormSelectOption value="admin" label="admin: may do everything" />
            </FormSelect>
          </FormGroup>
        </>
      ) : (
        <ClipboardCopy isReadOnly isCode hoverTip="Copy" clickTip="Copied" textAriaLabel="Secret of the token">
          {create.data.secret}
        </ClipboardCopy>
      )}
    </Dialog>
  );
}

function Sites({ onAdd }: { readonly onAdd: () => void }) {
  const client = useClient();
  const cache = useQueryClient();
  const confirm = useConfirm();
  return (
    <ResourceTable
      label="Sites"
      list="listSites"
      keyOf={(one) => one.name}
      columns={siteColumns}
      filters={siteFilters}
      firstSort="name"
      actions={<ActionButton onClick={onAdd}>Add…</ActionButton>}
      rowActions={(site) => (
        <ActionButton
          variant="secondary"
          isDanger
          size="sm"
          aria-label={`Remove ${site.name}`}
          permission={siteMay('remove', site)}
          onClick={() =>
            confirm({
              title: `Remove the site ${site.name}?`,
              body: `Everything that the driver made on its ${site.hostCount} hosts is removed, and so are its pools and its links.`,
              verb: 'Remove',
              danger: true,
              act: async () => {
                await client.call('removeSite', { params: { name: site.name } });
                await cache.invalidateQueries({ queryKey: ['sites'] });
              },
            })
          }
        >
          Remove
        </ActionButton>
      )}
      empty={
        <Empty title="No sites yet" command="superfluidity site add edge --kind linux">
          A site is a place where units can run: this machine, or a cloud.
        </Empty>
      }
    />
  );
}
