import { Button } from '@patternfly/react-core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useRouteContext } from '@tanstack/react-router';
import { useState } from 'react';
import { useQueriesOf } from '../data/queries.ts';
import { useClient } from '../data/session.tsx';
import { Dialog } from '../service/dialog.tsx';
import { useConfirm } from '../ui/confirm.tsx';
import { Facts } from '../ui/facts.tsx';
import { Failure } from '../ui/failure.tsx';
import { Panel } from '../ui/panel.tsx';
import { RoleLabel } from '../ui/role-label.tsx';
import { PASSWORD_MIN, PasswordField } from './password-field.tsx';

/** Who uses the console here, and what that one may change without asking an admin. */
export function You({ onPassword }: { readonly onPassword: () => void }) {
  const client = useClient();
  const confirm = useConfirm();
  const { leave } = useRouteContext({ from: '__root__' });
  const query = useQuery(useQueriesOf().me);
  if (query.isError) return <Failure error={query.error} what="you" onRetry={() => void query.refetch()} />;
  const me = query.data;
  if (me === undefined) return null;
  const signOutEverywhere = () =>
    confirm({
      title: 'Sign out everywhere?',
      body: 'Every browser in which you have signed in, this one too, asks for your password again. Tokens go on.',
      verb: 'Sign out everywhere',
      danger: true,
      act: async () => {
        await client.call('signOut', { query: { everywhere: 'true' } });
        if (me.session !== undefined) leave();
      },
    });
  return (
    <Panel title={me.name} beside={<RoleLabel role={me.role} />}>
      <Facts
        of={[
          ['Here by', me.token === undefined ? 'name and password' : `the token ${me.token}`],
          ['Signed in until', me.session === undefined ? undefined : new Date(me.session.expiresAt).toLocaleString()],
        ]}
      />
      <p className="sf-actions">
        <Button variant="secondary" onClick={onPassword}>
          Change password…
        </Button>{' '}
        <Button variant="secondary" isDanger onClick={signOutEverywhere}>
          Sign out everywhere…
        </Button>
      </p>
    </Panel>
  );
}

export function OwnPassword({ onClose }: { readonly onClose: () => void }) {
  const client = useClient();
  const [current, setCurrent] = useState('');
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const change = useMutation({
    mutationFn: () => client.call('changePassword', { body: { current, password } }),
    onSuccess: onClose,
  });
  return (
    <Dialog
      title="Change your password"
      description="You stay signed in here; other browsers ask for the new one."
      verb="Change"
      disabled={current === '' || password.length < PASSWORD_MIN || again !== password}
      pending={change.isPending}
      error={change.error}
      onSubmit={() => change.mutate()}
      onClose={onClose}
    >
      <PasswordField label="Password until now" value={current} onChange={setCurrent} autoComplete="current-password" />
      <PasswordField label="New password" value={password} onChange={setPassword} />
      <PasswordField label="The same again" value={again} onChange={setAgain} />
    </Dialog>
  );
}
