import { designLimits } from '../errors.ts';
import type { RfbInstance } from './instance.ts';
import type { Links } from './links.ts';

/** Which link each user takes, or -1 where no radio head with room covers it. */
export interface Association {
  readonly link: Int32Array;
  readonly unserved: number;
}

/**
 * Users to the radio heads that are there: those with the most to lose first, each to the cell with the most rate above its
 * price that has room; then users move and change places in pairs while that gains. O(passes * links), which ends because
 * each pass raises the sum of rates.
 */
export function associate(
  { users, cells, rrhTypes }: RfbInstance,
  links: Links,
  open: readonly boolean[],
  prices: Float64Array,
): Association {
  const { start, cellOf, peaks, rates } = links;
  const room = cells.map(({ type }) => Math.floor(rrhTypes[type]!.users));
  const spare = cells.map(({ type }) => rrhTypes[type]!.rateMbps);
  const link = new Int32Array(users).fill(-1);
  const take = (user: number, to: number) => {
    const from = link[user]!;
    if (from >= 0) {
      room[cellOf[from]!]! += 1;
      spare[cellOf[from]!]! += peaks[from]!;
    }
    if (to >= 0) {
      room[cellOf[to]!]! -= 1;
      spare[cellOf[to]!]! -= peaks[to]!;
    }
    link[user] = to;
  };
  const fits = (each: number) => room[cellOf[each]!]! > 0 && spare[cellOf[each]!]! >= peaks[each]!;
  const best = (user: number, may: (each: number) => boolean): number => {
    let choice = -1;
    let most = Number.NEGATIVE_INFINITY;
    for (let each = start[user]!; each < start[user + 1]!; each += 1) {
      if (!open[cellOf[each]!]! || !may(each)) continue;
      const left = rates[each]! - prices[cellOf[each]!]!;
      if (left > most) [most, choice] = [left, each];
    }
    return choice;
  };
  const value = (each: number) => (each < 0 ? -1e9 : rates[each]! - prices[cellOf[each]!]!);
  const regret = Float64Array.from({ length: users }, (_, user) => {
    const first = best(user, () => true);
    return value(first) - value(best(user, (each) => each !== first));
  });
  const order = [...regret.keys()].toSorted((a, b) => regret[b]! - regret[a]! || a - b);
  for (const user of order) take(user, best(user, fits));
  let unserved = 0;
  for (const user of order) {
    if (link[user]! < 0 && !makeRoom(user)) unserved += 1;
  }
  improve();
  return { link, unserved };

  /** Somebody else at a cell that covers the user goes elsewhere. */
  function makeRoom(user: number): boolean {
    for (let each = start[user]!; each < start[user + 1]!; each += 1) {
      const cell = cellOf[each]!;
      if (!open[cell]!) continue;
      for (const other of cells[cell]!.covers) {
        const now = link[other]!;
        if (now < 0 || cellOf[now] !== cell) continue;
        const instead = best(other, (way) => cellOf[way] !== cell && fits(way));
        if (instead < 0) continue;
        take(other, instead);
        if (fits(each)) {
          take(user, each);
          return true;
        }
        take(other, now);
      }
    }
    return false;
  }

  function improve(): void {
    for (let pass = 0; pass < designLimits.associationPasses; pass += 1) {
      let gained = false;
      /** Of each pair of cells, the user who gains most (or loses least) by going from the one to the other. */
      const movers = new Map<number, { readonly user: number; readonly to: number; readonly gain: number }>();
      for (let user = 0; user < users; user += 1) {
        const now = link[user]!;
        if (now < 0) continue;
        for (let each = start[user]!; each < start[user + 1]!; each += 1) {
          if (each === now || !open[cellOf[each]!]!) continue;
          const gain = rates[each]! - rates[now]!;
          if (gain > MARGIN && fits(each)) {
            take(user, each);
            gained = true;
            break;
          }
          const pair = cellOf[now]! * cells.length + cellOf[each]!;
          const known = movers.get(pair);
          if (known === undefined || gain > known.gain) movers.set(pair, { user, to: each, gain });
        }
      }
      if (!gained) {
        for (const [pair, there] of movers) {
          const [from, to] = [Math.floor(pair / cells.length), pair % cells.length];
          const back = movers.get(to * cells.length + from);
          if (from > to || back === undefined || there.gain + back.gain <= MARGIN) continue;
          if (swap(there, back)) gained = true;
        }
      }
      if (!gained) return;
    }
  }

  function swap(one: { user: number; to: number }, other: { user: number; to: number }): boolean {
    const [first, second] = [link[one.user]!, link[other.user]!];
    // One of them may have gone by an earlier swap of this pass.
    if (cellOf[first] !== cellOf[other.to] || cellOf[second] !== cellOf[one.to]) return false;
    take(one.user, -1);
    take(other.user, -1);
    if (fits(one.to)) take(one.user, one.to);
    if (link[one.user]! >= 0 && fits(other.to)) {
      take(other.user, other.to);
      return true;
    }
    take(one.user, first);
    take(other.user, second);
    return false;
  }
}

/** Mb/s: less is rounding. */
const MARGIN = 1e-9;
