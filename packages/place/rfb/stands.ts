import type { RfbInstance } from './instance.ts';

/**
 * Cells at one node in which users have the same rates: the type of the radio head then changes its bounds and whom it covers,
 * and a user needs one variable and not one for each type.
 */
export interface Stand {
  readonly node: number;
  readonly cells: readonly number[];
  /** Users with their rate in Mb/s and the cells that cover them. */
  readonly users: readonly { readonly user: number; readonly rate: number; readonly by: readonly number[] }[];
}

export function standsOf({ cells }: RfbInstance): readonly Stand[] {
  const byNode = Map.groupBy(cells.keys(), (c) => cells[c]!.node);
  return [...byNode].flatMap(([node, all]) => {
    const together = stand(node, all);
    return together === undefined ? all.map((c) => stand(node, [c])!) : [together];
  });

  function stand(node: number, of: readonly number[]): Stand | undefined {
    const users = new Map<number, { rate: number; by: number[] }>();
    for (const c of of) {
      const { covers, rates } = cells[c]!;
      for (const [i, user] of covers.entries()) {
        const known = users.get(user);
        if (known === undefined) users.set(user, { rate: rates[i]!, by: [c] });
        else if (known.rate === rates[i]) known.by.push(c);
        else return undefined;
      }
    }
    return { node, cells: of, users: [...users].map(([user, { rate, by }]) => ({ user, rate, by })) };
  }
}

/** Types of BBUs that go with a radio head that the stand may have. */
export function bbusOf({ bbuTypes, cells }: RfbInstance, stand: Stand): readonly number[] {
  const heads = new Set(stand.cells.map((c) => cells[c]!.type));
  return [...bbuTypes.keys()].filter((type) => bbuTypes[type]!.rrhTypes.some((head) => heads.has(head)));
}
