import { Button, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { type FormEvent, type ReactNode, useId } from 'react';
import { errorBodyOf, ErrorView } from '../ui/error-view.tsx';

/** A form that starts an operation. It stays open, with the error, when the control plane refuses. */
export function Dialog(props: {
  readonly title: string;
  readonly description: string;
  readonly verb: string;
  readonly disabled: boolean;
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
        <Button type="submit" form={id} isDisabled={props.disabled || props.pending} isLoading={props.pending}>
          {props.verb}
        </Button>
        <Button variant="link" onClick={props.onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Modal>
  );
}
