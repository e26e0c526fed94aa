import type { SiteDetail } from '@superfluidity/api';
import { Card, CardBody, CardTitle, PageSection } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useQueriesOf } from '../data/queries.ts';
import { SiteCard } from '../sites/sites-panel.tsx';
import { ActionButton } from '../ui/action-button.tsx';
import { ErrorView } from '../ui/error-view.tsx';
import { Found } from '../ui/found.tsx';
import { HealthLabel } from '../ui/labels.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { siteMay } from '../view-model/permitted.ts';
import { HostTable } from './host-table.tsx';
import { LinkForm } from './link-form.tsx';
import { SiteDescription } from './site-description.tsx';
import { SiteStorage } from './site-storage.tsx';
import { useRemoveSite } from './use-remove-site.ts';

/** One site: what it is, can and has, and each of its hosts. */
export function SitePage() {
  const { site: name } = useParams({ from: '/infrastructure/$site' });
  const query = useQuery(useQueriesOf().site(name));
  return (
    <Found query={query} kind="site" name={name} list={{ to: '/infrastructure', title: 'All sites' }}>
      {(site) => <Shown site={site} />}
    </Found>
  );
}

function Shown({ site }: { readonly site: SiteDetail }) {
  const search = useSearch({ from: '/infrastructure/$site' });
  const navigate = useNavigate({ from: '/infrastructure/$site' });
  const ask = (what: string | undefined) => void navigate({ search: (before) => ({ ...before, do: what }) as never });
  const links = useQuery(useQueriesOf().links).data ?? [];
  const remove = useRemoveSite();
  return (
    <>
      <PageHead
        title={site.name}
        parent={{ to: '/infrastructure', title: 'Infrastructure' }}
        beside={<HealthLabel healthy={site.healthy} />}
        actions={
          <>
            <ActionButton
              variant="secondary"
              onClick={() => void navigate({ to: '/infrastructure', search: { tab: 'racks', site: site.name } })}
            >
              Racks
            </ActionButton>
            <ActionButton variant="secondary" onClick={() => ask('link')}>
              Link…
            </ActionButton>
            <ActionButton
              variant="secondary"
              isDanger
              permission={siteMay('remove', site)}
              onClick={() => remove(site, () => navigate({ to: '/infrastructure' }))}
            >
              Remove
            </ActionButton>
          </>
        }
      />
      {search.do === 'link' && <LinkForm site={site.name} onClose={() => ask(undefined)} />}
      <PageSection className="sf-section sf-stack" hasBodyWrapper={false}>
        {site.error !== undefined && <ErrorView error={site.error} title="The site has a problem" />}
        <Card>
          <CardTitle component="h2">About it</CardTitle>
          <CardBody>
            <SiteCard site={site} links={links} withoutHosts />
          </CardBody>
        </Card>
        {site.storage !== undefined && site.storage.length > 0 && <SiteStorage storage={site.storage} />}
        <SiteDescription site={site} />
        <div className="sf-tall">
          <HostTable site={site.name} />
        </div>
      </PageSection>
    </>
  );
}
