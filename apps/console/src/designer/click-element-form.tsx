import type { Level } from './core/level.ts';
import { WordField } from './word-field.tsx';

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
      <WordField label="Class" value={said.class ?? ''} onValue={(value) => props.onChange('class', value)} />
      <WordField
        label="Configuration"
        value={said.configuration ?? ''}
        onValue={(value) => props.onChange('configuration', value === '' ? undefined : value)}
      />
    </div>
  );
}
