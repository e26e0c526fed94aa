import { ClipboardCopy } from '@patternfly/react-core';
import type { ReactNode } from 'react';

/** Nothing here yet, why, and the command that changes it. */
export function Empty(props: { readonly title: string; readonly children?: ReactNode; readonly command?: string }) {
  return (
    <div className="sf-empty">
      <h3>{props.title}</h3>
      {props.children !== undefined && <p>{props.children}</p>}
      {props.command !== undefined && <Command text={props.command} />}
    </div>
  );
}

/** A command to type, with a button that copies it. */
export function Command({ text }: { readonly text: string }) {
  return (
    <ClipboardCopy className="sf-command" isReadOnly isCode hoverTip="Copy" clickTip="Copied" variant="inline-compact">
      {text}
    </ClipboardCopy>
  );
}
