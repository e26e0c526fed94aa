import type { User } from '@superfluidity/api';
import { FormGroup, FormSelect, FormSelectOption, TextInput } from '@patternfly/react-core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useQueriesOf } from '../data/queries.ts';
import { useClient } from '../data/session.tsx';
import { Dialog } from '../service/dialog.tsx';
import { Failure } from '../ui/failure.tsx';
import { PASSWORD_MIN, PasswordField } from './password-field.tsx';

type Role = User['role'];

/** What the address asks for: `do=add`, `do=change&of=giulia`. */
export function UserDialogs(props: {
  readonly asked: string | undefined;
  readonly of: string | undefined;
  readonly onClose: () => void;
}) {
  if (props.asked === 'add') return <AddUser onClose={props.onClose} />;
  if (props.asked === 'change' && props.of !== undefined) return <FoundUser name={props.of} onClose={props.onClose} />;
  return null;
}

function AddUser({ onClose }: { readonly onClose: () => void }) {
  const client = useClient();
  const cache = useQueryClient();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('reader');
  const [password, setPassword] = useState('');
  const add = useMutation({
    mutationFn: () => client.call('addUser', { body: { name, role, ...(password === '' ? {} : { password }) } }),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: ['users'] });
      onClose();
    },
  });
  return (
    <Dialog
      title="Add a user"
      description="A person who signs in, or a program that has tokens of its own."
      verb="Add"
      disabled={name === '' || (password !== '' && password.length < PASSWORD_MIN)}
      pending={add.isPending}
      error={add.error}
      onSubmit={() => add.mutate()}
      onClose={onClose}
    >
      <FormGroup label="Name" fieldId="user-name" isRequired>
        <TextInput
          id="user-name"
          value={name}
          autoComplete="off"
          onChange={(_event, value) => setName(value)}
          pattern="[a-z0-9]([a-z0-9\-]*[a-z0-9])?"
        />
        <p className="sf-form__note">Lower-case letters, digits and hyphens: giulia</p>
      </FormGroup>
      <RoleField value={role} onChange={setRole} />
      <PasswordField
        label="Password"
        value={password}
        onChange={setPassword}
        note="Empty: nobody signs in with this name, it has tokens alone."
      />
    </Dialog>
  );
}

function FoundUser({ name, onClose }: { readonly name: string; readonly onClose: () => void }) {
  const user = useQuery(useQueriesOf().user(name));
  if (user.isError) return <Failure error={user.error} what={`user ${name}`} onRetry={() => void user.refetch()} />;
  return user.data === undefined ? null : <ChangeUser user={user.data} onClose={onClose} />;
}

function ChangeUser({ user, onClose }: { readonly user: User; readonly onClose: () => void }) {
  const client = useClient();
  const cache = useQueryClient();
  const mine = useQuery(useQueriesOf().me).data?.name;
  const [role, setRole] = useState<Role>(user.role);
  const [password, setPassword] = useState('');
  const params = { name: user.name };
  const change = useMutation({
    mutationFn: async () => {
      if (role !== user.role) await client.call('changeUser', { params, body: { role } });
      if (password !== '') await client.call('setUserPassword', { params, body: { password } });
    },
    onSuccess: async () => {
      await Promise.all(['users', 'user'].map((key) => cache.invalidateQueries({ queryKey: [key] })));
      onClose();
    },
  });
  const same = role === user.role && password === '';
  return (
    <Dialog
      title={`Change ${user.name}`}
      description="A new password ends all sessions of the user; tokens stay as they are."
      verb="Change"
      disabled={same || (password !== '' && password.length < PASSWORD_MIN)}
      pending={change.isPending}
      error={change.error}
      onSubmit={() => change.mutate()}
      onClose={onClose}
    >
      {user.name === mine ? (
        <p className="sf-form__note">It is you: your role is for another admin to change.</p>
      ) : (
        <RoleField value={role} onChange={setRole} />
      )}
      <PasswordField label="New password" value={password} onChange={setPassword} note="Empty: as it is." />
    </Dialog>
  );
}

function RoleField({ value, onChange }: { readonly value: Role; readonly onChange: (role: Role) => void }) {
  return (
    <FormGroup label="Role" fieldId="user-role">
      <FormSelect
        id="user-role"
        value={value}
        onChange={(_event, next) => onChange(next === 'admin' ? 'admin' : 'reader')}
      >
        <FormSelectOption value="reader" label="reader: sees everything" />
        <FormSelectOption value="admin" label="admin: may do everything" />
      </FormSelect>
    </FormGroup>
  );
}
