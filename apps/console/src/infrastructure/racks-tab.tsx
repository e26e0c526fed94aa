import type { Rack, RackServer } from '@superfluidity/api';
import { Button, FormSelect, FormSelectOption, ToggleGroup, ToggleGroupItem } from '@patternfly/react-core';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { fetchList, listKey } from '../data/lists.ts';
import { useClient } from '../data/session.tsx';
import { ListSearch } from '../list/list-search.tsx';
import { Empty } from '../ui/empty.tsx';
import { Failure } from '../ui/failure.tsx';
import { formatAmount } from '../view-model/format.ts';
import { stepOfLoad } from '../view-model/heat-map.ts';
import { NoSites } from './no-sites.tsx';

const PAGE = 24;
const REFRESH_MS = 10_000;

export interface RackState {
  readonly site?: string | undefined;
  readonly by?: string | undefined;
  readonly search?: string | undefined;
  readonly sort?: string | undefined;
}

/** The racks of a site, or of all: each server with its load, in words, as a bar and as a colour. */
export function RacksTab({ state, sites }: { readonly state: RackState; readonly sites: readonly string[] }) {
  const navigate = useNavigate();
  const go = (changes: RackState) =>
    void navigate({ to: '.', search: ((before: object) => ({ ...before, ...changes })) as never, replace: true });
  const client = useClient();
  const { site, search, sort = 'name' } = state;
  const by = state.by === 'memory' ? 'memory' : 'cpu';
  const query = {
    sort,
    limit: String(PAGE),
    ...(site === undefined ? {} : { site }),
    ...(search === undefined ? {} : { search }),
  };
  const list = useInfiniteQuery({
    queryKey: [...listKey('listRacks'), 'racks', query],
    queryFn: ({ pageParam }) =>
      fetchList(client, 'listRacks', { ...query, ...(pageParam === undefined ? {} : { after: pageParam }) }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next,
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });
  const racks = list.data?.pages.flatMap(({ items }) => items) ?? [];
  const total = list.data?.pages.at(-1)?.total ?? 0;
  if (list.isError && racks.length === 0)
    return <Failure error={list.error} what="the racks" onRetry={() => void list.refetch()} />;
  if (list.isPending) return null;
  if (sites.length === 0) return <NoSites />;
  return (
    <div className="sf-layers-frame">
      <div className="sf-layers-bar">
        <FormSelect
          className="sf-switcher"
          aria-label="Site whose racks are shown"
          value={site ?? ''}
          onChange={(_event, name) => go({ site: name === '' ? undefined : name, search: undefined })}
        >
          <FormSelectOption value="" label="All sites" />
          {sites.map((name) => (
            <FormSelectOption key={name} value={name} label={name} />
          ))}
        </FormSelect>
        <FormSelect
          className="sf-switcher"
          aria-label="Order of the racks"
          value={sort}
          onChange={(_event, order) => go({ sort: order === 'name' ? undefined : order })}
        >
          <FormSelectOption value="name" label="By name" />
          <FormSelectOption value="-cpu" label="Most CPU taken first" />
          <FormSelectOption value="-memory" label="Most memory taken first" />
        </FormSelect>
        <ToggleGroup aria-label="Coloured by" isCompact>
          <ToggleGroupItem text="CPU" isSelected={by === 'cpu'} onChange={() => go({ by: 'cpu' })} />
          <ToggleGroupItem text="Memory" isSelected={by === 'memory'} onChange={() => go({ by: 'memory' })} />
        </ToggleGroup>
        <span className="sf-switcher">
          <ListSearch
            label="Search racks"
            words="Rack or host"
            value={search ?? ''}
            onChange={(words) => go({ search: words })}
          />
        </span>
        <span aria-live="polite" data-racks={total}>
          {total === 0 ? 'no rack' : `${racks.length} of ${formatAmount(total, 'rack')}`}
        </span>
      </div>
      {total === 0 ? (
        <Empty title="No such rack">Neither a rack nor a server has that in its name.</Empty>
      ) : (
        <ul className="sf-racks" aria-label={site === undefined ? 'Racks of all sites' : `Racks of ${site}`}>
          {racks.map((rack) => (
            <RackBox key={`${rack.site} ${rack.name}`} rack={rack} by={by} withSite={site === undefined} />
          ))}
        </ul>
      )}
      {list.hasNextPage && (
        <Button variant="secondary" isLoading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          {`Show ${Math.min(PAGE, total - racks.length)} more`}
        </Button>
      )}
    </div>
  );
}

function RackBox(props: { readonly rack: Rack; readonly by: 'cpu' | 'memory'; readonly withSite: boolean }) {
  const { rack, by, withSite } = props;
  return (
    <li className="sf-rack" data-rack={rack.name}>
      <h2>{withSite ? `${rack.site} ${rack.name}` : rack.name}</h2>
      <p>
        {formatAmount(rack.servers.length, 'server')}
        {rack.full > 0 && `, ${rack.full} above 80 %`}
      </p>
      <ol>
        {rack.servers.map((server) => (
          <li key={server.host}>
            <ServerLink site={rack.site} server={server} by={by} />
          </li>
        ))}
      </ol>
    </li>
  );
}

function ServerLink(props: { readonly site: string; readonly server: RackServer; readonly by: 'cpu' | 'memory' }) {
  const { host, cpu, unit } = props.server;
  const closed = cpu < 0;
  const load = props.server[props.by];
  return (
    <Link
      to="/infrastructure"
      search={{ tab: 'hosts', site: props.site, search: host }}
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
