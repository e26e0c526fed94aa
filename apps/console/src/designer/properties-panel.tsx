import {
  Button,
  FormGroup,
  FormHelperText,
  FormSelect,
  FormSelectOption,
  HelperText,
  HelperTextItem,
  InputGroup,
  InputGroupItem,
  InputGroupText,
  TextArea,
  TextInput,
} from '@patternfly/react-core';
import type { Path } from '@superfluidity/dialects/languages';
import { formatPath } from '@superfluidity/dialects/languages';
import { useId, useMemo, useState } from 'react';
import { keyOf } from '../view-model/config-form.ts';
import { documentOf } from './core/document.ts';
import { type DesignField, formOf, problemOfField, valueOfField } from './core/form.ts';
import { valueAt } from './core/yaml-edit.ts';

/** A thing of the design whose fields can be filled in. */
export interface Subject {
  readonly title: string;
  readonly at: Path;
  /** Its ports, which have forms of their own. */
  readonly ports: readonly { readonly id: string; readonly at: Path }[];
}

interface PropertiesProps {
  readonly text: string;
  readonly subject: Subject;
  readonly onChange: (path: Path, value: unknown) => void;
  readonly onRename: (at: Path, name: string) => void;
  readonly onPort: (at: Path) => void;
}

/** The form of what is selected: what the format has words for, with units. A field is taken over when it is left. */
export function PropertiesPanel({ text, subject, onChange, onRename, onPort }: PropertiesProps) {
  const fields = useMemo(() => {
    const document = documentOf(text);
    return document.errors.length > 0 ? [] : formOf(subject.at, valueAt(document, subject.at));
  }, [text, subject]);
  const [all, setAll] = useState(false);
  const filled = fields.filter(({ value, required }) => value !== '' || required);
  const shown = all || filled.length === 0 ? fields : filled;
  if (fields.length === 0)
    return <p className="sf-subtle sf-side__words">This is said in the text, and has no form of its own.</p>;
  return (
    <div className="sf-properties" data-subject={formatPath(subject.at)}>
      <h3>{subject.title}</h3>
      {shown.map((field) => (
        <PropertyField
          key={`${formatPath(subject.at)} ${keyOf(field)}`}
          field={field}
          onValue={(value) => {
            if (field.path.join('.') === 'name' && typeof value === 'string') onRename(subject.at, value);
            else onChange([...subject.at, ...field.path], value);
          }}
        />
      ))}
      {subject.ports.length > 0 && (
        <p className="sf-properties__ports">
          Ports:{' '}
          {subject.ports.map(({ id, at }) => (
            <Button key={id} variant="link" isInline onClick={() => onPort(at)}>
              {id}
            </Button>
          ))}
        </p>
      )}
      {filled.length > 0 && filled.length < fields.length && (
        <Button variant="link" isInline onClick={() => setAll(!all)}>
          {all ? 'Only what is filled in' : `${fields.length - filled.length} more fields`}
        </Button>
      )}
    </div>
  );
}

/** What is written over several lines. */
const isLong = ({ kind, path, value }: DesignField): boolean =>
  kind === 'text' && (path.at(-1) === 'program' || value.includes('\n'));

function PropertyField({
  field,
  onValue,
}: {
  readonly field: DesignField;
  readonly onValue: (value: unknown) => void;
}) {
  const id = useId();
  const [typed, setTyped] = useState(field.value);
  // What the text says now goes before what was typed here and not taken over.
  const [known, setKnown] = useState(field.value);
  if (known !== field.value) {
    setKnown(field.value);
    setTyped(field.value);
  }
  const problem = problemOfField(field, typed);
  const commit = (value: string) => {
    if (value !== field.value && problemOfField(field, value) === undefined) onValue(valueOfField(field, value));
  };
  const options = field.kind === 'switch' ? ['true', 'false'] : field.choices;
  return (
    <FormGroup label={field.title} fieldId={id} isRequired={field.required}>
      {options.length > 0 ? (
        <FormSelect
          id={id}
          value={typed}
          onChange={(_event, value) => {
            setTyped(value);
            commit(value);
          }}
        >
          <FormSelectOption value="" label={field.required ? 'choose' : 'not said'} isDisabled={field.required} />
          {options.map((one) => (
            <FormSelectOption
              key={one}
              value={one}
              label={field.kind === 'switch' ? (one === 'true' ? 'yes' : 'no') : one}
            />
          ))}
        </FormSelect>
      ) : isLong(field) ? (
        <TextArea
          id={id}
          value={typed}
          rows={6}
          resizeOrientation="vertical"
          className="sf-properties__long"
          onChange={(_event, value) => setTyped(value)}
          onBlur={() => commit(typed)}
        />
      ) : (
        <InputGroup>
          <InputGroupItem isFill>
            <TextInput
              id={id}
              value={typed}
              validated={problem === undefined ? 'default' : 'error'}
              inputMode={field.kind === 'number' || field.kind === 'integer' ? 'decimal' : 'text'}
              onChange={(_event, value) => setTyped(value)}
              onBlur={() => commit(typed)}
              onKeyDown={(event) => {
                if (event.key === 'Enter') commit(typed);
              }}
            />
          </InputGroupItem>
          {field.unit !== undefined && <InputGroupText>{field.unit}</InputGroupText>}
        </InputGroup>
      )}
      {(problem ?? field.about) !== undefined && (
        <FormHelperText>
          <HelperText>
            <HelperTextItem variant={problem === undefined ? 'default' : 'error'}>
              {problem ?? field.about}
            </HelperTextItem>
          </HelperText>
        </FormHelperText>
      )}
    </FormGroup>
  );
}
