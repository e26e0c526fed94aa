import type { HostLoad } from '@superfluidity/api';
import { Button, FormSelect, FormSelectOption, ToggleGroup, ToggleGroupItem } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useQueriesOf } from '../data/queries.ts';
import { ListSearch } from '../list/list-search.tsx';
import { Empty } from '../ui/empty.tsx';
import { Failure } from '../ui/failure.tsx';
import { formatAmount } from '../view-model/format.ts';
import { stepOfLoad } from '../view-model/heat-map.ts';
import { fullOf, pageOfRacks, type Rack, racksOf, type Server } from '../view-model/racks.ts';
import { NoSites } from './no-sites.tsx';

const NO_LOADS: readonly HostLoad[] = [];

export interface RackState {
  readonly site?: string | undefined;
  readonly by?: string | undefined;
  readonly search?: string | undefined;
  readonly page?: string | undefined;
}

/** The racks of a site: each server with its load, in words, as a bar and as a colour. */
export function RacksTab({ state }: { readonly state: RackState }) {
  const navigate = useNavigate();
  const go = (changes: RackState) =>
    void navigate({ to: '.', search: ((before: object) => ({ ...before, ...changes })) as never, replace: true });
  const query = useQuery(useQueriesOf().hostLoad);
  const loads = query.data ?? NO_LOADS;
  const shown = loads.find(({ site }) => site === state.site) ?? loads[0];
  const by = state.by === 'memory' ? 'memory' : 'cpu';
  const racks = useMemo(() => (shown === undefined ? [] : racksOf(shown, by)), [shown, by]);
  const page = useMemo(() => pageOfRacks(racks, state.search ?? '', Number(state.page ?? 1)), [racks, state]);
  if (query.isError)
    return <Failure error={query.error} what="the load of the hosts" onRetry={() => void query.refetch()} />;
  if (query.isPending) return null;
  if (shown === undefined) return <NoSites />;
  return (
    <div className="sf-layers-frame">
      <div className="sf-layers-bar">
        <FormSelect
          className="sf-switcher"
          aria-label="Site whose racks are shown"
          value={shown.site}
          onChange={(_event, site) => go({ site, page: undefined, search: undefined })}
        >
          {loads.map(({ site }) => (
            <FormSelectOption key={site} value={site} label={site} />
          ))}
        </FormSelect>
        <ToggleGroup aria-label="Coloured by" isCompact>
          <ToggleGroupItem text="CPU" isSelected={by === 'cpu'} onChange={() => go({ by: 'cpu' })} />
          <ToggleGroupItem text="Memory" isSelected={by === 'memory'} onChange={() => go({ by: 'memory' })} />
        </ToggleGroup>
        <span className="sf-switcher">
          <ListSearch
            label="Search racks"
            words="Rack or host"
            value={state.search ?? ''}
            onChange={(search) => go({ search, page: undefined })}
          />
        </span>
        <span aria-live="polite" data-racks={page.total}>
          {page.total === 0
            ? 'no rack'
            : `${page.first + 1}–${page.first + page.racks.length} of ${formatAmount(page.total, 'rack')}`}
        </span>
        <Button
          size="sm"
          variant="secondary"
          isDisabled={page.page <= 1}
          onClick={() => go({ page: String(page.page - 1) })}
        >
          Before
        </Button>
        <Button
          size="sm"
          variant="secondary"
          isDisabled={page.page >= page.pages}
          onClick={() => go({ page: String(page.page + 1) })}
        >
          Next
        </Button>
      </div>
      {page.total === 0 ? (
        <Empty title="No such rack">Neither a rack nor a server of this site has that in its name.</Empty>
      ) : (
        <ul className="sf-racks" aria-label={`Racks of ${shown.site}`}>
          {page.racks.map((rack) => (
            <RackBox key={rack.name} site={shown.site} rack={rack} />
          ))}
        </ul>
      )}
    </div>
  );
}

function RackBox({ site, rack }: { readonly site: string; readonly rack: Rack }) {
  const full = fullOf(rack);
  return (
    <li className="sf-rack" data-rack={rack.name}>
      <h2>{rack.name}</h2>
      <p>
        {formatAmount(rack.servers.length, 'server')}
        {full > 0 && `, ${full} above 80 %`}
      </p>
      <ol>
        {rack.servers.map((server) => (
          <li key={server.host}>
            <ServerLink site={site} server={server} />
          </li>
        ))}
      </ol>
    </li>
  );
}

function ServerLink({ site, server }: { readonly site: string; readonly server: Server }) {
  const { host, load, unit } = server;
  const closed = load < 0;
  return (
    <Link
      to="/infrastructure"
      search={{ tab: 'hosts', site, search: host }}
      className={`sf-server ${closed ? 'sf-server--closed' : `sf-server--${stepOfLoad(load)}`}`}
      data-server={host}
    >
      {unit > 0 && <span className="sf-server__unit">{unit}</span>}
      <span className="sf-server__name">{host}</span>
      <span>{closed ? 'closed' : `${Math.round(load)} %`}</span>
      {!closed && <i style={{ inlineSize: `${Math.min(100, load)}%` }} />}
    </Link>
  );
}
