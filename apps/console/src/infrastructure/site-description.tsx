import type { SiteDescription as Description, SiteDetail } from '@superfluidity/api';
import { Card, CardBody, CardTitle } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useQuery } from '@tanstack/react-query';
import { useQueriesOf } from '../data/queries.ts';

/** What a site says of itself in its own words: quotas, flavours, images and networks of a cloud. */
export function SiteDescription({ site }: { readonly site: SiteDetail }) {
  const query = useQuery({ ...useQueriesOf().siteDescription(site.name), enabled: site.healthy });
  return (query.data?.tables ?? []).map((table) => <Described key={table.title} table={table} />);
}

function Described({ table: { title, columns, rows, note } }: { readonly table: Description['tables'][number] }) {
  return (
    <Card>
      <CardTitle component="h2">{title}</CardTitle>
      <CardBody>
        {note !== undefined && <p className="sf-subtle">{note}</p>}
        {rows.length > 0 && (
          <Table aria-label={title} variant="compact">
            <Thead>
              <Tr>
                {columns.map((column) => (
                  <Th key={column}>{column}</Th>
                ))}
              </Tr>
            </Thead>
            <Tbody>
              {rows.map((row) => (
                <Tr key={row.join(' ')}>
                  {row.map((cell, at) => (
                    <Td key={columns[at]} dataLabel={columns[at] ?? ''}>
                      {cell}
                    </Td>
                  ))}
                </Tr>
              ))}
            </Tbody>
          </Table>
        )}
      </CardBody>
    </Card>
  );
}
