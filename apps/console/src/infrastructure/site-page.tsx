import { Card, CardBody, CardTitle, Label, PageSection } from '@patternfly/react-core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useQueriesOf } from '../data/queries.ts';
import { useClient } from '../data/session.tsx';
import { SiteCard } from '../sites/sites-panel.tsx';
import { ActionButton } from '../ui/action-button.tsx';
import { useConfirm } from '../ui/confirm.tsx';
import { ErrorView } from '../ui/error-view.tsx';
import { Failure } from '../ui/failure.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { siteMay } from '../view-model/permitted.ts';
import { HostTable } from './host-table.tsx';
import { LinkForm } from './link-form.tsx';

/** One site: what it is, can and has, and each of its hosts. */
export function SitePage() {
  const { site: name } = useParams({ from: '/infrastructure/$site' });
  const search = useSearch({ from: '/infrastructure/$site' });
  const navigate = useNavigate({ from: '/infrastructure/$site' });
  const ask = (what: string | undefined) => void navigate({ search: (before) => ({ ...before, do: what }) as never });
  const client = useClient();
  const cache = useQueryClient();
  const confirm = useConfirm();
  const q = useQueriesOf();
  const query = useQuery(q.site(name));
  const links = useQuery(q.links).data ?? [];
  if (query.isError) {
    return (
      <Failure
        isPage
        error={query.error}
        what={`site ${name}`}
        onRetry={() => void query.refetch()}
        elsewhere={<Link to="/infrastructure">All sites</Link>}
      />
    );
  }
  const site = query.data;
  if (site === undefined) return <h1 className="sf-offscreen">{name}</h1>;
  return (
    <>
      <PageHead
        title={site.name}
        parent={{ to: '/infrastructure', title: 'Infrastructure' }}
        beside={
          <Label isCompact color={site.healthy ? 'green' : 'red'}>
            {site.healthy ? 'healthy' : 'not healthy'}
          </Label>
        }
        actions={
          <>
            <ActionButton variant="secondary" onClick={() => ask('link')}>
              Link…
            </ActionButton>
            <ActionButton
              variant="secondary"
              isDanger
              permission={siteMay('remove', site)}
              onClick={() =>
                confirm({
                  title: `Remove the site ${site.name}?`,
                  body: `Everything that the driver made on its ${site.hostCount} hosts is removed, and so are its pools and its links.`,
                  verb: 'Remove',
                  danger: true,
                  act: async () => {
                    await client.call('removeSite', { params: { name: site.name } });
                    await navigate({ to: '/infrastructure' });
                    await cache.invalidateQueries({ queryKey: ['sites'] });
                  },
                })
              }
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
        <div className="sf-tall">
          <HostTable site={site.name} />
        </div>
      </PageSection>
    </>
  );
}
