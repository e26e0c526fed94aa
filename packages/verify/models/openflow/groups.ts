import type { Action, Flow } from '../../readers/openflow/flow.ts';
import type { Bucket, Group } from '../../readers/openflow/groups.ts';

/** Groups whose buckets lead to groups, at most so deep (OVS refuses circles, files may still have some). */
const DEEPEST = 8;

/** The flows with what groups do in place of their names. */
export function withGroups(flows: readonly Flow[], groups: readonly Group[]): readonly Flow[] {
  const byId = new Map(groups.map((group) => [group.id, group]));
  const resolved = (actions: readonly Action[], depth: number): readonly Action[] =>
    actions.map((action): Action => {
      if (action.kind === 'clone' || action.kind === 'write')
        return { ...action, actions: resolved(action.actions, depth) };
      if (action.kind !== 'group') return action;
      const group = byId.get(action.id);
      if (group === undefined) return { kind: 'doubt', what: `group ${action.id}, which is not listed` };
      if (depth >= DEEPEST) return { kind: 'doubt', what: `groups that are nested deeper than ${DEEPEST}` };
      const buckets = takeable(group).map((bucket) => resolved(inOrder(bucket.actions, 'a bucket'), depth + 1));
      return { kind: 'buckets', take: takes[group.type], buckets };
    });
  return flows.map((flow) => ({ ...flow, actions: resolved(flow.actions, 0) }));
}

const takes = { all: 'all', indirect: 'all', select: 'one', ff: 'one or none' } as const;

const takeable = ({ type, buckets }: Group): readonly Bucket[] =>
  type === 'select' ? buckets.filter(({ weight }) => weight > 0) : buckets;

/** As OVS executes an action set (ofpacts_execute_action_set): tags and hops first, then fields, then one way out. */
export function inOrder(actions: readonly Action[], where: string): readonly Action[] {
  const last = (...kinds: readonly Action['kind'][]) => actions.findLast(({ kind }) => kinds.includes(kind));
  const first = (
    ['pop vlan', 'pop mpls', 'push mpls', 'push vlan', 'decrement ttl', 'decrement mpls ttl'] as const
  ).flatMap((kind) => last(kind) ?? []);
  const fields = actions.filter(({ kind }) => ['set', 'move', 'tag', 'nothing', 'doubt', 'untrack'].includes(kind));
  const out = last('group', 'buckets') ?? last('output', 'output field') ?? last('resubmit') ?? last('track');
  const others = actions.filter(({ kind }) =>
    ['goto', 'write', 'clear', 'clone', 'exit', 'conjunction', 'learn'].includes(kind),
  );
  const odd = others.map(({ kind }): Action => ({ kind: 'doubt', what: `${kind} in ${where}` }));
  return [...first, ...fields, ...odd, ...(out === undefined ? [] : [out])];
}
