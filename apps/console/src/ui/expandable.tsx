import { ExpandableSection } from '@patternfly/react-core';
import { type ReactNode, useState } from 'react';

/** A part that can be folded away. */
export function Expandable(props: { readonly title: string; readonly open?: boolean; readonly children: ReactNode }) {
  const [open, setOpen] = useState(props.open ?? false);
  return (
    <ExpandableSection toggleText={props.title} isExpanded={open} onToggle={(_event, next) => setOpen(next)}>
      {props.children}
    </ExpandableSection>
  );
}
