import type { DescriptorSource } from '@superfluidity/api';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { sourceKey, useQueriesOf } from '../data/queries.ts';
import { errorBodyOf, ErrorView } from '../ui/error-view.tsx';
import { SchemaField } from '../ui/schema-field.tsx';
import { configOf, type Field, fieldsOf, keyOf, problemOf } from '../view-model/config-form.ts';

/** What a template asks for, and what was typed. */
export interface AskedInputs {
  readonly fields: readonly Field[];
  readonly typed: Readonly<Record<string, string>>;
  readonly error: unknown;
  readonly isIncomplete: boolean;
  readonly type: (field: Field, value: string) => void;
  readonly values: () => Record<string, unknown>;
}

const NOTHING: Readonly<Record<string, string>> = {};

export function useInputs(source: DescriptorSource | undefined): AskedInputs {
  const form = useQuery(useQueriesOf().inputs(source));
  const fields = useMemo(() => fieldsOf(form.data?.schema ?? {}), [form.data]);
  // What was typed for one template is not for another.
  const of = sourceKey(source);
  const [kept, setKept] = useState<{ readonly of: string; readonly typed: Readonly<Record<string, string>> }>();
  const typed = kept?.of === of ? kept.typed : NOTHING;
  return {
    fields,
    typed,
    error: form.error,
    isIncomplete: fields.some((field) => problemOf(field, typed[keyOf(field)] ?? '') !== undefined),
    type: (field, value) => setKept({ of, typed: { ...typed, [keyOf(field)]: value } }),
    values: () => configOf(fields, typed),
  };
}

export function Inputs({ asked, onChange }: { readonly asked: AskedInputs; readonly onChange: () => void }) {
  const hidden = asked.fields.some((field) => field.hidden);
  const secrets = useQuery({ ...useQueriesOf().secrets, enabled: hidden }).data ?? [];
  if (asked.error !== null) return <ErrorView error={errorBodyOf(asked.error)} title="Its inputs cannot be read" />;
  if (asked.fields.length === 0) return null;
  return (
    <fieldset className="sf-inputs">
      <legend>What the template asks for</legend>
      {asked.fields.map((field) => (
        <SchemaField
          key={keyOf(field)}
          prefix="input"
          field={field}
          secrets={secrets.map(({ name }) => name)}
          value={asked.typed[keyOf(field)] ?? ''}
          onChange={(value) => {
            asked.type(field, value);
            onChange();
          }}
        />
      ))}
    </fieldset>
  );
}
