import type { Service } from '@superfluidity/api';
import { Button, PageSection } from '@patternfly/react-core';
import { Link } from '@tanstack/react-router';
import { ServiceLabel } from '../service/service-bar.tsx';
import { Empty } from '../ui/empty.tsx';
import { Ago } from '../ui/facts.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { type Column, type Filter, yesOrNo } from '../list/column.ts';
import { ResourceTable } from '../list/resource-table.tsx';
import { formatCount } from '../view-model/format.ts';

const columns: readonly Column<Service>[] = [
  {
    title: 'Name',
    sort: 'name',
    width: 20,
    cell: (one) => (
      <Link to="/services/$name" params={{ name: one.name }}>
        {one.name}
      </Link>
    ),
  },
  { title: 'State', sort: 'state', width: 15, cell: (one) => <ServiceLabel service={one} /> },
  {
    title: 'Running',
    sort: 'unitCount',
    cell: (one) => `${formatCount(one.runningCount)} of ${formatCount(one.unitCount)} units`,
  },
  { title: 'Sites', from: 'medium', cell: (one) => one.sites.join(', ') || 'none' },
  { title: 'Version', from: 'wide', cell: (one) => one.version },
  { title: 'Since', sort: 'createdAt', from: 'medium', cell: (one) => <Ago at={one.createdAt} /> },
];

const filters: readonly Filter[] = [
  {
    name: 'state',
    title: 'State',
    options: [
      ['INSTANTIATED', 'deployed'],
      ['NOT_INSTANTIATED', 'not deployed'],
    ],
  },
  yesOrNo('healthy', 'Health', 'healthy', 'not healthy'),
  yesOrNo('busy', 'Under way', 'being changed', 'at rest'),
];

export function ServicesPage() {
  return (
    <>
      <PageHead title="Services" about="What runs, on which sites, and how well." />
      <PageSection isFilled className="sf-fill" hasBodyWrapper={false}>
        <ResourceTable
          label="Services"
          list="listServices"
          keyOf={(one) => one.name}
          columns={columns}
          filters={filters}
          firstSort="name"
          searchWords="Name of a service"
          actions={<Button component={(props: object) => <Link to="/deploy" {...props} />}>Deploy…</Button>}
          empty={
            <Empty title="No service yet" command="superfluidity deploy examples/mobile-edge">
              A service is made from a descriptor: plan one of the catalogue, or deploy the demo by
            </Empty>
          }
        />
      </PageSection>
    </>
  );
}
