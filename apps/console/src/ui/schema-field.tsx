import {
  FormGroup,
  FormHelperText,
  FormSelect,
  FormSelectOption,
  HelperText,
  HelperTextItem,
  TextArea,
  TextInput,
} from '@patternfly/react-core';
import { type Field, keyOf, problemOf } from '../view-model/config-form.ts';

/** One value of a form that is made from a JSON Schema. */
export function SchemaField({
  field,
  value,
  onChange,
  prefix = 'config',
  secrets = [],
}: {
  readonly field: Field;
  /** Of the id: a page may have several forms. */
  readonly prefix?: string;
  /** Names of secrets, for what is not to be shown. */
  readonly secrets?: readonly string[];
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  const id = `${prefix}-${keyOf(field)}`;
  const problem = value === '' ? undefined : problemOf(field, value);
  const state = problem === undefined ? 'default' : 'error';
  const references = secrets.map((one) => `secret:${one}`);
  const choices = field.hidden ? references : field.kind === 'switch' ? ['true', 'false'] : field.choices;
  return (
    <FormGroup label={field.title} fieldId={id} isRequired={field.required}>
      {choices.length > 0 || field.hidden ? (
        <FormSelect id={id} value={value} onChange={(_event, next) => onChange(next)}>
          <FormSelectOption value="" label={field.initial === '' ? 'not set' : `${field.initial} (default)`} />
          {choices.map((one) => (
            <FormSelectOption key={one} value={one} label={one} />
          ))}
        </FormSelect>
      ) : field.kind === 'json' ? (
        <TextArea
          id={id}
          value={value}
          placeholder={field.initial === '' ? 'JSON' : field.initial}
          onChange={(_event, next) => onChange(next)}
          validated={state}
          autoResize
          resizeOrientation="vertical"
        />
      ) : (
        <TextInput
          id={id}
          value={value}
          placeholder={field.initial}
          inputMode={field.kind === 'text' ? 'text' : 'decimal'}
          onChange={(_event, next) => onChange(next)}
          validated={state}
        />
      )}
      {problem !== undefined && <Help error text={problem} />}
      {field.about !== undefined && <Help text={field.about} />}
      {field.hidden && (
        <Help text="A value that is not to be seen: set it as a secret under Settings, and choose it here." />
      )}
    </FormGroup>
  );
}

export function Help({ text, error = false }: { readonly text: string; readonly error?: boolean }) {
  return (
    <FormHelperText>
      <HelperText>
        <HelperTextItem variant={error ? 'error' : 'default'}>{text}</HelperTextItem>
      </HelperText>
    </FormHelperText>
  );
}
