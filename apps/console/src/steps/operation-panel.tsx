import type { Operation, OperationDetail, Step, VerificationReport } from '@superfluidity/api';
import { Button, FormSelect, FormSelectOption, Label } from '@patternfly/react-core';
import { TimesIcon } from '@patternfly/react-icons/dist/esm/icons/times-icon';
import { useMutation, useQuery } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useEffect, useMemo, useState } from 'react';
import { useNow } from '../data/clock.ts';
import { useQueriesOf } from '../data/queries.ts';
import { useClient } from '../data/session.tsx';
import { ActionButton } from '../ui/action-button.tsx';
import { useConfirm } from '../ui/confirm.tsx';
import { Empty } from '../ui/empty.tsx';
import { errorBodyOf, ErrorView } from '../ui/error-view.tsx';
import { Panel } from '../ui/panel.tsx';
import { StateIcon } from '../ui/state-icon.tsx';
import { preload } from '../ui/preload.ts';
import { describeOperation } from '../view-model/describe-operation.ts';
import { formatMs, formatTime } from '../view-model/format.ts';
import { isOver, operationMay, type OperationVerb, operationVerbs, stateWords } from '../view-model/permitted.ts';
import { buildStepGraph, stepDurationMs, summarise } from '../view-model/step-graph.ts';

const loadView = () => import('./step-graph-view.tsx');
const StepGraphView = lazy(loadView);

const NO_STEPS: readonly Step[] = [];

/** One operation: its steps as they happen, and what can be done about it. */
export function OperationPanel(props: {
  readonly operations: readonly Operation[];
  /** Asked for by the URL; else the newest. */
  readonly chosen: string | undefined;
  readonly onChoose: (id: string) => void;
}) {
  const id = props.chosen ?? props.operations[0]?.id;
  useEffect(() => preload(loadView), []);
  if (id === undefined) {
    return (
      <Panel title="Operation" className="sf-panel--operation">
        <Empty title="Nothing has been done yet" command="superfluidity deploy examples/mobile-edge">
          Deploying, moving, scaling and healing are shown here step by step while they happen.
        </Empty>
      </Panel>
    );
  }
  return <ShownOperation title="Operation" beside={<OperationChoice {...props} id={id} />} id={id} />;
}

export function ShownOperation(props: { readonly id: string; readonly title: string; readonly beside?: ReactNode }) {
  const { data: operation, error } = useQuery(useQueriesOf().operation(props.id));
  const steps = operation?.steps ?? NO_STEPS;
  const graph = useMemo(() => buildStepGraph(steps), [steps]);
  const [selectedId, setSelectedId] = useState<string>();
  const failed = graph.nodes.find((node) => node.state === 'failed');
  const telling = graph.nodes.find((node) => node.steps.some((step) => isTelling(step, steps.length)));
  // What has failed is shown without being asked for, and what a site is telling.
  const selected = graph.nodes.find((node) => node.id === selectedId) ?? failed ?? telling;
  return (
    <Panel
      className="sf-panel--operation"
      title={props.title}
      beside={props.beside}
      aside={operation !== undefined && <OperationState operation={operation} />}
    >
      {error !== null && <ErrorView error={errorBodyOf(error)} title="The operation cannot be shown" />}
      {operation !== undefined && (
        <div className="sf-operation">
          <Suspense fallback={<div className="sf-steps" />}>
            <StepGraphView graph={graph} selected={selected?.id} onSelect={setSelectedId} />
          </Suspense>
          {(selected !== undefined || operation.error !== undefined) && (
            <StepDetails
              operation={operation}
              steps={selected?.steps ?? NO_STEPS}
              onClose={selectedId === undefined ? undefined : () => setSelectedId(undefined)}
            />
          )}
        </div>
      )}
    </Panel>
  );
}

/** One that runs and has something to tell; where there is no other, also when it is over. */
const isTelling = (step: Step, count: number): boolean =>
  (step.detail ?? []).length > 0 && (step.state === 'running' || step.state === 'undoing' || count === 1);

function OperationChoice(props: {
  readonly id: string;
  readonly operations: readonly Operation[];
  readonly onChoose: (id: string) => void;
}) {
  return (
    <FormSelect
      className="sf-operation-choice"
      aria-label="Operation shown"
      value={props.id}
      onChange={(_event, id) => props.onChoose(id)}
    >
      {props.operations.map((operation) => (
        <FormSelectOption
          key={operation.id}
          value={operation.id}
          label={`${describeOperation(operation)} · ${formatTime(operation.startedAt)}${operation.automatic ? ' · automatic' : ''}`}
        />
      ))}
    </FormSelect>
  );
}

const stateColours = {
  STARTING: 'blue',
  PROCESSING: 'blue',
  COMPLETED: 'green',
  FAILED_TEMP: 'orange',
  ROLLING_BACK: 'purple',
  ROLLED_BACK: 'purple',
  FAILED: 'red',
} as const;

const verbWords: Readonly<Record<OperationVerb, string>> = {
  retry: 'Retry',
  rollback: 'Roll back',
  continue: 'Continue',
  fail: 'Call it failed',
  cancel: 'Cancel',
};

function OperationState({ operation }: { readonly operation: OperationDetail }) {
  const over = isOver(operation.state);
  const now = useNow(200, !over);
  const { total, finished } = summarise(operation.steps);
  const end = over || operation.state === 'FAILED_TEMP' ? operation.stateEnteredAt : now;
  return (
    <>
      <span className="sf-progress-text" aria-live="polite">
        {finished} of {total} steps · {formatMs(Math.max(0, end - operation.startedAt))}
      </span>
      <Proof of="planned" report={operation.plan?.verification} />
      <Proof of="there" report={operation.realised} />
      <Label color={stateColours[operation.state]} data-operation-state={operation.state}>
        {operation.cancelPending && !over ? 'cancelling' : stateWords[operation.state]}
      </Label>
      <OperationActions operation={operation} />
    </>
  );
}

const answerColours = { holds: 'green', violated: 'red', unknown: 'orange' } as const;

/** Whether the policies of the service hold, on what was planned or on what is there. */
function Proof(props: { readonly of: 'planned' | 'there'; readonly report: VerificationReport | undefined }) {
  const { of, report } = props;
  if (report === undefined) return null;
  const { likeness } = report;
  const lines = report.policies.map(({ policy, because }) => `${policy}: ${because}`);
  if (likeness !== undefined) lines.push(likeness.differences[0]?.because ?? likeness.because);
  const shown = lines.join('\n');
  const words = { holds: 'hold', violated: 'violated', unknown: 'not proven' }[report.answer];
  return (
    <Label color={answerColours[report.answer]} title={shown} data-policies={`${of} ${report.answer}`}>
      policies {words} as {of === 'planned' ? 'planned' : 'it is'}
    </Label>
  );
}

function OperationActions({ operation }: { readonly operation: OperationDetail }) {
  const client = useClient();
  const confirm = useConfirm();
  const params = { id: operation.id };
  const calls: Readonly<Record<OperationVerb, () => Promise<unknown>>> = {
    retry: () => client.call('retryOperation', { params }),
    rollback: () => client.call('rollbackOperation', { params }),
    continue: () => client.call('continueOperation', { params }),
    fail: () => client.call('failOperation', { params }),
    cancel: () => client.call('cancelOperation', { params, body: { mode: 'GRACEFUL' } }),
  };
  const retry = useMutation({ mutationFn: calls.retry });
  const questions: Readonly<Record<Exclude<OperationVerb, 'retry'>, string>> = {
    rollback: 'What the operation has done is undone, step by step, in reverse order.',
    continue: 'The failed steps are left out, and so is everything that depends on them.',
    fail: 'Everything stays as it is now, half done, and the operation counts as failed.',
    cancel: 'Running steps come to their end, no further ones start. What was done can then be rolled back.',
  };
  const press = (verb: OperationVerb) => {
    if (verb === 'retry') retry.mutate();
    else {
      confirm({
        title: `${verbWords[verb]}: ${describeOperation(operation)}?`,
        body: questions[verb],
        verb: verbWords[verb],
        danger: verb !== 'continue',
        act: calls[verb],
      });
    }
  };
  return (
    <span className="sf-operation-actions">
      {retry.error !== null && (
        <span className="sf-inline-error" role="alert">
          {errorBodyOf(retry.error).message}
        </span>
      )}
      {operationVerbs.map((verb) => (
        <ActionButton
          key={verb}
          size="sm"
          variant={verb === 'retry' ? 'primary' : 'secondary'}
          permission={operationMay(verb, operation)}
          onClick={() => press(verb)}
        >
          {verbWords[verb]}
        </ActionButton>
      ))}
    </span>
  );
}

const STEPS_LISTED = 50;

/** What the site told while it worked on the step, newest first, and what came of it. */
function StepNews({ step }: { readonly step: Step }) {
  const { detail = [], result } = step;
  if (detail.length === 0 && result === undefined) return null;
  return (
    <>
      {result !== undefined && <pre className="sf-step-result">{JSON.stringify(result, undefined, 2)}</pre>}
      <ol className="sf-step-news" aria-label="What the site tells">
        {detail.toReversed().map(({ at, what, state, reason }, nth) => (
          <li key={`${detail.length - nth}`}>
            <span className="sf-subtle">{formatTime(at)}</span> {what} <code>{state}</code>
            {reason !== undefined && <div className="sf-subtle">{reason}</div>}
          </li>
        ))}
      </ol>
    </>
  );
}

function StepDetails(props: {
  readonly operation: OperationDetail;
  readonly steps: readonly Step[];
  readonly onClose: (() => void) | undefined;
}) {
  const { operation, steps } = props;
  const now = useNow(500, !isOver(operation.state));
  const single = steps.length === 1 ? steps[0] : undefined;
  const duration = stepDurationMs(steps, now);
  return (
    <aside className="sf-step-details" aria-label="Step">
      <header>
        <h3>{single?.title ?? (steps.length === 0 ? 'The operation' : `${steps.length} steps`)}</h3>
        {props.onClose !== undefined && (
          <Button variant="plain" aria-label="Close" icon={<TimesIcon />} onClick={props.onClose} />
        )}
      </header>
      {single !== undefined && (
        <p className="sf-subtle">
          {single.verb}
          {single.site !== undefined && ` at ${single.site}`} · {single.state}
          {single.attempt > 1 && ` · attempt ${single.attempt}`}
          {duration !== undefined && ` · ${formatMs(duration)}`}
        </p>
      )}
      {single !== undefined && <StepNews step={single} />}
      {single?.error !== undefined && <ErrorView error={single.error} title="The step failed" />}
      {steps.length === 0 && operation.error !== undefined && (
        <ErrorView error={operation.error} title="The operation failed" />
      )}
      {steps.length > 1 && (
        <ul>
          {[...steps]
            .sort((a, b) => Number(b.state === 'failed') - Number(a.state === 'failed'))
            .slice(0, STEPS_LISTED)
            .map((step) => (
              <li key={step.id}>
                <StateIcon of="step" state={step.state} /> {step.title}
                {step.error !== undefined && <ErrorView error={step.error} title="The step failed" />}
              </li>
            ))}
          {steps.length > STEPS_LISTED && <li>and {steps.length - STEPS_LISTED} more</li>}
        </ul>
      )}
    </aside>
  );
}
