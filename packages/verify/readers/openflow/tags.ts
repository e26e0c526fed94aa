import { etherTypes } from '../../ir/fields.ts';
import type { Action, FieldMatch } from './flow.ts';

/** The bit of `vlan_tci` that says that there is a tag. */
const PRESENT = 0x1000n;

/**
 * `mod_vlan_vid` and `mod_vlan_pcp` of OpenFlow 1.0 change the tag of a frame, which gets one if it has none. Later versions have
 * no such action: where the match of its flow does not say that there is a tag, OVS lists it as `push_vlan:0x8100` and a change of
 * the tag, like one that does push. Which of both the switch executes, a listing does not tell.
 */
export function asListed(matches: readonly FieldMatch[], actions: readonly Action[]): readonly Action[] {
  let isTagged = matches.some(({ field, value }) => field === 'tci' && (value & PRESENT) !== 0n);
  return actions.map((action, i) => {
    const wasTagged = isTagged;
    if (action.kind === 'push vlan' || action.kind === 'tag') isTagged = true;
    if (action.kind === 'pop vlan') isTagged = false;
    if (action.kind === 'clone') return { ...action, actions: asListed(matches, action.actions) };
    const isOpen = action.kind === 'push vlan' && action.type === etherTypes.vlan && !wasTagged;
    return isOpen && changesTag(actions[i + 1]) ? { ...action, perhapsChanges: true } : action;
  });
}

/** The whole identifier, or the whole priority: what `mod_vlan_vid` and `mod_vlan_pcp` are listed as. */
function changesTag(action: Action | undefined): boolean {
  if (action?.kind === 'tag') return true;
  if (action?.kind !== 'set' || action.to.length !== 1 || action.to[0]!.field !== 'tci') return false;
  const { low, width } = action.to[0]!;
  return action.mask === (1n << BigInt(width)) - 1n && (low === 0 ? width === 13 : low === 13 && width === 3);
}
