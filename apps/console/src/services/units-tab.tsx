import type { ListedUnit, ServiceDetail } from '@superfluidity/api';
import {
  Drawer,
  DrawerActions,
  DrawerCloseButton,
  DrawerContent,
  DrawerContentBody,
  DrawerHead,
  DrawerPanelContent,
  Title,
} from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useQueriesOf } from '../data/queries.ts';
import { Empty } from '../ui/empty.tsx';
import { EnvironmentIcon, environmentNames } from '../ui/environment.tsx';
import { Ago } from '../ui/facts.tsx';
import { anyOf, type Column, type Filter } from '../list/column.ts';
import { ResourceTable } from '../list/resource-table.tsx';
import { StateIcon } from '../ui/state-icon.tsx';
import { UnitPanel } from '../units/unit-panel.tsx';

export const unitFilters: readonly Filter[] = [
  anyOf('state', 'State', ['starting', 'running', 'draining', 'failed', 'stopped']),
  { name: 'environment', title: 'Runs as', options: Object.entries(environmentNames) },
];

export const unitColumns: readonly Column<ListedUnit>[] = [
  {
    title: 'Unit',
    sort: 'name',
    width: 25,
    cell: (one) => (
      <span className="sf-named">
        <EnvironmentIcon of={one.environment} />
        <Link to="/services/$name" params={{ name: one.service }} search={{ tab: 'units', unit: one.id }}>
          {one.path}#{one.index}
        </Link>
      </span>
    ),
  },
  {
    title: 'State',
    sort: 'state',
    width: 15,
    cell: (one) => (
      <span className="sf-named">
        <StateIcon of="unit" state={one.state} /> {one.state}
      </span>
    ),
  },
  { title: 'Site', sort: 'site', cell: (one) => one.site },
  { title: 'Host', sort: 'host', from: 'medium', cell: (one) => one.host },
  { title: 'Runs as', from: 'wide', cell: (one) => environmentNames[one.environment] },
  { title: 'From', from: 'wide', cell: (one) => (one.pooled ? 'a pool' : 'scratch') },
  { title: 'Changed', sort: 'updatedAt', from: 'medium', cell: (one) => <Ago at={one.updatedAt} /> },
];

const NO_UNITS: ServiceDetail['units'] = [];

/** Of a service with thousands of units, not all of them are known by name here. */
function titleOf(units: ServiceDetail['units'], id: string): string {
  const unit = units.find((one) => one.id === id);
  return unit === undefined ? id : `${unit.path}#${unit.index}`;
}

interface UnitsTabProps {
  readonly service: string;
  readonly unit: string | undefined;
  /** Which part of the chosen one. */
  readonly show: string | undefined;
}

/** The units of a service, and beside them what the chosen one prints, uses, and a terminal in it. */
export function UnitsTab({ service, unit, show }: UnitsTabProps) {
  const units = useQuery(useQueriesOf().service(service)).data?.units ?? NO_UNITS;
  const navigate = useNavigate({ from: '/services/$name' });
  const close = () => void navigate({ search: (before) => ({ ...before, unit: undefined, show: undefined }) as never });
  return (
    <Drawer isExpanded={unit !== undefined} isInline className="sf-units">
      <DrawerContent
        panelContent={
          unit !== undefined && (
            <DrawerPanelContent isResizable defaultSize="46%" minSize="280px" resizeAriaLabel="Width of the panel">
              <DrawerHead>
                <Title headingLevel="h2" size="md">
                  {titleOf(units, unit)}
                </Title>
                <DrawerActions>
                  <DrawerCloseButton aria-label="Close the panel" onClick={close} />
                </DrawerActions>
              </DrawerHead>
              <UnitPanel key={unit} service={service} unit={unit} show={show} />
            </DrawerPanelContent>
          )
        }
      >
        <DrawerContentBody>
          <ResourceTable
            label="Units"
            list="listUnits"
            keyOf={(one) => one.id}
            columns={unitColumns}
            filters={unitFilters}
            fixed={{ service }}
            firstSort="name"
            searchWords="Unit, host or id"
            empty={<Empty title="No units">The service is being made, or was scaled down to nothing.</Empty>}
          />
        </DrawerContentBody>
      </DrawerContent>
    </Drawer>
  );
}
