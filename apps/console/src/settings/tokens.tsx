import type { Token } from '@superfluidity/api';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useQueriesOf } from '../data/queries.ts';
import { useClient } from '../data/session.tsx';
import { anyOf, type Column } from '../list/column.ts';
import { ResourceTable } from '../list/resource-table.tsx';
import { ActionButton } from '../ui/action-button.tsx';
import { useConfirm } from '../ui/confirm.tsx';
import { Empty } from '../ui/empty.tsx';
import { Ago } from '../ui/facts.tsx';
import { RoleLabel } from '../ui/role-label.tsx';
import { tokenMay } from '../view-model/permitted.ts';

const columns: readonly Column<Token>[] = [
  { title: 'Name', sort: 'name', width: 30, cell: (one) => <strong>{one.name}</strong> },
  { title: 'User', sort: 'user', cell: (one) => one.user },
  {
    title: 'Role',
    sort: 'role',
    cell: (one) => <RoleLabel role={one.role} />,
  },
  { title: 'Since', sort: 'createdAt', cell: (one) => <Ago at={one.createdAt} /> },
  { title: 'Id', from: 'wide', cell: (one) => <code>{one.id}</code> },
];

/** Who may use this control plane. */
export function Tokens({ onCreate }: { readonly onCreate: () => void }) {
  const client = useClient();
  const cache = useQueryClient();
  const confirm = useConfirm();
  const q = useQueriesOf();
  const mine = useQuery(q.me).data?.token;
  const all = useQuery(q.tokens).data ?? [];
  return (
    <ResourceTable
      label="Tokens"
      list="listTokens"
      keyOf={(one) => one.id}
      columns={columns}
      filters={[anyOf('role', 'Role', ['admin', 'reader'])]}
      firstSort="createdAt"
      searchWords="Name"
      actions={<ActionButton onClick={onCreate}>Create…</ActionButton>}
      rowActions={(token) => (
        <ActionButton
          variant="secondary"
          isDanger
          size="sm"
          aria-label={`Revoke ${token.name}`}
          permission={tokenMay(token, all, mine)}
          onClick={() =>
            confirm({
              title: `Revoke ${token.name}?`,
              body: 'Whoever uses it is shut out within seconds. It cannot be made valid again.',
              verb: 'Revoke',
              danger: true,
              act: async () => {
                await client.call('revokeToken', { params: { name: token.name } });
                await cache.invalidateQueries({ queryKey: ['tokens'] });
              },
            })
          }
        >
          Revoke
        </ActionButton>
      )}
      empty={<Empty title="No tokens" />}
    />
  );
}
