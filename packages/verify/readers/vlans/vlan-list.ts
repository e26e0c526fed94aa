/** Identifiers that a frame can have (IEEE 802.1Q, table 9-2): 0 is a priority alone, 4095 is kept. */
export const VLAN_MAX = 4_094;

export function vlanId(text: string): number | undefined {
  const id = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  return id >= 1 && id <= VLAN_MAX ? id : undefined;
}

/** `2,64,267-270`; undefined when some of it is no VLAN. */
export function vlanList(text: string): readonly number[] | undefined {
  const found: number[] = [];
  if (text.length > 20_000) return undefined;
  for (const part of text.split(',')) {
    const [low = '', high = low, more] = part.split('-', 3);
    const [from, to] = [vlanId(low), vlanId(high)];
    if (from === undefined || to === undefined || from > to || more !== undefined) return undefined;
    for (let id = from; id <= to; id += 1) found.push(id);
    if (found.length > 4 * VLAN_MAX) return undefined;
  }
  return found;
}

export const allVlans: readonly number[] = Array.from({ length: VLAN_MAX }, (_, i) => i + 1);
