import { FormGroup, TextInput } from '@patternfly/react-core';
import { useId, useState } from 'react';

/** A word or a line that is taken over when its field is left. */
export function WordField({
  label,
  value,
  isRequired = false,
  onValue,
}: {
  readonly label: string;
  readonly value: string;
  readonly isRequired?: boolean;
  readonly onValue: (value: string) => void;
}) {
  const id = useId();
  const [typed, setTyped] = useState(value);
  const [known, setKnown] = useState(value);
  if (known !== value) {
    setKnown(value);
    setTyped(value);
  }
  const commit = () => {
    if (typed !== value) onValue(typed);
  };
  return (
    <FormGroup label={label} fieldId={id} isRequired={isRequired}>
      <TextInput
        id={id}
        value={typed}
        onChange={(_event, now) => setTyped(now)}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key === 'Enter') commit();
        }}
      />
    </FormGroup>
  );
}
