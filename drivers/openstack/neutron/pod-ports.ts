import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import { ports } from '@superfluidity/openstack';
import { LIMITS } from '../config.ts';
import type { World } from '../world.ts';
import '../errors.ts';

/** Begins the tag and the description of ports that a controller of Kuryr has made; the name of its cluster follows. */
export const KURYR_TAG = 'superfluidity:kuryr=';

/**
 * Takes a network away that pods of another site were in. Their controller lets go of ports, and of those that lie in its pools, when
 * it hears that the network is no longer theirs; Neutron keeps the network as long as there are any.
 */
export async function withoutPods(
  { cloud, clock, name }: Pick<World, 'cloud' | 'clock' | 'name'>,
  networkId: string,
  remove: () => Promise<unknown>,
  signal: AbortSignal,
  withinMs: number = LIMITS.podPortsMs,
): Promise<void> {
  const untilMs = clock.now() + withinMs;
  for (let wasFree = false; ; ) {
    try {
      await remove();
      return;
    } catch (error) {
      if (!isSuperfluidityError(error, 'SF-OPENSTACK-CONFLICT')) throw error;
      const all = await ports.list(cloud, { network_id: networkId }, signal);
      const left = all.flatMap(({ id, description }) => {
        const cluster = clusterIn(description);
        return cluster === undefined ? [] : [{ id, cluster }];
      });
      // The last one may have gone between the two questions.
      if (left.length === 0 && wasFree) throw error;
      wasFree = left.length === 0;
      if (!wasFree && clock.now() >= untilMs) throw stillThere(name, networkId, left, error);
      await clock.sleep(LIMITS.podLookMs, signal);
    }
  }
}

/** Not every port of a pool has tags. */
function clusterIn(description: string | null | undefined): string | undefined {
  return description?.startsWith(KURYR_TAG) === true ? description.slice(KURYR_TAG.length).split(' ')[0] : undefined;
}

function stillThere(
  site: string,
  networkId: string,
  left: readonly { readonly id: string; readonly cluster: string }[],
  cause: unknown,
): SuperfluidityError {
  const clusters = [...new Set(left.map(({ cluster }) => cluster))].join(', ');
  return new SuperfluidityError('SF-CLOUD-PODS', {
    doing: `remove network ${networkId} at ${site}`,
    reason: `${left.length} ports of pods of cluster ${clusters} are in it, the first of them ${left[0]?.id}`,
    data: { network: networkId, ports: left.slice(0, 20).map(({ id }) => id) },
    cause,
  });
}
