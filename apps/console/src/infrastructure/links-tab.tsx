import type { Site, SiteLink } from '@superfluidity/api';
import { Alert } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useQueriesOf } from '../data/queries.ts';
import { anyOf, type Column } from '../list/column.ts';
import { ResourceTable } from '../list/resource-table.tsx';
import { SitePlanPanel } from '../sites/site-plan.tsx';
import { ActionButton } from '../ui/action-button.tsx';
import { Empty } from '../ui/empty.tsx';
import { Failure } from '../ui/failure.tsx';
import { formatBandwidth, formatMs, formatPercent } from '../view-model/format.ts';
import { LinkForm } from './link-form.tsx';

const NO_SITES: readonly Site[] = [];
const NO_LINKS: readonly SiteLink[] = [];

const columns: readonly Column<SiteLink>[] = [
  { title: 'Between', sort: 'name', cell: ({ a, b }) => `${a} – ${b}` },
  { title: 'One way', sort: 'latencyMs', cell: ({ latencyMs }) => formatMs(latencyMs) },
  { title: 'Jitter', sort: 'jitterMs', from: 'medium', cell: ({ jitterMs }) => formatMs(jitterMs) },
  {
    title: 'Bandwidth',
    sort: 'bandwidthMbps',
    from: 'medium',
    cell: ({ bandwidthMbps }) => formatBandwidth(bandwidthMbps),
  },
  { title: 'Loss', sort: 'loss', from: 'wide', cell: ({ loss }) => formatPercent(loss) },
];

/** What lies between the sites, as a plan and as a list, and how it is changed. */
export function LinksTab() {
  const q = useQueriesOf();
  const sites = useQuery(q.sites).data ?? NO_SITES;
  const query = useQuery(q.links);
  const links = query.data ?? NO_LINKS;
  const [started, setStarted] = useState<string>();
  const [edited, setEdited] = useState<{ readonly site: string; readonly other?: string }>();
  if (query.isError) return <Failure error={query.error} what="the links" onRetry={() => void query.refetch()} />;
  return (
    <div className="sf-stack">
      <SitePlanPanel sites={sites} links={links} />
      <div className="sf-links__list">
        <ResourceTable
          label="Links between sites"
          list="listLinks"
          keyOf={({ a, b }) => `${a}-${b}`}
          columns={columns}
          filters={[
            anyOf(
              'site',
              'Site',
              sites.map(({ name }) => name),
            ),
          ]}
          firstSort="name"
          searchWords="Site"
          rowActions={({ a, b }) => (
            <ActionButton
              variant="secondary"
              size="sm"
              aria-label={`Change the link between ${a} and ${b}`}
              onClick={() => setEdited({ site: a, other: b })}
            >
              Change…
            </ActionButton>
          )}
          empty={
            <Empty title="No links yet" command="superfluidity site link edge core --latency 10">
              Without a link between two sites no chain goes from one to the other.
            </Empty>
          }
        />
      </div>
      {sites.length > 1 && (
        <div>
          <ActionButton variant="secondary" onClick={() => setEdited({ site: sites[0]!.name })}>
            Link…
          </ActionButton>
        </div>
      )}
      {started !== undefined && (
        <Alert
          isInline
          variant="info"
          component="h2"
          title="The link is being changed"
          actionLinks={
            <Link to="/operations/$id" params={{ id: started }}>
              Watch the operation
            </Link>
          }
        />
      )}
      {edited !== undefined && <LinkForm {...edited} onStarted={setStarted} onClose={() => setEdited(undefined)} />}
    </div>
  );
}
