import type { SystemInfo } from '@superfluidity/api';
import { FormGroup, FormSelect, FormSelectOption, TextInput } from '@patternfly/react-core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useQueriesOf } from '../data/queries.ts';
import { useClient } from '../data/session.tsx';
import { Dialog } from '../service/dialog.tsx';
import { Expandable } from '../ui/expandable.tsx';
import { Help, SchemaField } from '../ui/schema-field.tsx';
import { configOf, fieldsOf, keyOf, problemOf } from '../view-model/config-form.ts';

const NO_KINDS: SystemInfo['siteKinds'] = [];
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** A site, with the fields that its driver asks for. */
export function SiteForm({ onClose }: { readonly onClose: () => void }) {
  const client = useClient();
  const cache = useQueryClient();
  const kinds = useQuery(useQueriesOf().system).data?.siteKinds ?? NO_KINDS;
  const [name, setName] = useState('');
  const [tier, setTier] = useState('');
  const [chosen, setChosen] = useState<string>();
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({});
  const kind = kinds.find((one) => one.kind === chosen) ?? kinds.find((one) => one.usable) ?? kinds[0];
  const fields = useMemo(() => fieldsOf(kind?.configSchema ?? {}), [kind]);
  const wrong = fields.some((field) => problemOf(field, typed[keyOf(field)] ?? '') !== undefined);
  const add = useMutation({
    mutationFn: () =>
      client.call('addSite', {
        body: { name, kind: kind!.kind, config: configOf(fields, typed), ...(tier === '' ? {} : { tier }) },
      }),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: ['sites'] });
      onClose();
    },
  });
  const lacking = kind?.missing.filter((one) => one.required) ?? [];
  return (
    <Dialog
      title="Add a site"
      description="A place where units can run. What is left empty is decided by the driver."
      verb="Add"
      disabled={!NAME.test(name) || kind === undefined || wrong}
      pending={add.isPending}
      error={add.error}
      onSubmit={() => add.mutate()}
      onClose={onClose}
    >
      <FormGroup label="Name" fieldId="site-name" isRequired>
        <TextInput
          id="site-name"
          value={name}
          onChange={(_event, value) => setName(value)}
          validated={name === '' || NAME.test(name) ? 'default' : 'error'}
        />
        <Help text="Lower-case letters, digits and hyphens: edge" />
      </FormGroup>
      <FormGroup label="Kind" fieldId="site-kind">
        <FormSelect
          id="site-kind"
          value={kind?.kind ?? ''}
          onChange={(_event, value) => {
            setChosen(value);
            setTyped({});
          }}
        >
          {kinds.map((one) => (
            <FormSelectOption
              key={one.kind}
              value={one.kind}
              label={one.usable ? one.kind : `${one.kind}: not usable on this machine`}
            />
          ))}
        </FormSelect>
        {lacking.map((one) => (
          <Help key={one.name} error text={`${one.name} is missing: ${one.reason}`} />
        ))}
      </FormGroup>
      <FormGroup label="Tier" fieldId="site-tier">
        <TextInput
          id="site-tier"
          value={tier}
          placeholder="edge, core, …"
          onChange={(_event, value) => setTier(value)}
        />
      </FormGroup>
      {fields.length > 0 && (
        <Expandable key={kind?.kind} open title={`Configuration, as the kind ${kind?.kind} declares it`}>
          <div className="sf-form">
            {fields.map((field) => (
              <SchemaField
                key={keyOf(field)}
                field={field}
                value={typed[keyOf(field)] ?? ''}
                onChange={(value) => setTyped((before) => ({ ...before, [keyOf(field)]: value }))}
              />
            ))}
          </div>
        </Expandable>
      )}
    </Dialog>
  );
}
