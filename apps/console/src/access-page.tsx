import { Button, ClipboardCopy, TextInput } from '@patternfly/react-core';
import { type FormEvent, useState } from 'react';
import { Brand } from './ui/brand.tsx';

/** Without a token there is nothing to show but where to find one. */
export function AccessPage({
  refused = false,
  onToken,
}: {
  readonly refused?: boolean;
  readonly onToken: (token: string) => void;
}) {
  const [token, setToken] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (token.trim() !== '') onToken(token.trim());
  };
  return (
    <main className="sf-access">
      <section className="sf-access__card" aria-labelledby="access-title">
        <Brand />
        <h1 id="access-title">{refused ? 'This token is not accepted' : 'A token is needed'}</h1>
        <p>
          {refused
            ? 'It may belong to another control plane, or have been replaced. Print the valid one on the machine that runs this control plane:'
            : 'The control plane opens this page with a token. To get it again, run this on the machine that it runs on:'}
        </p>
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
              validated={refused ? 'error' : 'default'}
            />
            <Button type="submit" isDisabled={token.trim() === ''}>
              Open
            </Button>
          </div>
        </form>
        <p className="sf-subtle">It is kept for this browser tab only.</p>
      </section>
    </main>
  );
}
