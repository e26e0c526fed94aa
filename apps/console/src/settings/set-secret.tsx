import type { Secret } from '@superfluidity/api';
import { FormGroup, FormSelect, FormSelectOption, TextArea, TextInput } from '@patternfly/react-core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useClient } from '../data/session.tsx';
import { Dialog } from '../service/dialog.tsx';

export const secretKinds: Readonly<Record<Secret['kind'], string>> = {
  registry: 'registry',
  cloud: 'cloud',
  'cloud-init': 'cloud-init',
  'ssh-key': 'SSH key',
  other: 'other',
};

/** What the control plane takes. */
const LENGTH_MIN = 8;

/** A new secret, or another value for one. What was there before is not shown: nobody gets it back. */
export function SetSecret({ of, onClose }: { readonly of: string | undefined; readonly onClose: () => void }) {
  const client = useClient();
  const cache = useQueryClient();
  const [name, setName] = useState(of ?? '');
  const [kind, setKind] = useState<Secret['kind']>('other');
  const [value, setValue] = useState('');
  const set = useMutation({
    mutationFn: () => client.call('setSecret', { params: { name }, body: { kind, value } }),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: ['secrets'] });
      onClose();
    },
  });
  return (
    <Dialog
      title={of === undefined ? 'Set a secret' : `Replace the secret ${of}`}
      description="It is sealed in the database, given to sites alone, and shown to nobody again. Sites that use it are opened anew; units have what they were started with."
      verb="Set"
      disabled={name === '' || value.length < LENGTH_MIN}
      pending={set.isPending}
      error={set.error}
      onSubmit={() => set.mutate()}
      onClose={onClose}
    >
      {of === undefined && (
        <FormGroup label="Name" fieldId="secret-name" isRequired>
          <TextInput
            id="secret-name"
            value={name}
            pattern="[a-z0-9]([a-z0-9\-]*[a-z0-9])?"
            onChange={(_event, next) => setName(next)}
          />
          <p className="sf-form__note">
            Referred to as <code>secret:{name === '' ? 'NAME' : name}</code>
          </p>
        </FormGroup>
      )}
      <FormGroup label="Kind" fieldId="secret-kind">
        <FormSelect id="secret-kind" value={kind} onChange={(_event, next) => setKind(next as Secret['kind'])}>
          {Object.entries(secretKinds).map(([one, title]) => (
            <FormSelectOption key={one} value={one} label={title} />
          ))}
        </FormSelect>
      </FormGroup>
      <FormGroup label="Value" fieldId="secret-value" isRequired>
        <TextArea
          id="secret-value"
          className="sf-hidden-text"
          value={value}
          spellCheck={false}
          autoComplete="off"
          resizeOrientation="vertical"
          aria-describedby="secret-note"
          onChange={(_event, next) => setValue(next)}
        />
        <p id="secret-note" className="sf-form__note">
          {LENGTH_MIN} characters or more; several lines as they are.
        </p>
      </FormGroup>
    </Dialog>
  );
}
