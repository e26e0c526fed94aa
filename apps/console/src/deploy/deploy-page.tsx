import type { Descriptor, DescriptorSource, Plan, Step } from '@superfluidity/api';
import {
  Alert,
  Button,
  Card,
  CardBody,
  CardTitle,
  FormGroup,
  FormSelect,
  FormSelectOption,
  PageSection,
  TextInput,
  ToggleGroup,
  ToggleGroupItem,
} from '@patternfly/react-core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useMemo, useState } from 'react';
import { FileDrop } from '../catalogue/file-drop.tsx';
import { useQueriesOf } from '../data/queries.ts';
import { useClient } from '../data/session.tsx';
import { ActionButton } from '../ui/action-button.tsx';
import { errorBodyOf, ErrorView } from '../ui/error-view.tsx';
import { Failure } from '../ui/failure.tsx';
import { AnswerLabel } from '../ui/labels.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { Panel } from '../ui/panel.tsx';
import { ProofReport } from '../verification/proof-report.tsx';
import { formatMs, trim } from '../view-model/format.ts';
import { planMay } from '../view-model/permitted.ts';
import type { SourceFile } from '../view-model/read-files.ts';
import { buildStepGraph } from '../view-model/step-graph.ts';
import { Inputs, useInputs } from './inputs.tsx';
import { Placement } from './placement.tsx';

const StepGraphView = lazy(() => import('../steps/step-graph-view.tsx'));
const NO_DESCRIPTORS: readonly Descriptor[] = [];

/** What would happen, all of it, before anything does: where each unit goes and why, what it costs, which steps, what is proven. */
export function DeployPage() {
  const search = useSearch({ from: '/deploy' });
  const navigate = useNavigate({ from: '/deploy' });
  const client = useClient();
  const q = useQueriesOf();
  const catalogue = useQuery(q.descriptors);
  const descriptors = catalogue.data ?? NO_DESCRIPTORS;
  const [from, setFrom] = useState<'catalogue' | 'files'>('catalogue');
  const [files, setFiles] = useState<readonly SourceFile[]>([]);
  const usable = descriptors.filter((one) => one.operationalState === 'ENABLED');
  const wanted = search.descriptor;
  // A link to what is not there leads to nothing else in its place.
  const chosen = wanted === undefined ? usable[0] : usable.find((one) => one.id === wanted || one.name === wanted);
  const isLost = from === 'catalogue' && catalogue.isSuccess && wanted !== undefined && chosen === undefined;
  const lost = useQuery({ ...q.descriptor(wanted ?? ''), enabled: isLost });
  const source: DescriptorSource | undefined =
    from === 'files' ? (files.length === 0 ? undefined : { files: [...files] }) : chosen && { descriptor: chosen.id };
  const asked = useInputs(source);
  const body = () => ({
    source: source!,
    ...(search.name === undefined ? {} : { name: search.name }),
    ...(asked.fields.length === 0 ? {} : { inputs: asked.values() }),
  });
  const plan = useMutation({ mutationFn: () => client.call('planService', { body: body() }) });
  const deploy = useMutation({
    mutationFn: () => client.call('deployService', { body: body() }),
    onSuccess: ({ operation }) => void navigate({ to: '/operations/$id', params: { id: operation } }),
  });
  const change = (changes: Partial<typeof search>) => {
    plan.reset();
    deploy.reset();
    void navigate({ search: (before) => ({ ...before, ...changes }), replace: true });
  };
  return (
    <>
      <PageHead
        title="Plan and deploy"
        about="A plan changes nothing. It says where each unit would go and why, what it would cost, and whether the policies hold."
      />
      <PageSection className="sf-section sf-stack" hasBodyWrapper={false}>
        <Card>
          <CardTitle component="h2">What</CardTitle>
          <CardBody className="sf-deploy-form">
            <ToggleGroup aria-label="Where the descriptor comes from">
              <ToggleGroupItem
                text="From the catalogue"
                isSelected={from === 'catalogue'}
                onChange={() => {
                  plan.reset();
                  setFrom('catalogue');
                }}
              />
              <ToggleGroupItem
                text="From files"
                isSelected={from === 'files'}
                onChange={() => {
                  plan.reset();
                  setFrom('files');
                }}
              />
            </ToggleGroup>
            {from === 'catalogue' ? (
              <FormGroup label="Descriptor" fieldId="deploy-descriptor">
                <FormSelect
                  id="deploy-descriptor"
                  value={chosen?.id ?? ''}
                  onChange={(_event, descriptor) => change({ descriptor })}
                >
                  {isLost && <FormSelectOption value="" label="choose another" isDisabled />}
                  {usable.length === 0 && <FormSelectOption value="" label="none that is enabled" isDisabled />}
                  {usable.map((one) => (
                    <FormSelectOption key={one.id} value={one.id} label={`${one.name} ${one.version}`} />
                  ))}
                </FormSelect>
              </FormGroup>
            ) : (
              <FileDrop
                onFiles={(next) => {
                  plan.reset();
                  setFiles(next);
                }}
              />
            )}
            <FormGroup label="Name of the service" fieldId="deploy-name">
              <TextInput
                id="deploy-name"
                placeholder="as in the descriptor"
                value={search.name ?? ''}
                onChange={(_event, name) => change({ name: name === '' ? undefined : name } as never)}
              />
            </FormGroup>
            <Inputs
              asked={asked}
              onChange={() => {
                plan.reset();
                deploy.reset();
              }}
            />
            <div className="sf-buttons">
              <Button
                variant="secondary"
                isDisabled={source === undefined || asked.isIncomplete}
                isLoading={plan.isPending}
                onClick={() => plan.mutate()}
              >
                Plan
              </Button>
              <ActionButton
                permission={planMay(plan.data, plan.isPending)}
                isLoading={deploy.isPending}
                onClick={() => deploy.mutate()}
              >
                Deploy
              </ActionButton>
            </div>
          </CardBody>
        </Card>
        {isLost && lost.isError && (
          <Failure
            error={lost.error}
            what={`descriptor ${wanted}`}
            onRetry={() => void lost.refetch()}
            elsewhere={<Link to="/catalogue">The catalogue</Link>}
          />
        )}
        {isLost && lost.data !== undefined && (
          <Alert isInline variant="warning" title={`${lost.data.name} ${lost.data.version} is disabled`}>
            Nothing is made from it until it is enabled: see{' '}
            <Link to="/catalogue/$id" params={{ id: lost.data.id }}>
              its page
            </Link>
            .
          </Alert>
        )}
        {plan.error !== null && <ErrorView error={errorBodyOf(plan.error)} title="It cannot be planned" />}
        {deploy.error !== null && <ErrorView error={errorBodyOf(deploy.error)} title="It cannot be deployed" />}
        {plan.data !== undefined && <ShownPlan plan={plan.data} />}
      </PageSection>
    </>
  );
}

function ShownPlan({ plan }: { readonly plan: Plan }) {
  const graph = useMemo(
    () =>
      buildStepGraph(
        plan.steps.map((step): Step => ({ ...step, dependsOn: [...step.dependsOn], state: 'pending', attempt: 0 })),
      ),
    [plan],
  );
  const [selected, setSelected] = useState<string>();
  return (
    <>
      <dl className="sf-figures sf-figures--cards" aria-label="The plan in figures">
        <div>
          <dt>Units</dt>
          <dd>{plan.assignments.length}</dd>
        </div>
        <div>
          <dt>Sites</dt>
          <dd>{new Set(plan.assignments.map(({ site }) => site)).size}</dd>
        </div>
        <div>
          <dt>Steps</dt>
          <dd>{plan.steps.length}</dd>
        </div>
        <div>
          <dt>Cost per hour</dt>
          <dd>{trim(plan.costPerHour)}</dd>
        </div>
        {plan.chains.map((chain) => (
          <div key={chain.chain}>
            <dt>Chain {chain.chain}, one way</dt>
            <dd>
              {formatMs(chain.latencyMs)}{' '}
              {chain.maxMs !== undefined && <small>of at most {formatMs(chain.maxMs)}</small>}
            </dd>
          </div>
        ))}
        <div>
          <dt>Policies</dt>
          <dd>
            <AnswerLabel answer={plan.verification?.answer} />
          </dd>
        </div>
      </dl>
      {plan.verification !== undefined && (
        <ProofReport report={plan.verification} title="Policies, on the data plane of this plan" />
      )}
      <Card>
        <CardTitle component="h2">Placement</CardTitle>
        <CardBody>
          <Placement assignments={plan.assignments} />
        </CardBody>
      </Card>
      <Panel title="Steps" className="sf-panel--operation">
        <div className="sf-operation">
          <Suspense fallback={<div className="sf-steps" />}>
            <StepGraphView graph={graph} selected={selected} onSelect={setSelected} />
          </Suspense>
        </div>
      </Panel>
    </>
  );
}
