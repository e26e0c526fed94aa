import type { Secret } from '@superfluidity/api';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useClient } from '../data/session.tsx';
import { anyOf, type Column } from '../list/column.ts';
import { ResourceTable } from '../list/resource-table.tsx';
import { ActionButton } from '../ui/action-button.tsx';
import { useConfirm } from '../ui/confirm.tsx';
import { Empty } from '../ui/empty.tsx';
import { Ago } from '../ui/facts.tsx';
import { secretMay } from '../view-model/permitted.ts';
import { secretKinds } from './set-secret.tsx';

const columns: readonly Column<Secret>[] = [
  { title: 'Name', sort: 'name', width: 20, cell: (one) => <strong>{one.name}</strong> },
  { title: 'Kind', sort: 'kind', from: 'medium', cell: (one) => secretKinds[one.kind] },
  {
    title: 'Set',
    sort: 'updatedAt',
    cell: (one) => (
      <>
        <Ago at={one.updatedAt} /> by {one.setBy}
      </>
    ),
  },
  { title: 'Used by', width: 25, cell: (one) => <UsedBy of={one.usedBy} /> },
  { title: 'Fingerprint', from: 'wide', cell: (one) => <code>{one.fingerprint}</code> },
];

/** What sites and services refer to as `secret:NAME`. No page shows what it is. */
export function Secrets({ onSet }: { readonly onSet: (of?: string) => void }) {
  const client = useClient();
  const cache = useQueryClient();
  const confirm = useConfirm();
  return (
    <ResourceTable
      label="Secrets"
      list="listSecrets"
      keyOf={(one) => one.name}
      columns={columns}
      filters={[anyOf('kind', 'Kind', Object.keys(secretKinds))]}
      firstSort="name"
      searchWords="Name"
      actions={<ActionButton onClick={() => onSet()}>Set…</ActionButton>}
      actionsWidth={20}
      rowActions={(secret) => (
        <>
          <ActionButton
            variant="secondary"
            size="sm"
            aria-label={`Replace ${secret.name}`}
            onClick={() => onSet(secret.name)}
          >
            Replace…
          </ActionButton>{' '}
          <ActionButton
            variant="secondary"
            isDanger
            size="sm"
            aria-label={`Remove ${secret.name}`}
            permission={secretMay('remove', secret)}
            onClick={() =>
              confirm({
                title: `Remove the secret ${secret.name}?`,
                body: 'Nothing refers to it. Its value cannot be had back from the control plane.',
                verb: 'Remove',
                danger: true,
                act: async () => {
                  await client.call('removeSecret', { params: { name: secret.name } });
                  await cache.invalidateQueries({ queryKey: ['secrets'] });
                },
              })
            }
          >
            Remove
          </ActionButton>
        </>
      )}
      empty={
        <Empty title="No secrets">
          What must not stand in a site or a descriptor is set here, and referred to there as <code>secret:NAME</code>.
        </Empty>
      }
    />
  );
}

const USES_SHOWN = 3;

function UsedBy({ of }: { readonly of: Secret['usedBy'] }) {
  if (of.length === 0) return 'nothing';
  return (
    <>
      {of.slice(0, USES_SHOWN).map(({ kind, name }, i) => (
        <span key={`${kind} ${name}`}>
          {i > 0 && ', '}
          {kind === 'site' ? (
            <Link to="/infrastructure/$site" params={{ site: name }}>
              {name}
            </Link>
          ) : (
            <Link to="/services/$name" params={{ name }}>
              {name}
            </Link>
          )}
        </span>
      ))}
      {of.length > USES_SHOWN && ` and ${of.length - USES_SHOWN} more`}
    </>
  );
}
