import type { Operation, OperationDetail } from '@superfluidity/api';
import { Card, CardBody, CardTitle, PageSection } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useQueriesOf } from '../data/queries.ts';
import { Placement } from '../deploy/placement.tsx';
import { Subject } from './subject.tsx';
import { ShownOperation } from '../steps/operation-panel.tsx';
import { Ago, Facts } from '../ui/facts.tsx';
import { Found } from '../ui/found.tsx';
import { OperationLabel } from '../ui/labels.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { ProofReport } from '../verification/proof-report.tsx';
import { describeOperation } from '../view-model/describe-operation.ts';

const SUBJECT: Partial<Record<Operation['kind'], string>> = { LINK: 'Link', WORKFLOW: 'Workflow' };

/** One operation: its steps as they happen, what failed and why, what can be done, what was planned, and what was proven. */
export function OperationPage() {
  const { id } = useParams({ from: '/operations/$id' });
  const query = useQuery(useQueriesOf().operation(id));
  return (
    <Found query={query} kind="operation" name={id} list={{ to: '/operations', title: 'All operations' }}>
      {(operation) => <Shown operation={operation} />}
    </Found>
  );
}

function Shown({ operation }: { readonly operation: OperationDetail }) {
  const { plan, realised } = operation;
  return (
    <>
      <PageHead
        title={describeOperation(operation)}
        parent={{ to: '/operations', title: 'Operations' }}
        beside={<OperationLabel state={operation.state} />}
      />
      <PageSection className="sf-section sf-stack" hasBodyWrapper={false}>
        <ShownOperation id={operation.id} title="Steps" />
        <div className="sf-cards">
          <Card>
            <CardTitle component="h2">About it</CardTitle>
            <CardBody>
              <Facts
                of={[
                  ['Id', <code key="id">{operation.id}</code>],
                  [SUBJECT[operation.kind] ?? 'Service', <Subject key="subject" of={operation} />],
                  [
                    'Asked for by',
                    operation.automatic ? (
                      'the system itself'
                    ) : (
                      <Link key="audit" to="/events" search={{ kind: 'audit', search: operation.id }}>
                        see the audit
                      </Link>
                    ),
                  ],
                  ['Started', <Ago key="started" at={operation.startedAt} />],
                  ['In its state since', <Ago key="state" at={operation.stateEnteredAt} />],
                  ['Server', operation.executor],
                ]}
              />
            </CardBody>
          </Card>
          {plan !== undefined && plan.assignments.length > 0 && (
            <Card>
              <CardTitle component="h2">Placement, as planned</CardTitle>
              <CardBody>
                <Placement assignments={plan.assignments} />
              </CardBody>
            </Card>
          )}
        </div>
        {plan?.verification !== undefined && <ProofReport report={plan.verification} title="Policies, as planned" />}
        {realised !== undefined && <ProofReport report={realised} title="Policies, on what the sites had afterwards" />}
      </PageSection>
    </>
  );
}
