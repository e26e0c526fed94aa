import { createClient } from '@superfluidity/api';
import { Button, ClipboardCopy, FormGroup, TextInput } from '@patternfly/react-core';
import { type FormEvent, useState } from 'react';
import type { Credential } from '../data/credential.ts';
import { type ErrorBody, errorBodyOf, ErrorView } from '../ui/error-view.tsx';

/** By name and password, or with a token: whoever runs the control plane has one in any case. */
export function SignInForm(props: {
  readonly onDone: (credential: Credential) => void;
  readonly user?: string;
  readonly first?: Credential['kind'];
}) {
  const [way, setWay] = useState<Credential['kind']>(props.first ?? 'session');
  const other = way === 'session' ? 'token' : 'session';
  return (
    <>
      {way === 'session' ? <ByPassword {...props} /> : <ByToken onDone={props.onDone} />}
      <Button variant="link" isInline onClick={() => setWay(other)}>
        {other === 'token' ? 'Use a token instead' : 'Sign in with a name and a password instead'}
      </Button>
    </>
  );
}

function ByPassword({
  user = '',
  onDone,
}: {
  readonly user?: string;
  readonly onDone: (credential: Credential) => void;
}) {
  const [name, setName] = useState(user);
  const [password, setPassword] = useState('');
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<ErrorBody>();
  const empty = name.trim() === '' || password === '';
  const signIn = async () => {
    setPending(true);
    setError(undefined);
    try {
      // Not the client of the page: a refusal here is about this password alone.
      const client = createClient({ server: location.origin });
      const me = await client.call('signIn', { body: { name: name.trim(), password } });
      onDone({ kind: 'session', user: me.name });
    } catch (caught) {
      setPassword('');
      setError(errorBodyOf(caught));
    } finally {
      setPending(false);
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!empty && !pending) void signIn();
  };
  return (
    <form onSubmit={submit} className="sf-form sf-sign-in">
      <FormGroup label="Name" fieldId="sign-in-name">
        <TextInput
          id="sign-in-name"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          value={name}
          onChange={(_event, value) => setName(value)}
        />
      </FormGroup>
      <FormGroup label="Password" fieldId="sign-in-password">
        <TextInput
          id="sign-in-password"
          type="password"
          autoComplete="current-password"
          value={password}
          onChange={(_event, value) => setPassword(value)}
        />
      </FormGroup>
      {error !== undefined && <ErrorView error={error} title="Not signed in" />}
      <Button type="submit" isDisabled={empty || pending} isLoading={pending}>
        Sign in
      </Button>
    </form>
  );
}

function ByToken({ onDone }: { readonly onDone: (credential: Credential) => void }) {
  const [token, setToken] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (token.trim() !== '') onDone({ kind: 'token', token: token.trim() });
  };
  return (
    <>
      <p>On the machine of the control plane, this prints the one that it made:</p>
      <ClipboardCopy isReadOnly isCode hoverTip="Copy" clickTip="Copied">
        superfluidity token show
      </ClipboardCopy>
      <form onSubmit={submit} className="sf-access__form">
        <label htmlFor="token">Token</label>
        <div>
          <TextInput
            id="token"
            type="password"
            autoComplete="off"
            value={token}
            onChange={(_event, value) => setToken(value)}
          />
          <Button type="submit" isDisabled={token.trim() === ''}>
            Open
          </Button>
        </div>
        <p className="sf-subtle">It is kept for this browser tab only.</p>
      </form>
    </>
  );
}
