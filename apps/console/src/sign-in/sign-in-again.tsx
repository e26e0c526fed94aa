import { createClient } from '@superfluidity/api';
import { Alert, Modal, ModalBody, ModalHeader } from '@patternfly/react-core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Credential } from '../data/credential.ts';
import { useQueriesOf } from '../data/queries.ts';
import { useSession } from '../data/session.tsx';
import { useStore } from '../data/store.ts';
import { type ErrorBody, errorBodyOf, ErrorView } from '../ui/error-view.tsx';
import { SignInForm } from './sign-in-form.tsx';

/** Over the page, which stays as it is with all that was typed: what the page had asked for goes on afterwards. */
export function SignInAgain(props: {
  readonly onDone: (credential: Credential) => void;
  readonly onLeave: () => void;
}) {
  const session = useSession();
  const queryClient = useQueryClient();
  const credential = useStore(session.credential);
  const reachability = useStore(session.reachability);
  const user = useQuery(useQueriesOf().me).data?.name;
  const [error, setError] = useState<ErrorBody>();
  if (reachability !== 'ended') return null;
  const done = async (next: Credential) => {
    setError(undefined);
    try {
      const asked = createClient({ server: location.origin, ...(next.kind === 'token' ? { token: next.token } : {}) });
      const me = await asked.call('getMe');
      props.onDone(next);
      session.renew(next, me.name === user);
      // Another one may be here now, who may do less.
      void queryClient.invalidateQueries();
    } catch (caught) {
      setError(errorBodyOf(caught));
    }
  };
  return (
    <Modal
      id="sign-in-again"
      isOpen
      variant="small"
      onClose={props.onLeave}
      elementToFocus="#sign-in-password, #token"
      aria-labelledby="again-title"
      aria-describedby="again-body"
    >
      <ModalHeader
        title={credential.kind === 'session' ? 'Your session is over' : 'The token is not accepted any more'}
        labelId="again-title"
        description="Sign in again to go on. Closing this leaves the page, and what is typed on it."
      />
      <ModalBody id="again-body">
        <Alert isInline isPlain variant="info" title="Nothing that you have typed is lost." />
        <SignInForm
          onDone={(next) => void done(next)}
          {...(user === undefined ? {} : { user })}
          first={credential.kind}
        />
        {error !== undefined && <ErrorView error={error} title="Not accepted" />}
      </ModalBody>
    </Modal>
  );
}
