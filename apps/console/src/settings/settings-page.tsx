import { PageSection } from '@patternfly/react-core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { NoSites } from '../infrastructure/no-sites.tsx';
import { siteColumns, useSiteFilters } from '../infrastructure/site-columns.tsx';
import { useRemoveSite } from '../infrastructure/use-remove-site.ts';
import { ResourceTable } from '../list/resource-table.tsx';
import { ActionButton } from '../ui/action-button.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { settingsParts } from '../view-model/page-parts.ts';
import { PageTabs, TAB_CONTENT, tabOf } from '../ui/page-tabs.tsx';
import { siteMay } from '../view-model/permitted.ts';
import { CreateToken } from './create-token.tsx';
import { Secrets } from './secrets.tsx';
import { SetSecret } from './set-secret.tsx';
import { SiteForm } from './site-form.tsx';
import { Tokens } from './tokens.tsx';
import { UserDialogs } from './user-dialogs.tsx';
import { Users } from './users.tsx';
import { OwnPassword, You } from './you.tsx';

export function SettingsPage() {
  const search = useSearch({ from: '/settings' });
  const navigate = useNavigate({ from: '/settings' });
  const tab = tabOf(settingsParts, search.tab);
  const ask = (what: string | undefined, of?: string) =>
    void navigate({ search: (before) => ({ ...before, do: what, of }) as never });
  return (
    <>
      <PageHead title="Settings" about="Who may use this control plane, and which sites it has." />
      <PageTabs label="Parts of the settings" tabs={settingsParts} now={tab} />
      <PageSection id={TAB_CONTENT} isFilled className="sf-fill" hasBodyWrapper={false}>
        {tab === 'tokens' && <Tokens onCreate={() => ask('create')} />}
        {tab === 'users' && <Users onDo={ask} />}
        {tab === 'secrets' && <Secrets onSet={(of) => ask('set', of)} />}
        {tab === 'sites' && <Sites onAdd={() => ask('add')} />}
        {tab === 'you' && <You onPassword={() => ask('password')} />}
      </PageSection>
      {tab === 'tokens' && search.do === 'create' && <CreateToken onClose={() => ask(undefined)} />}
      {tab === 'users' && <UserDialogs asked={search.do} of={search.of} onClose={() => ask(undefined)} />}
      {tab === 'secrets' && search.do === 'set' && <SetSecret of={search.of} onClose={() => ask(undefined)} />}
      {tab === 'sites' && search.do === 'add' && <SiteForm onClose={() => ask(undefined)} />}
      {tab === 'you' && search.do === 'password' && <OwnPassword onClose={() => ask(undefined)} />}
    </>
  );
}

function Sites({ onAdd }: { readonly onAdd: () => void }) {
  const remove = useRemoveSite();
  return (
    <ResourceTable
      label="Sites"
      list="listSites"
      keyOf={(one) => one.name}
      columns={siteColumns}
      filters={useSiteFilters()}
      firstSort="name"
      actions={<ActionButton onClick={onAdd}>Add…</ActionButton>}
      rowActions={(site) => (
        <ActionButton
          variant="secondary"
          isDanger
          size="sm"
          aria-label={`Remove ${site.name}`}
          permission={siteMay('remove', site)}
          onClick={() => remove(site)}
        >
          Remove
        </ActionButton>
      )}
      empty={<NoSites />}
    />
  );
}
