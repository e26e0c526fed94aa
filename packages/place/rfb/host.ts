import type { Hosted, RfbInstance, RfbSolution } from './instance.ts';
import type { Association } from './associate.ts';
import type { Links } from './links.ts';

/** Where a particle would have the BBU and the MEC of each node: its choice comes first, then nodes that are on. */
export interface Wishes {
  readonly bbu: readonly number[];
  readonly mec: readonly number[];
}

/**
 * BBUs and MECs for radio heads, in the order of their traffic: where the particle wishes them, else at a node that is on, else
 * at any. Where processors are short of the traffic of a radio head, its users get less in proportion. Undefined where memory,
 * dedicated hardware or the number of blocks leave a radio head without them. O(heads * nodes * types).
 */
export function hostBlocks(
  instance: RfbInstance,
  links: Links,
  { link }: Association,
  heads: readonly number[],
  wishes: Wishes,
): RfbSolution | undefined {
  const { nodes, cells, bbuTypes, mecTypes } = instance;
  const cell = nodes.map(() => -1);
  for (const c of heads) cell[cells[c]!.node] = c;
  const on = cell.map((c) => c >= 0);
  const usersAt = nodes.map((): number[] => []);
  link.forEach((each, user) => {
    if (each >= 0) usersAt[cells[links.cellOf[each]!]!.node]!.push(user);
  });
  const free = nodes.map(({ dedicatedMbps, cpu, memory }, node) => {
    const peaks = usersAt[node]!.reduce((sum, user) => sum + links.peaks[link[user]!]!, 0);
    return { dedicated: dedicatedMbps - peaks, cpu, memory };
  });
  if (free.some(({ dedicated }) => dedicated < 0)) return undefined;
  const left = { bbu: bbuTypes.map(({ most }) => most), mec: mecTypes.map(({ most }) => most) };
  const hosted = {
    bbu: nodes.map((): Hosted | undefined => undefined),
    mec: nodes.map((): Hosted | undefined => undefined),
  };
  const rates = Float64Array.from(link, (each) => (each < 0 ? 0 : links.rates[each]!));
  const trafficOf = (node: number) => usersAt[node]!.reduce((sum, user) => sum + rates[user]!, 0);
  const order = heads.map((c) => cells[c]!.node).toSorted((a, b) => trafficOf(b) - trafficOf(a) || a - b);
  for (const node of order) {
    const users = usersAt[node]!;
    for (const kind of ['mec', 'bbu'] as const) {
      const traffic = trafficOf(node);
      const at = kind === 'bbu' ? nodes[node]!.bbuAt : nodes[node]!.mecAt;
      const types = typesFor(kind, cells[cell[node]!]!.type).filter((type) => left[kind][type]! > 0);
      let best: (Hosted & { readonly score: number; readonly traffic: number }) | undefined;
      for (const type of types) {
        const slow = kind === 'mec' ? mecTypes[type]!.userMbps : Number.POSITIVE_INFINITY;
        const wanted = users.reduce((sum, user) => sum + Math.min(rates[user]!, slow), 0);
        for (const there of at) {
          const { cpu, cpuPerMbps, memory, memoryPerUser } = nodes[there]![kind];
          const room = free[there]!;
          if (room.memory < memory + memoryPerUser * users.length || room.cpu < cpu) continue;
          if (kind === 'bbu' && room.dedicated < bbuTypes[type]!.rateMbps) continue;
          const carried = cpuPerMbps === 0 ? wanted : Math.min(wanted, (room.cpu - cpu) / cpuPerMbps);
          const liking = there === wishes[kind][node] ? 2 : on[there]! ? 1 : 0;
          const score = (traffic === 0 ? 1 : carried / traffic) * 1e3 + liking;
          if (best === undefined || score > best.score) best = { node: there, type, score, traffic: carried };
        }
      }
      if (best === undefined) return undefined;
      const { cpu, cpuPerMbps, memory, memoryPerUser } = nodes[best.node]![kind];
      const slow = kind === 'mec' ? mecTypes[best.type]!.userMbps : Number.POSITIVE_INFINITY;
      const wanted = users.reduce((sum, user) => sum + Math.min(rates[user]!, slow), 0);
      const part = wanted === 0 ? 1 : best.traffic / wanted;
      for (const user of users) rates[user] = Math.min(rates[user]!, slow) * part;
      left[kind][best.type]! -= 1;
      on[best.node] = true;
      free[best.node]!.cpu -= cpu + cpuPerMbps * best.traffic;
      free[best.node]!.memory -= memory + memoryPerUser * users.length;
      if (kind === 'bbu') free[best.node]!.dedicated -= bbuTypes[best.type]!.rateMbps;
      hosted[kind][node] = { node: best.node, type: best.type };
    }
  }
  const servedAt = Int32Array.from(link, (each) => (each < 0 ? -1 : cells[links.cellOf[each]!]!.node));
  return { on, cell, bbu: hosted.bbu, mec: hosted.mec, servedAt, rates };

  function typesFor(kind: 'bbu' | 'mec', head: number): readonly number[] {
    if (kind === 'mec') return [...mecTypes.keys()];
    return [...bbuTypes.keys()].filter((type) => bbuTypes[type]!.rrhTypes.includes(head));
  }
}
