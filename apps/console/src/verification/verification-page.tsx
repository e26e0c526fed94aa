import type { Operation, Service } from '@superfluidity/api';
import { FormSelect, FormSelectOption, PageSection, ToggleGroup, ToggleGroupItem } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useQueriesOf } from '../data/queries.ts';
import { Empty } from '../ui/empty.tsx';
import { Failure } from '../ui/failure.tsx';
import { AnswerLabel } from '../ui/labels.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { Panel } from '../ui/panel.tsx';
import { describeOperation } from '../view-model/describe-operation.ts';
import { formatTime } from '../view-model/format.ts';
import { ProofOfService } from './proof-of-service.tsx';
import { WaysPanel } from './ways-panel.tsx';

const NO_SERVICES: readonly Service[] = [];
const NO_OPERATIONS: readonly Operation[] = [];

/** Whether the policies of a service hold: now, as meant or as it is, and after each of its operations. */
export function VerificationPage() {
  const search = useSearch({ from: '/verification' });
  const navigate = useNavigate({ from: '/verification' });
  const q = useQueriesOf();
  const services = useQuery(q.services);
  const list = services.data ?? NO_SERVICES;
  const name = search.service ?? list[0]?.name;
  const operations = useQuery({ ...q.operations(name), enabled: name !== undefined }).data ?? NO_OPERATIONS;
  const realised = search.plane === 'realised';
  const choose = (changes: { readonly [K in keyof typeof search]?: string | undefined }) =>
    void navigate({ search: (before) => ({ ...before, ...changes }) as never });
  return (
    <>
      <PageHead
        title="Verification"
        about="Every packet is sent through a model of every box. A policy that is violated comes with the packet that does it."
        actions={
          name !== undefined && (
            <>
              <FormSelect
                aria-label="Service"
                value={name}
                onChange={(_event, service) => choose({ service, from: undefined, to: undefined })}
                className="sf-choice"
              >
                {!list.some((one) => one.name === name) && <FormSelectOption value={name} label={name} />}
                {list.map((one) => (
                  <FormSelectOption key={one.name} value={one.name} label={one.name} />
                ))}
              </FormSelect>
              <ToggleGroup aria-label="Which data plane">
                <ToggleGroupItem
                  text="As meant"
                  isSelected={!realised}
                  onChange={() => choose({ plane: 'intended' })}
                />
                <ToggleGroupItem text="As it is" isSelected={realised} onChange={() => choose({ plane: 'realised' })} />
              </ToggleGroup>
            </>
          )
        }
      />
      <PageSection className="sf-section sf-stack" hasBodyWrapper={false}>
        {services.isError && (
          <Failure error={services.error} what="the services" onRetry={() => void services.refetch()} />
        )}
        {services.isSuccess && name === undefined && (
          <Empty title="No service yet" command="superfluidity deploy examples/mobile-edge">
            Policies belong to services.
          </Empty>
        )}
        {name !== undefined && (
          <>
            <ProofOfService service={name} realised={realised} policy={search.policy} />
            <WaysPanel key={name} service={name} realised={realised} asked={search} onAsk={choose} />
            <Panel title="Verdicts over time">
              <ol className="sf-verdicts" aria-label="Operations with their verdicts, newest first">
                {operations
                  .filter((one) => one.policies !== undefined)
                  .map((one) => (
                    <li key={one.id}>
                      <time dateTime={new Date(one.startedAt).toISOString()}>{formatTime(one.startedAt)}</time>
                      <Link to="/operations/$id" params={{ id: one.id }}>
                        {describeOperation(one)}
                      </Link>
                      <span>
                        planned <AnswerLabel answer={one.policies?.planned} />
                      </span>
                      <span>
                        afterwards <AnswerLabel answer={one.policies?.realised} />
                      </span>
                    </li>
                  ))}
              </ol>
              {operations.every((one) => one.policies === undefined) && (
                <p className="sf-subtle sf-padded">No operation of {name} has a verdict yet.</p>
              )}
            </Panel>
          </>
        )}
      </PageSection>
    </>
  );
}
