import { linksOf, type RfbInstance } from './instance.ts';

/** What reaches each user: links `start[user]` to `start[user + 1]`, with the cell and the rate that its MECs allow. */
export function linksByUser(instance: RfbInstance) {
  const { cells, users, mecTypes } = instance;
  const most = Math.max(0, ...mecTypes.map(({ userMbps }) => userMbps));
  const start = new Int32Array(users + 1);
  for (const { covers } of cells) for (const user of covers) start[user + 1]! += 1;
  for (let user = 0; user < users; user += 1) start[user + 1]! += start[user]!;
  const next = start.slice();
  const all = linksOf(instance);
  const cellOf = new Int32Array(all);
  /** As it is, and as a MEC lets it through. */
  const peaks = new Float64Array(all);
  const rates = new Float64Array(all);
  cells.forEach(({ covers, rates: own }, c) => {
    covers.forEach((user, i) => {
      const link = next[user]!++;
      cellOf[link] = c;
      peaks[link] = own[i]!;
      rates[link] = Math.min(own[i]!, most);
    });
  });
  return { start, cellOf, peaks, rates };
}

export type Links = ReturnType<typeof linksByUser>;
