import type { Site, SiteLink } from '@superfluidity/api';
import { Alert } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useQueriesOf } from '../data/queries.ts';
import { SitePlanPanel } from '../sites/site-plan.tsx';
import { ActionButton } from '../ui/action-button.tsx';
import { Empty } from '../ui/empty.tsx';
import { Failure } from '../ui/failure.tsx';
import { formatBandwidth, formatMs, formatPercent } from '../view-model/format.ts';
import { LinkForm } from './link-form.tsx';

const NO_SITES: readonly Site[] = [];
const NO_LINKS: readonly SiteLink[] = [];

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
      {query.isSuccess && links.length === 0 ? (
        <Empty title="No links yet" command="superfluidity site link edge core --latency 10">
          Without a link between two sites no chain goes from one to the other.
        </Empty>
      ) : (
        <div className="sf-list sf-list--short">
          <Table variant="compact" gridBreakPoint="" aria-label="Links between sites">
            <Thead>
              <Tr>
                <Th>Between</Th>
                <Th>One way</Th>
                <Th className="sf-from-medium">Jitter</Th>
                <Th className="sf-from-medium">Bandwidth</Th>
                <Th className="sf-from-wide">Loss</Th>
                <Th screenReaderText="Actions" />
              </Tr>
            </Thead>
            <Tbody>
              {links.map(({ a, b, latencyMs, jitterMs, bandwidthMbps, loss }) => (
                <Tr key={`${a} ${b}`} data-row={`${a}-${b}`}>
                  <Td dataLabel="Between">
                    {a} – {b}
                  </Td>
                  <Td dataLabel="One way">{formatMs(latencyMs)}</Td>
                  <Td dataLabel="Jitter" className="sf-from-medium">
                    {formatMs(jitterMs)}
                  </Td>
                  <Td dataLabel="Bandwidth" className="sf-from-medium">
                    {formatBandwidth(bandwidthMbps)}
                  </Td>
                  <Td dataLabel="Loss" className="sf-from-wide">
                    {formatPercent(loss)}
                  </Td>
                  <Td isActionCell>
                    <ActionButton
                      variant="secondary"
                      size="sm"
                      aria-label={`Change the link between ${a} and ${b}`}
                      onClick={() => setEdited({ site: a, other: b })}
                    >
                      Change…
                    </ActionButton>
                  </Td>
                </Tr>
              ))}
            </Tbody>
          </Table>
        </div>
      )}
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
