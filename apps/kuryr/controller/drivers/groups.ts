import { SuperfluidityError } from '@superfluidity/core';
import type { Pod } from '@superfluidity/driver-kubernetes';
import '../errors.ts';
import { DIRECTIONS } from '../../api/network-policy.ts';
import { keyOf } from '../../kubernetes/objects.ts';
import { isolatedBy, namedIn, namedKey, selects } from '../translate/policies.ts';
import type { World } from '../world.ts';
import type { GroupDriver, PolicyDriver } from './types.ts';

/** The same for all pods. */
export const defaultGroups = (groups: readonly string[]): GroupDriver => ({ kind: 'default', of: async () => groups });

/**
 * Of each policy that selects the pod its group and those of what names of ports mean in it, and for each direction that none of them
 * closes the group that opens it; of none, the default ones. Who selects is decided by the policies themselves, not by what was made of them: a new pod must not be open
 * for as long as that takes.
 */
export function policyGroups(world: World, policies: PolicyDriver, fallback: readonly string[]): GroupDriver {
  const selectingOf = (pod: Pod) => world.policies.all().filter((policy) => selects(policy, pod));
  const isolated = (pod: Pod) => {
    const closed = new Set(selectingOf(pod).flatMap(isolatedBy));
    return DIRECTIONS.filter((one) => closed.has(one));
  };
  return {
    kind: 'policy',
    ...(policies.byNodes === true ? { isolated } : {}),
    of: async (pod, project, signal) => {
      const selecting = selectingOf(pod);
      if (selecting.length === 0) return fallback;
      const groups = new Set<string>();
      for (const policy of selecting) {
        const key = keyOf(policy);
        const { spec, status } = world.rules.get(key) ?? {};
        if (spec === undefined || status === undefined)
          throw new SuperfluidityError('SF-KURYR-NOT-READY', {
            doing: `find the security groups of pod ${keyOf(pod)}`,
            reason: `policy ${key} has no group yet`,
          });
        groups.add(status.groupId);
        // One that is still to come only lets more pass: nobody waits for it. One that nobody has any more is about to go.
        const there = new Set((spec.named ?? []).map(namedKey));
        for (const named of namedIn(policy, pod).map(namedKey))
          if (there.has(named)) groups.add(status.named?.[named] ?? '');
      }
      const closed = new Set(selecting.flatMap(isolatedBy));
      for (const direction of DIRECTIONS)
        if (!closed.has(direction)) groups.add(await policies.open(project, direction, signal));
      groups.delete('');
      return [...groups].toSorted();
    },
  };
}
