import type { User } from '@superfluidity/api';
import { Label } from '@patternfly/react-core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useQueriesOf } from '../data/queries.ts';
import { useClient } from '../data/session.tsx';
import { anyOf, type Column, yesOrNo } from '../list/column.ts';
import { ResourceTable } from '../list/resource-table.tsx';
import { ActionButton } from '../ui/action-button.tsx';
import { useConfirm } from '../ui/confirm.tsx';
import { Empty } from '../ui/empty.tsx';
import { Ago } from '../ui/facts.tsx';
import { RoleLabel } from '../ui/role-label.tsx';
import { userMay } from '../view-model/permitted.ts';

const columns: readonly Column<User>[] = [
  { title: 'Name', sort: 'name', width: 20, cell: (one) => <strong>{one.name}</strong> },
  { title: 'Role', sort: 'role', cell: (one) => <RoleLabel role={one.role} /> },
  {
    title: 'Signs in',
    cell: (one) =>
      one.disabled ? (
        <Label isCompact color="grey">
          disabled
        </Label>
      ) : one.hasPassword ? (
        'with a password'
      ) : (
        'no, tokens alone'
      ),
  },
  {
    title: 'Last',
    sort: 'signedInAt',
    cell: (one) => (one.signedInAt === undefined ? 'never' : <Ago at={one.signedInAt} />),
  },
  { title: 'Tokens', from: 'wide', cell: (one) => one.tokenCount },
  { title: 'Browsers', from: 'wide', cell: (one) => one.sessionCount },
];

/** People, and programs with tokens of their own. */
export function Users({ onDo }: { readonly onDo: (what: string, of?: string) => void }) {
  const client = useClient();
  const cache = useQueryClient();
  const confirm = useConfirm();
  const q = useQueriesOf();
  const mine = useQuery(q.me).data?.name;
  const all = useQuery(q.users).data ?? [];
  const disable = async (user: User, disabled: boolean) => {
    await client.call('changeUser', { params: { name: user.name }, body: { disabled } });
    await cache.invalidateQueries({ queryKey: ['users'] });
  };
  return (
    <ResourceTable
      label="Users"
      list="listUsers"
      keyOf={(one) => one.name}
      columns={columns}
      filters={[anyOf('role', 'Role', ['admin', 'reader']), yesOrNo('disabled', 'State', 'disabled', 'enabled')]}
      firstSort="name"
      searchWords="Name"
      actions={<ActionButton onClick={() => onDo('add')}>Add…</ActionButton>}
      actionsWidth={25}
      rowActions={(user) => (
        <>
          <ActionButton
            variant="secondary"
            size="sm"
            aria-label={`Change ${user.name}`}
            onClick={() => onDo('change', user.name)}
          >
            Change…
          </ActionButton>{' '}
          <ActionButton
            variant="secondary"
            isDanger={!user.disabled}
            size="sm"
            aria-label={`${user.disabled ? 'Enable' : 'Disable'} ${user.name}`}
            permission={userMay(user, all, mine)}
            onClick={() =>
              user.disabled
                ? void disable(user, false)
                : confirm({
                    title: `Disable ${user.name}?`,
                    body: `Signed out of ${user.sessionCount} browsers, and ${user.tokenCount} tokens open nothing, until the user is enabled again.`,
                    verb: 'Disable',
                    danger: true,
                    act: () => disable(user, true),
                  })
            }
          >
            {user.disabled ? 'Enable' : 'Disable'}
          </ActionButton>{' '}
          <ActionButton
            variant="secondary"
            isDanger
            size="sm"
            aria-label={`Remove ${user.name}`}
            permission={userMay(user, all, mine)}
            onClick={() =>
              confirm({
                title: `Remove ${user.name}?`,
                body: `${user.tokenCount} tokens go too, and whatever uses them is shut out. The audit keeps the name.`,
                verb: 'Remove',
                danger: true,
                act: async () => {
                  await client.call('removeUser', { params: { name: user.name } });
                  await Promise.all(['users', 'tokens'].map((key) => cache.invalidateQueries({ queryKey: [key] })));
                },
              })
            }
          >
            Remove
          </ActionButton>
        </>
      )}
      empty={<Empty title="No users" />}
    />
  );
}
