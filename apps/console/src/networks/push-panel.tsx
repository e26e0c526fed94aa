import type { Plan, Step } from '@superfluidity/api';
import { Alert, Button } from '@patternfly/react-core';
import { lazy, Suspense, useMemo, useState } from 'react';
import { ActionButton } from '../ui/action-button.tsx';
import { errorBodyOf, ErrorView } from '../ui/error-view.tsx';
import { AnswerLabel } from '../ui/labels.tsx';
import { Panel } from '../ui/panel.tsx';
import { ProofReport } from '../verification/proof-report.tsx';
import { type Permission, planMay } from '../view-model/permitted.ts';
import { buildStepGraph } from '../view-model/step-graph.ts';
import type { NetworkDraft } from './use-network-draft.ts';

const StepGraphView = lazy(() => import('../steps/step-graph-view.tsx'));

/** What was changed, what it leads to, whether the policies hold with it; and then it is pushed. */
export function PushPanel({ draft, busy }: { readonly draft: NetworkDraft; readonly busy: string | undefined }) {
  const { changes, plan, push } = draft;
  return (
    <Panel title="Push the change" className="sf-panel--edit">
      {changes.length === 0 ? (
        <p className="sf-subtle">Nothing is changed yet.</p>
      ) : (
        <ul aria-label="What is changed" data-changes={changes.length}>
          {changes.map((words) => (
            <li key={words}>{words}</li>
          ))}
        </ul>
      )}
      {draft.isBehind && (
        <Alert isInline variant="warning" component="h3" title="Somebody else has pushed a change since">
          When you push, both are put side by side.
        </Alert>
      )}
      <div className="sf-buttons">
        <ActionButton
          variant="secondary"
          permission={mayPlan(draft)}
          isLoading={plan.isPending}
          onClick={() => plan.mutate()}
        >
          Plan
        </ActionButton>
        <ActionButton permission={mayPush(draft, busy)} isLoading={push.isPending} onClick={() => push.mutate()}>
          Push
        </ActionButton>
        <Button variant="link" isDisabled={changes.length === 0} onClick={draft.drop}>
          Drop the changes
        </Button>
      </div>
      {plan.error !== null && <ErrorView error={errorBodyOf(plan.error)} title="It cannot be planned" />}
      {push.error !== null && <ErrorView error={errorBodyOf(push.error)} title="It cannot be pushed" />}
      {plan.data !== undefined && <ShownPlan plan={plan.data} />}
    </Panel>
  );
}

function mayPlan({ changes, draft }: NetworkDraft): Permission {
  if (changes.length === 0) return { allowed: false, reason: 'Nothing is changed yet.' };
  return draft.errors.length === 0 ? { allowed: true } : { allowed: false, reason: 'The descriptor has errors.' };
}

function mayPush({ changes, plan }: NetworkDraft, busy: string | undefined): Permission {
  if (changes.length === 0) return { allowed: false, reason: 'Nothing is changed yet.' };
  if (busy !== undefined) return { allowed: false, reason: 'Another operation is under way on this service.' };
  return planMay(plan.data, plan.isPending);
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
    <div data-planned={plan.steps.length}>
      <p>
        {plan.steps.length} steps. Policies: <AnswerLabel answer={plan.verification?.answer} />
      </p>
      {plan.verification !== undefined && (
        <ProofReport report={plan.verification} title="Policies, with these networks" />
      )}
      <div className="sf-operation sf-networks__steps">
        <Suspense fallback={<div className="sf-steps" />}>
          <StepGraphView graph={graph} selected={selected} onSelect={setSelected} />
        </Suspense>
      </div>
    </div>
  );
}
