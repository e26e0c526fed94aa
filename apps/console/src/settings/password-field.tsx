import { FormGroup, TextInput } from '@patternfly/react-core';
import { useId } from 'react';

/** As the control plane wants it; what else makes a password good nobody can check. */
export const PASSWORD_MIN = 12;

export function PasswordField(props: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly note?: string;
  readonly autoComplete?: 'new-password' | 'current-password';
}) {
  const id = useId();
  const { value, autoComplete = 'new-password' } = props;
  const short = autoComplete === 'new-password' && value !== '' && value.length < PASSWORD_MIN;
  return (
    <FormGroup label={props.label} fieldId={id}>
      <TextInput
        id={id}
        type="password"
        autoComplete={autoComplete}
        value={value}
        onChange={(_event, next) => props.onChange(next)}
        validated={short ? 'warning' : 'default'}
        aria-describedby={`${id}-note`}
      />
      <p id={`${id}-note`} className="sf-form__note">
        {short ? `${PASSWORD_MIN} characters or more: there are ${value.length}.` : props.note}
      </p>
    </FormGroup>
  );
}
