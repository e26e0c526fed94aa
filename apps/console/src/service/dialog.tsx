import { Button, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { type FormEvent, type ReactNode, useId } from 'react';
import { ReasonButton } from '../ui/action-button.tsx';
import { errorBodyOf, ErrorView } from '../ui/error-view.tsx';
import type { Permission } from '../view-model/permitted.ts';

function maySubmit(of: {
  readonly disabled: boolean;
  readonly because?: string;
  readonly pending: boolean;
}): Permission {
  if (of.pending) return { allowed: false, reason: 'It is being asked for.' };
  if (!of.disabled) return { allowed: true };
  return { allowed: false, reason: of.because ?? 'Something in the form is missing, or not as it should be.' };
}

/** A form that starts an operation. It stays open, with the error, when the control plane refuses. */
export function Dialog(props: {
  readonly title: string;
  readonly description: string;
  readonly verb: string;
  readonly disabled: boolean;
  /** Why, where more is known than that the form is not complete. */
  readonly because?: string;
  readonly pending: boolean;
  readonly error: unknown;
  readonly onSubmit: () => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
}) {
  const id = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!props.disabled && !props.pending) props.onSubmit();
  };
  return (
    <Modal
      isOpen
      variant="small"
      onClose={props.onClose}
      elementToFocus=".sf-form :is(input:not([type='file']), select, textarea, button)"
      aria-labelledby={`${id}-title`}
      aria-describedby={`${id}-body`}
    >
      <ModalHeader title={props.title} description={props.description} labelId={`${id}-title`} />
      <ModalBody id={`${id}-body`}>
        <form id={id} className="sf-form" onSubmit={submit}>
          {props.children}
          {props.error !== null && props.error !== undefined && <ErrorView error={errorBodyOf(props.error)} />}
        </form>
      </ModalBody>
      <ModalFooter>
        <ReasonButton type="submit" form={id} permission={maySubmit(props)} isLoading={props.pending}>
          {props.verb}
        </ReasonButton>
        <Button variant="link" onClick={props.onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Modal>
  );
}
