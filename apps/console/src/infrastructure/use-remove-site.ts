import type { Site } from '@superfluidity/api';
import { useQueryClient } from '@tanstack/react-query';
import { useClient } from '../data/session.tsx';
import { useConfirm } from '../ui/confirm.tsx';
import { formatAmount } from '../view-model/format.ts';

/** Asks first, with what will be lost; `then` is for when it is gone. */
export function useRemoveSite(): (site: Pick<Site, 'name' | 'hostCount'>, then?: () => Promise<void>) => void {
  const client = useClient();
  const cache = useQueryClient();
  const confirm = useConfirm();
  return ({ name, hostCount }, then) =>
    confirm({
      title: `Remove the site ${name}?`,
      body: `Everything that the driver made on its ${formatAmount(hostCount, 'host')} is removed, and so are its pools and its links.`,
      verb: 'Remove',
      danger: true,
      act: async () => {
        await client.call('removeSite', { params: { name } });
        await then?.();
        await cache.invalidateQueries({ queryKey: ['sites'] });
      },
    });
}
