import { Menu, MenuContent, MenuItem, MenuList, Modal, ModalBody, TextInput } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, useDeferredValue, useState } from 'react';
import { useClient } from '../data/session.tsx';
import { matching } from '../view-model/commands.ts';
import { type Act, findThings, fixedCommands, foundCommands, type Go, pageCommands } from './palette-commands.ts';

/** Ctrl-K: every page, every thing that the server finds by what is typed, and what can be done. */
export default function CommandPalette({ onClose }: { readonly onClose: () => void }) {
  const client = useClient();
  const navigate = useNavigate();
  const [typed, setTyped] = useState('');
  const [active, setActive] = useState(0);
  const wanted = useDeferredValue(typed.trim().split(/\s+/).at(-1) ?? '');
  const found = useQuery({ queryKey: ['palette', wanted], queryFn: () => findThings(client, wanted) }).data;
  const go: Go =
    (to, search = {}) =>
    () =>
      void navigate({ to: to as never, search: search as never });
  const commands = [
    ...pageCommands(go),
    ...(found === undefined ? [] : foundCommands(found, go)),
    ...fixedCommands(go),
  ];
  const shown = matching(commands, typed);
  const at = Math.min(active, Math.max(0, shown.length - 1));
  const run = (command: Act | undefined) => {
    if (command === undefined) return;
    onClose();
    command.act();
  };
  const press = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setActive((at + step + shown.length) % Math.max(1, shown.length));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      run(shown[at]);
    }
  };
  return (
    <Modal
      isOpen
      variant="small"
      position="top"
      onClose={onClose}
      aria-label="Find or do"
      className="sf-palette"
      elementToFocus="#palette-input"
    >
      <ModalBody>
        <TextInput
          id="palette-input"
          type="search"
          className="sf-palette__input"
          aria-label="Page, thing or action"
          placeholder="Page, service, unit, site, host, descriptor, operation or action"
          autoComplete="off"
          value={typed}
          onChange={(_event, value) => {
            setTyped(value);
            setActive(0);
          }}
          onKeyDown={press}
          role="combobox"
          aria-expanded
          aria-controls="palette-list"
          {...(shown.length === 0 ? {} : { 'aria-activedescendant': `palette-${at}` })}
        />
        <Menu
          role="listbox"
          isPlain
          isScrollable
          className="sf-palette__menu"
          onSelect={(_event, id) => run(shown.find((one) => one.id === id))}
        >
          <MenuContent>
            <MenuList id="palette-list" aria-label="Matches">
              {shown.map((command, i) => (
                <MenuItem
                  key={command.id}
                  itemId={command.id}
                  id={`palette-${i}`}
                  isFocused={i === at}
                  className={i === at ? 'sf-palette__active' : ''}
                  data-command={command.id}
                  description={command.about}
                >
                  <span className="sf-palette__title">
                    {command.title}
                    <small>{command.keys ?? command.group}</small>
                  </span>
                </MenuItem>
              ))}
            </MenuList>
          </MenuContent>
        </Menu>
        {shown.length === 0 && <p className="sf-subtle">Nothing is called so.</p>}
      </ModalBody>
    </Modal>
  );
}
