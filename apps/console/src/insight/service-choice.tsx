import type { Service } from '@superfluidity/api';
import { FormSelect, FormSelectOption } from '@patternfly/react-core';
import { useNavigate } from '@tanstack/react-router';

/** Which service a tab is about; in the address. */
export function ServiceChoice({
  name,
  list,
}: {
  readonly name: string | undefined;
  readonly list: readonly Service[];
}) {
  const navigate = useNavigate({ from: '/insight' });
  return (
    <FormSelect
      aria-label="Service"
      className="sf-choice"
      value={name ?? ''}
      onChange={(_event, service) =>
        void navigate({ search: ({ tab }) => ({ service, ...(tab === undefined ? {} : { tab }) }) })
      }
    >
      {name !== undefined && !list.some((one) => one.name === name) && <FormSelectOption value={name} label={name} />}
      {list.map((one) => (
        <FormSelectOption key={one.id} value={one.name} label={one.name} />
      ))}
    </FormSelect>
  );
}
