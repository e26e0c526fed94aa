import { Button, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { createContext, type ReactNode, use, useCallback, useState } from 'react';
import { type ErrorBody, errorBodyOf, ErrorView } from './error-view.tsx';

/** The one way to ask before something that cannot simply be taken back. */
export interface Question {
  readonly title: string;
  readonly body: ReactNode;
  /** The verb on the button: `Terminate`, never `OK`. */
  readonly verb: string;
  readonly danger: boolean;
  /** The dialog stays open, with the error, when it fails. */
  readonly act: () => Promise<unknown>;
}

const ConfirmContext = createContext<(question: Question) => void>(() => {});
export const useConfirm = () => use(ConfirmContext);

export function ConfirmProvider({ children }: { readonly children: ReactNode }) {
  const [question, setQuestion] = useState<Question>();
  const [acting, setActing] = useState(false);
  const [error, setError] = useState<ErrorBody>();
  const close = useCallback(() => {
    setQuestion(undefined);
    setError(undefined);
  }, []);
  const act = async () => {
    setActing(true);
    try {
      await question?.act();
      close();
    } catch (caught) {
      setError(errorBodyOf(caught));
    } finally {
      setActing(false);
    }
  };
  return (
    <ConfirmContext value={setQuestion}>
      {children}
      {question !== undefined && (
        <Modal isOpen variant="small" onClose={close} aria-labelledby="confirm-title" aria-describedby="confirm-body">
          <ModalHeader
            title={question.title}
            labelId="confirm-title"
            {...(question.danger ? { titleIconVariant: 'warning' as const } : {})}
          />
          <ModalBody id="confirm-body">
            {question.body}
            {error !== undefined && <ErrorView error={error} />}
          </ModalBody>
          <ModalFooter>
            <Button
              variant={question.danger ? 'danger' : 'primary'}
              isLoading={acting}
              isDisabled={acting}
              onClick={act}
            >
              {question.verb}
            </Button>
            <Button variant="link" onClick={close}>
              Keep it as it is
            </Button>
          </ModalFooter>
        </Modal>
      )}
    </ConfirmContext>
  );
}
