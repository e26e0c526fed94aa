import type { CharacterisationSummary } from '@superfluidity/api';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useQueriesOf } from '../data/queries.ts';
import { anyOf, type Column } from '../list/column.ts';
import { ResourceTable } from '../list/resource-table.tsx';
import { Empty } from '../ui/empty.tsx';
import { Ago } from '../ui/facts.tsx';
import { formatCount, formatPercent } from '../view-model/format.ts';

const columns: readonly Column<CharacterisationSummary>[] = [
  {
    title: 'Name',
    sort: 'name',
    width: 25,
    cell: (one) => (
      <Link to="/insight/characterisations/$name" params={{ name: one.name }}>
        {one.name}
      </Link>
    ),
  },
  { title: 'Descriptor', sort: 'service', width: 30, from: 'medium', cell: (one) => one.service },
  { title: 'Experiments', sort: 'experiments', cell: (one) => formatCount(one.experiments) },
  { title: 'Samples', sort: 'samples', from: 'wide', cell: (one) => formatCount(one.samples) },
  { title: 'Rules right', sort: 'accuracy', from: 'medium', cell: (one) => formatPercent(one.accuracy) },
  { title: 'Published', sort: 'updatedAt', from: 'wide', cell: (one) => <Ago at={one.updatedAt} /> },
];

const NONE: readonly string[] = [];

/** Reports of experiments with services: which deployment is enough for which class of service level. */
export default function CharacterisationTab() {
  const services = useQuery(useQueriesOf().characterised).data ?? NONE;
  return (
    <ResourceTable
      label="Characterisations"
      list="listCharacterisations"
      keyOf={(one) => one.name}
      columns={columns}
      filters={[anyOf('service', 'Descriptor', services)]}
      firstSort="-updatedAt"
      searchWords="Name or descriptor"
      empty={
        <Empty
          title="No service was characterised yet"
          command="superfluidity characterise run examples/characterise/simulated.yaml --results results.jsonl --publish"
        >
          Experiments tell which deployment is enough. Their report comes here by
        </Empty>
      }
    />
  );
}
