import { Badge, MenuToggle, Select, SelectList, SelectOption, ToolbarFilter } from '@patternfly/react-core';
import { memo, useState } from 'react';
import { toggled, valuesOf } from '../view-model/list-state.ts';
import type { Filter } from './column.ts';

/** One of several beside a table: it is drawn again when its own choice changes. */
export const ChoiceFilter = memo(function ChoiceFilter(props: {
  readonly filter: Filter;
  readonly value: string | undefined;
  readonly onChange: (changes: Readonly<Record<string, string | undefined>>) => void;
}) {
  const { filter, value, onChange } = props;
  const [open, setOpen] = useState(false);
  const chosen = valuesOf(value);
  const words = new Map(filter.options);
  const toggle = (one: string) => onChange({ [filter.name]: toggled(value, one) });
  return (
    <ToolbarFilter
      categoryName={filter.title}
      labels={chosen.map((one) => ({ key: one, node: words.get(one) ?? one }))}
      deleteLabel={(_category, label) => toggle(typeof label === 'string' ? label : label.key)}
      deleteLabelGroup={() => onChange({ [filter.name]: undefined })}
    >
      <Select
        role="menu"
        isOpen={open}
        onOpenChange={setOpen}
        selected={[...chosen]}
        onSelect={(_event, one) => toggle(String(one))}
        toggle={(ref) => (
          <MenuToggle ref={ref} isExpanded={open} onClick={() => setOpen(!open)} data-filter={filter.name}>
            {filter.title}
            {chosen.length > 0 && <Badge isRead>{chosen.length}</Badge>}
          </MenuToggle>
        )}
      >
        <SelectList>
          {filter.options.map(([one, title]) => (
            <SelectOption key={one} value={one} hasCheckbox isSelected={chosen.includes(one)}>
              {title}
            </SelectOption>
          ))}
        </SelectList>
      </Select>
    </ToolbarFilter>
  );
});
