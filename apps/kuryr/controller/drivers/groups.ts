import { SuperfluidityError } from '@superfluidity/core';
import { keyOf, namespaceIn } from '../objects.ts';
import type { World } from '../world.ts';
import type { GroupDriver } from './types.ts';

/** The same for all pods. */
export const defaultGroups = (groups: readonly string[]): GroupDriver => ({ kind: 'default', of: () => groups });

/**
 * Of the policies that select the pod, each of which has a group; of none, the default ones. Groups add up as policies do: a
 * packet passes where one of them lets it.
 */
export function policyGroups(world: World, fallback: readonly string[]): GroupDriver {
  return {
    kind: 'policy',
    of: (pod) => {
      const key = keyOf(pod);
      const namespace = namespaceIn(key);
      const selecting = world.rules
        .all()
        .filter(
          ({ metadata, spec }) =>
            metadata.namespace === namespace &&
            metadata.deletionTimestamp === undefined &&
            spec.pods.includes(pod.metadata.name),
        );
      if (selecting.length === 0) return fallback;
      return selecting
        .map(({ metadata, status }) => {
          if (status !== undefined) return status.groupId;
          throw new SuperfluidityError('SF-KURYR-NOT-READY', {
            doing: `find the security groups of pod ${key}`,
            reason: `policy ${metadata.name} has no group yet`,
          });
        })
        .filter((group) => group !== '')
        .toSorted();
    },
  };
}
