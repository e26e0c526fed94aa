import { Button, Label, Tooltip } from '@patternfly/react-core';
import type { ReactNode } from 'react';
import { RedoIcon } from '@patternfly/react-icons/dist/esm/icons/redo-icon';
import { UndoIcon } from '@patternfly/react-icons/dist/esm/icons/undo-icon';
import { ActionButton, ReasonButton } from '../ui/action-button.tsx';
import { PageHead } from '../ui/page-head.tsx';
import type { Permission } from '../view-model/permitted.ts';
import type { Design } from './use-design.ts';

export type Doing = 'versions' | 'import' | 'export' | 'plan' | 'native' | 'another' | 'save';

/** What is designed, whether it is saved, and what can be done with the whole of it. */
export function DesignerHead(props: {
  readonly name: string;
  readonly design: Design;
  readonly saving: boolean;
  readonly onDo: (what: Doing) => void;
}) {
  const { design, onDo } = props;
  const { history, isSaved, base, drawn, isStale } = design;
  const errors = design.reading.problems.filter(({ severity }) => severity === 'error').length;
  return (
    <PageHead
      title={`Designer: ${props.name}`}
      beside={
        <>
          {history.now.language !== 'native' && (
            <Label isCompact variant="outline" data-language={history.now.language}>
              {history.now.language}
            </Label>
          )}{' '}
          {isSaved ? (
            <Label isCompact color="green">
              saved
            </Label>
          ) : (
            <Label isCompact color="orange" data-unsaved>
              {base === undefined ? 'new' : 'changed'}
            </Label>
          )}
        </>
      }
      actions={
        <>
          <Step
            label="Undo"
            icon={<UndoIcon />}
            count={history.past.length}
            onClick={() => design.dispatch({ type: 'undo' })}
          />
          <Step
            label="Redo"
            icon={<RedoIcon />}
            count={history.future.length}
            onClick={() => design.dispatch({ type: 'redo' })}
          />
          {history.now.language !== 'native' && (
            <ReasonButton
              variant="secondary"
              permission={drawn === undefined || isStale ? no('The text cannot be read yet.') : yes}
              onClick={() => onDo('native')}
            >
              Make it native
            </ReasonButton>
          )}
          <Button variant="secondary" onClick={() => onDo('another')}>
            New…
          </Button>
          <Button variant="secondary" onClick={() => onDo('import')}>
            Import…
          </Button>
          <ReasonButton
            variant="secondary"
            permission={
              drawn === undefined
                ? no('There is nothing yet that can be written.')
                : errors > 0
                  ? no('Mend what the check complains of first.')
                  : yes
            }
            onClick={() => onDo('export')}
          >
            Export…
          </ReasonButton>
          <Button variant="secondary" onClick={() => onDo('versions')}>
            Versions…
          </Button>
          <ReasonButton
            variant="secondary"
            permission={
              base === undefined || !isSaved ? no('Save it first: a plan is made of a version of the catalogue.') : yes
            }
            onClick={() => onDo('plan')}
          >
            Plan…
          </ReasonButton>
          <ActionButton isLoading={props.saving} permission={saveable(design, errors)} onClick={() => onDo('save')}>
            Save
          </ActionButton>
        </>
      }
    />
  );
}

const yes: Permission = { allowed: true };
const no = (reason: string): Permission => ({ allowed: false, reason });

function saveable({ isSaved, drawn, isStale }: Design, errors: number): Permission {
  if (isSaved) return no('Nothing has changed since it was saved.');
  if (drawn === undefined || isStale) return no('The text cannot be read: mend it first.');
  return errors > 0 ? no(`The check finds ${errors} ${errors === 1 ? 'error' : 'errors'}: mend them first.`) : yes;
}

function Step(props: {
  readonly label: string;
  readonly icon: ReactNode;
  readonly count: number;
  readonly onClick: () => void;
}) {
  return (
    <Tooltip
      content={props.count === 0 ? `Nothing to ${props.label.toLowerCase()}` : `${props.label} (${props.count})`}
    >
      <Button
        variant="plain"
        aria-label={props.label}
        icon={props.icon}
        isAriaDisabled={props.count === 0}
        onClick={props.onClick}
      />
    </Tooltip>
  );
}
