import { PageSection } from '@patternfly/react-core';
import { Empty } from '../ui/empty.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { ResourceTable } from '../list/resource-table.tsx';
import { operationColumns, operationFilters } from './operation-table.tsx';

export function OperationsPage() {
  return (
    <>
      <PageHead
        title="Operations"
        about="What was done and is being done to services. One that waits for you has a step that failed."
      />
      <PageSection isFilled className="sf-fill" hasBodyWrapper={false}>
        <ResourceTable
          label="Operations"
          list="listOperations"
          keyOf={(one) => one.id}
          columns={operationColumns}
          filters={operationFilters}
          firstSort="-startedAt"
          searchWords="Service or id"
          empty={
            <Empty title="Nothing has been done yet" command="superfluidity deploy examples/mobile-edge">
              Deploying, moving, scaling and healing are listed here, and can be read step by step.
            </Empty>
          }
        />
      </PageSection>
    </>
  );
}
