import type { ServiceDetail } from '@superfluidity/api';
import { FormGroup, FormSelect, FormSelectOption, NumberInput } from '@patternfly/react-core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useClient } from '../data/session.tsx';
import { Dialog } from './dialog.tsx';

/** The bound of the API, see `scaleService`. */
const COUNT_MAX = 10_000;

export function ScaleDialog(props: {
  readonly service: ServiceDetail;
  readonly onClose: () => void;
  readonly onStarted: (accepted: { readonly operation: string }) => void;
}) {
  const { service } = props;
  const client = useClient();
  const units = service.functions.flatMap((f) => f.units);
  const [path, setPath] = useState(units.at(-1)?.path ?? '');
  const wanted = units.find((unit) => unit.path === path)?.wanted ?? 0;
  const [count, setCount] = useState(wanted);
  const set = (value: number) =>
    setCount(Math.min(COUNT_MAX, Math.max(0, Number.isFinite(value) ? Math.round(value) : 0)));
  const scale = useMutation({
    mutationFn: () => client.call('scaleService', { params: { name: service.name }, body: { unit: path, count } }),
    onSuccess: props.onStarted,
  });
  return (
    <Dialog
      title={`Scale a unit of ${service.name}`}
      description="Instances are added where placement finds room for them, or drained and removed."
      verb="Scale"
      disabled={count === wanted || path === ''}
      because={path === '' ? 'The service has no units.' : `There are ${wanted} now. Choose another number.`}
      pending={scale.isPending}
      error={scale.error}
      onSubmit={() => scale.mutate()}
      onClose={props.onClose}
    >
      <FormGroup label="Unit" fieldId="scale-unit">
        <FormSelect
          id="scale-unit"
          value={path}
          onChange={(_event, value) => {
            setPath(value);
            setCount(units.find((unit) => unit.path === value)?.wanted ?? 0);
          }}
        >
          {units.map((unit) => (
            <FormSelectOption key={unit.path} value={unit.path} label={`${unit.path} (${unit.environment})`} />
          ))}
        </FormSelect>
      </FormGroup>
      <FormGroup label="Instances" fieldId="scale-count">
        <NumberInput
          inputProps={{ id: 'scale-count' }}
          inputAriaLabel="Instances"
          minusBtnAriaLabel="One less"
          plusBtnAriaLabel="One more"
          value={count}
          min={0}
          max={COUNT_MAX}
          onMinus={() => set(count - 1)}
          onPlus={() => set(count + 1)}
          onChange={(event) => set(Number(event.currentTarget.value))}
        />
        <p className="sf-form__note">{wanted === 1 ? '1 now.' : `${wanted} now.`}</p>
      </FormGroup>
    </Dialog>
  );
}
