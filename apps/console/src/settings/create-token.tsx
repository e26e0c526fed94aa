import type { Token } from '@superfluidity/api';
import { ClipboardCopy, FormGroup, FormSelect, FormSelectOption, TextInput } from '@patternfly/react-core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useClient } from '../data/session.tsx';
import { Dialog } from '../service/dialog.tsx';

/** Its secret is shown once, in the same dialog. */
export function CreateToken({ onClose }: { readonly onClose: () => void }) {
  const client = useClient();
  const cache = useQueryClient();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Token['role']>('reader');
  const create = useMutation({
    mutationFn: () => client.call('createToken', { body: { name, role } }),
    onSuccess: () => void cache.invalidateQueries({ queryKey: ['tokens'] }),
  });
  return (
    <Dialog
      title={create.data === undefined ? 'Create a token' : `The token ${create.data.name}`}
      description={
        create.data === undefined
          ? 'A reader sees everything and changes nothing. An admin may do everything.'
          : 'This is the only time that it is shown: the control plane keeps its hash alone.'
      }
      verb={create.data === undefined ? 'Create' : 'Done'}
      disabled={name === ''}
      pending={create.isPending}
      error={create.error}
      onSubmit={() => (create.data === undefined ? create.mutate() : onClose())}
      onClose={onClose}
    >
      {create.data === undefined ? (
        <>
          <FormGroup label="Name" fieldId="token-name">
            <TextInput
              id="token-name"
              value={name}
              pattern="[a-z0-9]([a-z0-9\-]*[a-z0-9])?"
              onChange={(_event, value) => setName(value)}
            />
            <p className="sf-form__note">Lower-case letters, digits and hyphens: ci-pipeline</p>
          </FormGroup>
          <FormGroup label="Role" fieldId="token-role">
            <FormSelect
              id="token-role"
              value={role}
              onChange={(_event, value) => setRole(value === 'admin' ? 'admin' : 'reader')}
            >
              <FormSelectOption value="reader" label="reader: sees everything" />
              <FormSelectOption value="admin" label="admin: may do everything" />
            </FormSelect>
          </FormGroup>
        </>
      ) : (
        <ClipboardCopy isReadOnly isCode hoverTip="Copy" clickTip="Copied" textAriaLabel="Secret of the token">
          {create.data.secret}
        </ClipboardCopy>
      )}
    </Dialog>
  );
}
