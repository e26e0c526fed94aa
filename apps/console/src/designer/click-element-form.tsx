import { FormGroup, TextInput } from '@patternfly/react-core';
import { useId, useState } from 'react';
import type { Level } from './core/level.ts';

/** Class and configuration of an element of a Click program: what its parentheses say. */
export function ClickElementForm(props: {
  readonly level: Level;
  readonly name: string;
  readonly onChange: (field: 'class' | 'configuration', value: string | undefined) => void;
}) {
  const element = props.level.open.block.children.find(({ name }) => name === props.name);
  const said = (element?.carried?.['click'] ?? {}) as { readonly class?: string; readonly configuration?: string };
  return (
    <div className="sf-properties" data-subject={`click ${props.name}`}>
      <h3>element {props.name}</h3>
      <Field label="Class" value={said.class ?? ''} onValue={(value) => props.onChange('class', value)} />
      <Field
        label="Configuration"
        value={said.configuration ?? ''}
        onValue={(value) => props.onChange('configuration', value === '' ? undefined : value)}
      />
    </div>
  );
}

function Field({
  label,
  value,
  onValue,
}: {
  readonly label: string;
  readonly value: string;
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
    <FormGroup label={label} fieldId={id}>
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
