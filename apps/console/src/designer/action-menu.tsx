import { Menu, MenuContent, MenuItem, MenuList } from '@patternfly/react-core';
import { useEffect, useRef } from 'react';
import type { Point } from '../view-model/layout.ts';

export interface MenuEntry {
  readonly id: string;
  readonly title: string;
  /** Why it cannot be done, or undefined. */
  readonly disabled: string | undefined;
  readonly act: () => void;
}

/** What the description model offers for the thing under the pointer. */
export function ActionMenu(props: {
  readonly at: Point;
  readonly entries: readonly MenuEntry[];
  readonly onClose: () => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const { onClose } = props;
  useEffect(() => {
    box.current?.querySelector('button')?.focus();
    const close = (event: Event) => {
      if (
        event instanceof KeyboardEvent
          ? event.key === 'Escape'
          : !(box.current?.contains(event.target as Node) ?? false)
      )
        onClose();
    };
    addEventListener('keydown', close);
    addEventListener('pointerdown', close);
    return () => {
      removeEventListener('keydown', close);
      removeEventListener('pointerdown', close);
    };
  }, [onClose]);
  return (
    <div className="sf-canvas__menu" ref={box} style={{ insetInlineStart: props.at.x, insetBlockStart: props.at.y }}>
      <Menu
        onSelect={(_event, id) => {
          props.entries.find((entry) => entry.id === id)?.act();
          onClose();
        }}
      >
        <MenuContent>
          <MenuList>
            {props.entries.map(({ id, title, disabled }) => (
              <MenuItem
                key={id}
                itemId={id}
                isAriaDisabled={disabled !== undefined}
                {...(disabled === undefined ? {} : { tooltipProps: { content: disabled } })}
              >
                {title}
              </MenuItem>
            ))}
          </MenuList>
        </MenuContent>
      </Menu>
    </div>
  );
}
