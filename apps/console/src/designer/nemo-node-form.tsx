import type { LevelNode } from './core/level.ts';
import { nemoForm } from './core/nemo-edits.ts';
import type { Drawn } from './core/operations.ts';
import { WordField } from './word-field.tsx';

/** Name and properties of a node or a connection of a NEMO script. */
export function NemoNodeForm(props: {
  readonly design: Drawn;
  readonly node: LevelNode;
  readonly onRename: (name: string) => void;
  readonly onChange: (field: string, value: string) => void;
}) {
  const form = nemoForm(props.design, props.node);
  if (form === undefined)
    return (
      <p className="sf-subtle sf-side__words">This is made by a model: open what it is in, or change it in the text.</p>
    );
  return (
    <div className="sf-properties" data-subject={`nemo ${form.name}`}>
      <h3>
        {form.type} {form.name}
      </h3>
      {form.inside !== undefined && (
        <p className="sf-subtle">
          Inside of the model {form.inside.model}: it is changed in {form.inside.nodes.join(', ')}.
        </p>
      )}
      <WordField label="Name" value={form.name} isRequired onValue={props.onRename} />
      {form.fields.map(({ name, value, required }) => (
        <WordField
          key={`${form.name} ${name}`}
          label={name}
          value={value}
          isRequired={required}
          onValue={(now) => props.onChange(name, now)}
        />
      ))}
    </div>
  );
}
