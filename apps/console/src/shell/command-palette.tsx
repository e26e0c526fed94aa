import { Menu, MenuContent, MenuItem, MenuList, Modal, ModalBody, TextInput } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, useDeferredValue, useState } from 'react';
import { useClient } from '../data/session.tsx';
import { toggleTheme } from '../data/theme.ts';
import { describeOperation } from '../view-model/describe-operation.ts';
import { type Command, matching } from '../view-model/commands.ts';
import { pages } from '../view-model/pages.ts';

type Act = Command & { readonly act: () => void };
const FOUND_MAX = 6;

/** Ctrl-K: every page, every thing that the server finds by what is typed, and what can be done. */
export default function CommandPalette({ onClose }: { readonly onClose: () => void }) {
  const client = useClient();
  const navigate = useNavigate();
  const [typed, setTyped] = useState('');
  const [active, setActive] = useState(0);
  const wanted = useDeferredValue(typed.trim().split(/\s+/).at(-1) ?? '');
  const found = useQuery({
    queryKey: ['palette', wanted],
    queryFn: async () => {
      const query = { search: wanted, limit: FOUND_MAX };
      const [services, sites, descriptors, operations] = await Promise.all([
        client.call('listServices', { query }),
        client.call('listSites', { query }),
        client.call('listDescriptors', { query }),
        client.call('listOperations', { query }),
      ]);
      return { services, sites, descriptors, operations };
    },
  }).data;
  const go =
    (to: string, search: Record<string, string> = {}) =>
    () =>
      void navigate({ to: to as never, search: search as never });
  const commands: Act[] = [
    ...pages.map((page) => ({
      id: `page ${page.to}`,
      title: page.title,
      about: page.about,
      group: 'Pages' as const,
      keys: `g ${page.key}`,
      act: go(page.to),
    })),
    ...(found?.services.items ?? []).flatMap((one): Act[] => [
      {
        id: `service ${one.name}`,
        title: one.name,
        about: `service on ${one.sites.join(', ') || 'no site'}`,
        group: 'Services',
        act: go(`/services/${one.name}`),
      },
      {
        id: `move ${one.name}`,
        title: `Move a function of ${one.name}`,
        about: 'make before break',
        group: 'Actions',
        act: go(`/services/${one.name}`, { do: 'move' }),
      },
      {
        id: `scale ${one.name}`,
        title: `Scale a unit of ${one.name}`,
        about: 'how many run',
        group: 'Actions',
        act: go(`/services/${one.name}`, { do: 'scale' }),
      },
    ]),
    ...(found?.sites.items ?? []).map(
      (one): Act => ({
        id: `site ${one.name}`,
        title: one.name,
        about: `site, ${one.hostCount} hosts`,
        group: 'Sites',
        act: go(`/infrastructure/${one.name}`),
      }),
    ),
    ...(found?.descriptors.items ?? []).flatMap((one): Act[] => [
      {
        id: `descriptor ${one.id}`,
        title: one.name,
        about: `descriptor ${one.version}, ${one.format}`,
        group: 'Catalogue',
        act: go(`/catalogue/${one.id}`),
      },
      {
        id: `design ${one.name}`,
        title: `Design ${one.name}`,
        about: 'as a graph and as text',
        group: 'Actions',
        act: go('/designer', { descriptor: one.name }),
      },
      {
        id: `deploy ${one.id}`,
        title: `Plan ${one.name}`,
        about: `from the catalogue, ${one.version}`,
        group: 'Actions',
        act: go('/deploy', { descriptor: one.id }),
      },
    ]),
    ...(found?.operations.items ?? []).map(
      (one): Act => ({
        id: `operation ${one.id}`,
        title: describeOperation(one),
        about: `operation ${one.id}`,
        group: 'Operations',
        act: go(`/operations/${one.id}`),
      }),
    ),
    {
      id: 'add site',
      title: 'Add a site',
      about: 'with the form of its driver',
      group: 'Actions',
      act: go('/settings', { tab: 'sites', do: 'add' }),
    },
    {
      id: 'create token',
      title: 'Create a token',
      about: 'that opens the API',
      group: 'Actions',
      act: go('/settings', { tab: 'tokens', do: 'create' }),
    },
    {
      id: 'design',
      title: 'Design a new service',
      about: 'from a template, a file, or nothing',
      group: 'Actions',
      act: go('/designer'),
    },
    {
      id: 'onboard',
      title: 'Onboard a descriptor',
      about: 'into the catalogue',
      group: 'Actions',
      act: go('/catalogue', { do: 'onboard' }),
    },
    {
      id: 'waiting',
      title: 'Operations that wait for you',
      about: 'after a failed step',
      group: 'Actions',
      act: go('/operations', { state: 'FAILED_TEMP' }),
    },
    { id: 'theme', title: 'Switch between light and dark', about: 'the theme', group: 'Actions', act: toggleTheme },
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
          placeholder="Page, service, site, descriptor, operation or action"
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
