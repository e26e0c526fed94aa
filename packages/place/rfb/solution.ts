import type { Hosted, RfbInstance, RfbSolution } from './instance.ts';
import { RATE_UNIT, names } from './programme.ts';
import { standsOf } from './stands.ts';

/** What a solution of the programme means, with binaries rounded and traffic shared out among the users of a radio head. */
export function solutionOf(instance: RfbInstance, values: ReadonlyMap<string, number>, leastRateMbps = 0): RfbSolution {
  const set = (name: string) => (values.get(name) ?? 0) > 0.5;
  const { nodes } = instance;
  const cell = nodes.map(() => -1);
  const bbu = nodes.map((): Hosted | undefined => undefined);
  const mec = nodes.map((): Hosted | undefined => undefined);
  const servedAt = new Int32Array(instance.users).fill(-1);
  const rates = new Float64Array(instance.users);
  standsOf(instance).forEach((stand, s) => {
    const { node } = stand;
    const head = stand.cells.find((c) => set(names.head(c)));
    if (head === undefined) return;
    cell[node] = head;
    bbu[node] = hosted(nodes[node]!.bbuAt, instance.bbuTypes.length, (at, type) => set(names.bbu(s, at, type)));
    mec[node] = hosted(nodes[node]!.mecAt, instance.mecTypes.length, (at, type) => set(names.mec(s, at, type)));
    const most = instance.mecTypes[mec[node]?.type ?? 0]!.userMbps;
    const own = stand.users.filter(({ user }) => set(names.served(s, user)));
    const usable = own.map(({ rate }) => Math.min(rate, most));
    const least = own.length * leastRateMbps;
    const spare = usable.reduce((sum, rate) => sum + rate, 0) - least;
    const wanted = (values.get(names.traffic(s)) ?? 0) * RATE_UNIT - least;
    const part = spare <= 0 ? 1 : Math.min(1, Math.max(0, wanted / spare));
    own.forEach(({ user }, n) => {
      servedAt[user] = node;
      // What is left of rounding is given to the users.
      rates[user] = leastRateMbps + (usable[n]! - leastRateMbps) * (part > 1 - ROUNDING ? 1 : part);
    });
  });
  return { on: nodes.map((_, node) => set(names.on(node))), cell, bbu, mec, servedAt, rates };
}

const ROUNDING = 1e-7;

function hosted(at: readonly number[], types: number, is: (node: number, type: number) => boolean): Hosted | undefined {
  for (const node of at) {
    for (let type = 0; type < types; type += 1) if (is(node, type)) return { node, type };
  }
  return undefined;
}
