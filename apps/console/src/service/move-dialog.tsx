import type { ServiceDetail, SiteDetail } from '@superfluidity/api';
import { FormGroup, FormSelect, FormSelectOption } from '@patternfly/react-core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useClient } from '../data/session.tsx';
import { siteMayHost } from '../view-model/permitted.ts';
import { lotsOf } from '../view-model/unit-groups.ts';
import { Dialog } from './dialog.tsx';

/** Which function goes to which site. Sites that cannot take it are listed with the reason. */
export function MoveDialog(props: {
  readonly service: ServiceDetail;
  readonly sites: readonly SiteDetail[];
  readonly onClose: () => void;
  readonly onStarted: (accepted: { readonly operation: string }) => void;
}) {
  const { service, sites } = props;
  const client = useClient();
  const names = service.functions.map((f) => f.name);
  // The last function of a chain is what users come for, and what mostly moves.
  const [what, setWhat] = useState(names.at(-1) ?? '');
  const [chosen, setChosen] = useState<string>();
  const [host, setHost] = useState('');

  const units = lotsOf(service).filter((unit) => unit.path === what || unit.path.startsWith(`${what}/`));
  const choices = sites.map((site) => ({ site, may: siteMayHost(site, units) }));
  const to =
    choices.find(({ site, may }) => may.allowed && site.name === chosen) ?? choices.find(({ may }) => may.allowed);
  const from = [...new Set(units.map((unit) => unit.site))].join(', ');

  const move = useMutation({
    mutationFn: (target: string) =>
      client.call('moveService', {
        params: { name: service.name },
        body: { what, to: target, ...(host === '' ? {} : { host }) },
      }),
    onSuccess: props.onStarted,
  });
  return (
    <Dialog
      title={`Move a function of ${service.name}`}
      description="Make before break: the new one runs before the chain is switched, then the old one finishes what it has and is removed."
      verb="Move"
      disabled={to === undefined}
      because="No other site can take it: the list of sites says why."
      pending={move.isPending}
      error={move.error}
      onSubmit={() => to !== undefined && move.mutate(to.site.name)}
      onClose={props.onClose}
    >
      <FormGroup label="Function" fieldId="move-what">
        <FormSelect
          id="move-what"
          value={what}
          onChange={(_event, value) => {
            setWhat(value);
            setHost('');
          }}
        >
          {names.map((name) => (
            <FormSelectOption key={name} value={name} label={name} />
          ))}
        </FormSelect>
        <p className="sf-form__note">{from === '' ? 'It has no units.' : `It is on ${from} now.`}</p>
      </FormGroup>
      <FormGroup label="To site" fieldId="move-to">
        <FormSelect
          id="move-to"
          value={to?.site.name ?? ''}
          onChange={(_event, value) => {
            setChosen(value);
            setHost('');
          }}
        >
          {choices.map(({ site, may }) => (
            <FormSelectOption
              key={site.name}
              value={site.name}
              label={may.allowed ? site.name : `${site.name}: ${may.reason}`}
              isDisabled={!may.allowed}
            />
          ))}
        </FormSelect>
        {to === undefined && <p className="sf-form__note">No other site can take it.</p>}
      </FormGroup>
      <FormGroup label="On host" fieldId="move-host">
        <FormSelect id="move-host" value={host} onChange={(_event, value) => setHost(value)}>
          <FormSelectOption value="" label="placement decides" />
          {(to?.site.hosts ?? [])
            .filter((one) => one.schedulable)
            .map((one) => (
              <FormSelectOption key={one.name} value={one.name} label={one.name} />
            ))}
        </FormSelect>
      </FormGroup>
    </Dialog>
  );
}
