import { FormGroup, FormSelect, FormSelectOption, TextInput } from '@patternfly/react-core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useQueriesOf } from '../data/queries.ts';
import { useClient } from '../data/session.tsx';
import { Dialog } from '../service/dialog.tsx';

/** The link from one site to another: without it, no chain goes from one to the other. */
export function LinkForm(props: {
  readonly site: string;
  /** To which it is to go, at first. */
  readonly other?: string;
  /** Id of the operation by which it is changed. */
  readonly onStarted?: (operation: string) => void;
  readonly onClose: () => void;
}) {
  const { site, onClose } = props;
  const client = useClient();
  const cache = useQueryClient();
  const q = useQueriesOf();
  const others = (useQuery(q.sites).data ?? []).map(({ name }) => name).filter((name) => name !== site);
  const links = useQuery(q.links).data ?? [];
  const [chosen, setChosen] = useState(props.other);
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({});
  const to = chosen ?? others[0] ?? '';
  const known = links.find(({ a, b }) => [a, b].includes(site) && [a, b].includes(to));
  const value = (name: 'latencyMs' | 'jitterMs' | 'bandwidthMbps', otherwise: number) =>
    Number(typed[name] ?? known?.[name] ?? otherwise);
  const link = {
    a: site,
    b: to,
    latencyMs: value('latencyMs', 10),
    jitterMs: value('jitterMs', 0),
    bandwidthMbps: value('bandwidthMbps', 1_000),
    loss: known?.loss ?? 0,
  };
  const sensible = link.latencyMs >= 0 && link.jitterMs >= 0 && link.bandwidthMbps > 0;
  const set = useMutation({
    // Refused when somebody else has changed it since this was opened.
    mutationFn: () => client.call('changeLink', { body: { link, before: known ?? null } }),
    onSuccess: async ({ operation }) => {
      props.onStarted?.(operation);
      await cache.invalidateQueries({ queryKey: ['links'] });
      onClose();
    },
  });
  const field = (name: 'latencyMs' | 'jitterMs' | 'bandwidthMbps', label: string) => (
    <FormGroup label={label} fieldId={`link-${name}`}>
      <TextInput
        id={`link-${name}`}
        inputMode="decimal"
        value={typed[name] ?? String(link[name])}
        onChange={(_event, text) => setTyped((before) => ({ ...before, [name]: text }))}
      />
    </FormGroup>
  );
  return (
    <Dialog
      title={`Link ${site} with another site`}
      description="What lies between the two: placement counts with it, and chains go over it. It is changed by an operation."
      verb={known === undefined ? 'Link' : 'Change'}
      disabled={to === '' || !sensible}
      pending={set.isPending}
      error={set.error}
      onSubmit={() => set.mutate()}
      onClose={onClose}
    >
      <FormGroup label="With" fieldId="link-to">
        <FormSelect
          id="link-to"
          value={to}
          onChange={(_event, name) => {
            setChosen(name);
            setTyped({});
          }}
        >
          {others.length === 0 && <FormSelectOption value="" label="there is no other site" isDisabled />}
          {others.map((name) => (
            <FormSelectOption key={name} value={name} label={name} />
          ))}
        </FormSelect>
      </FormGroup>
      {field('latencyMs', 'One way, in ms')}
      {field('jitterMs', 'Jitter, in ms')}
      {field('bandwidthMbps', 'Bandwidth, in Mb/s')}
    </Dialog>
  );
}
