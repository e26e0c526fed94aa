import type { Operation, ProofAnswer } from '@superfluidity/api';
import { Label } from '@patternfly/react-core';
import { CheckCircleIcon } from '@patternfly/react-icons/dist/esm/icons/check-circle-icon';
import { ExclamationCircleIcon } from '@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon';
import { MinusCircleIcon } from '@patternfly/react-icons/dist/esm/icons/minus-circle-icon';
import { InProgressIcon } from '@patternfly/react-icons/dist/esm/icons/in-progress-icon';
import { PauseCircleIcon } from '@patternfly/react-icons/dist/esm/icons/pause-circle-icon';
import { QuestionCircleIcon } from '@patternfly/react-icons/dist/esm/icons/question-circle-icon';
import { UndoIcon } from '@patternfly/react-icons/dist/esm/icons/undo-icon';
import type { ComponentType } from 'react';
import { stateWords } from '../view-model/permitted.ts';

type Look = readonly ['blue' | 'green' | 'orange' | 'purple' | 'red', ComponentType];

const states: Readonly<Record<Operation['state'], Look>> = {
  STARTING: ['blue', InProgressIcon],
  PROCESSING: ['blue', InProgressIcon],
  COMPLETED: ['green', CheckCircleIcon],
  FAILED_TEMP: ['orange', PauseCircleIcon],
  ROLLING_BACK: ['purple', UndoIcon],
  ROLLED_BACK: ['purple', UndoIcon],
  FAILED: ['red', ExclamationCircleIcon],
};

export function OperationLabel({ state }: { readonly state: Operation['state'] }) {
  const [color, Icon] = states[state];
  return (
    <Label isCompact color={color} icon={<Icon />} data-operation={state}>
      {stateWords[state]}
    </Label>
  );
}

const answers: Readonly<Record<ProofAnswer, readonly [...Look, string]>> = {
  holds: ['green', CheckCircleIcon, 'holds'],
  violated: ['red', ExclamationCircleIcon, 'violated'],
  unknown: ['orange', QuestionCircleIcon, 'not proven'],
};

export function AnswerLabel({ answer }: { readonly answer: ProofAnswer | undefined }) {
  if (answer === undefined) return <span className="sf-subtle">–</span>;
  const [color, Icon, words] = answers[answer];
  return (
    <Label isCompact color={color} icon={<Icon />} data-answer={answer}>
      {words}
    </Label>
  );
}

export function HealthLabel({ healthy }: { readonly healthy: boolean }) {
  return (
    <Label isCompact color={healthy ? 'green' : 'red'} icon={healthy ? <CheckCircleIcon /> : <MinusCircleIcon />}>
      {healthy ? 'healthy' : 'not healthy'}
    </Label>
  );
}
