import { useQuery } from '@tanstack/react-query';
import type { Permission } from '../view-model/permitted.ts';
import { useQueriesOf } from './queries.ts';

const READS_ONLY: Permission = {
  allowed: false,
  reason:
    'You may only read. Changes take the role admin: superfluidity user role NAME admin, or a token with that role',
};

/** What makes sense and what the token may do. Until the server has said who it is, it is taken for an admin's. */
export function usePermitted(permission: Permission): Permission {
  const me = useQuery(useQueriesOf().me);
  return me.data?.role === 'reader' ? READS_ONLY : permission;
}
