import { largest, smallest } from '@superfluidity/core';
import type { Site, SiteLink } from '@superfluidity/api';
import type { Point } from './layout.ts';

/**
 * Where sites stand on a plan. By their coordinates where all have some; else by latency: the plane in which their distances
 * are as near as can be to the latencies between them (classical multidimensional scaling, Torgerson 1952).
 */
export interface SitePlan {
  readonly by: 'coordinates' | 'latency';
  readonly width: number;
  readonly height: number;
  readonly places: ReadonlyMap<string, Point>;
}

type PlacedSite = Pick<Site, 'name' | 'latitude' | 'longitude'>;

export const PLAN = {
  /** More are not drawn: they are in the list. */
  sitesMax: 60,
  width: 640,
  height: 300,
  margin: 58,
  /** Two that are nearer would hide each other. */
  apart: 104,
  iterations: 60,
} as const;

export function planSites(all: readonly PlacedSite[], links: readonly SiteLink[]): SitePlan {
  const sites = all.slice(0, PLAN.sitesMax);
  const located = sites.length > 0 && sites.every((one) => one.latitude !== undefined && one.longitude !== undefined);
  const points = located ? projected(sites) : scaled(latencies(sites, links));
  const fitted = pushedApart(fit(points));
  return {
    by: located ? 'coordinates' : 'latency',
    width: PLAN.width,
    height: PLAN.height,
    places: new Map(sites.map(({ name }, i) => [name, fitted[i]!])),
  };
}

/** Equirectangular, with the scale of longitude at the middle latitude: north is up. */
function projected(sites: readonly PlacedSite[]): Point[] {
  const middle = sites.reduce((sum, { latitude }) => sum + latitude!, 0) / sites.length;
  const narrow = Math.cos((middle * Math.PI) / 180);
  return sites.map(({ latitude, longitude }) => ({ x: longitude! * narrow, y: -latitude! }));
}

/** One way over the links, by Floyd and Warshall; where there is no way, half more than the longest there is. */
function latencies(sites: readonly PlacedSite[], links: readonly SiteLink[]): number[][] {
  const at = new Map(sites.map(({ name }, i) => [name, i]));
  const d = sites.map((_, i) => sites.map((__, j) => (i === j ? 0 : Infinity)));
  for (const { a, b, latencyMs } of links) {
    const [i, j] = [at.get(a), at.get(b)];
    if (i === undefined || j === undefined || i === j) continue;
    d[i]![j] = d[j]![i] = Math.min(d[i]![j]!, Math.max(latencyMs, 0.01));
  }
  for (let k = 0; k < d.length; k += 1)
    for (const row of d) for (let j = 0; j < d.length; j += 1) row[j] = Math.min(row[j]!, row[k]! + d[k]![j]!);
  const longest = Math.max(1, ...d.flat().filter(Number.isFinite));
  return d.map((row) => row.map((ms) => (Number.isFinite(ms) ? ms : 1.5 * longest)));
}

/** Coordinates whose distances are the given ones, as far as two dimensions allow. */
export function scaled(distances: readonly (readonly number[])[]): Point[] {
  const n = distances.length;
  const squared = distances.map((row) => row.map((d) => d * d));
  const mean = squared.map((row) => row.reduce((sum, v) => sum + v, 0) / n);
  const all = mean.reduce((sum, v) => sum + v, 0) / n;
  // Inner products of what is centred: B = -1/2 J D² J.
  const b = squared.map((row, i) => row.map((v, j) => -0.5 * (v - mean[i]! - mean[j]! + all)));
  const axes = [0, 1].map((k) => {
    const { value, vector } = greatestEigen(b, k);
    for (const [i, row] of b.entries())
      for (let j = 0; j < n; j += 1) row[j] = row[j]! - value * vector[i]! * vector[j]!;
    return vector.map((v) => v * Math.sqrt(Math.max(0, value)));
  });
  return distances.map((_, i) => ({ x: axes[0]![i]!, y: axes[1]![i]! }));
}

/** By power iteration from a start that is always the same, so that a plan does not turn round by itself. */
function greatestEigen(m: readonly (readonly number[])[], seed: number): { value: number; vector: number[] } {
  let vector = m.map((_, i) => Math.sin((seed + 1) * (i + 1)));
  let value = 0;
  for (let turn = 0; turn < 300; turn += 1) {
    const next = m.map((row) => row.reduce((sum, v, j) => sum + v * vector[j]!, 0));
    const length = Math.hypot(...next);
    if (length < 1e-9) return { value: 0, vector: m.map(() => 0) };
    vector = next.map((v) => v / length);
    value = m.reduce((sum, row, i) => sum + vector[i]! * row.reduce((s, v, j) => s + v * vector[j]!, 0), 0);
  }
  return { value, vector };
}

/** As large as the plan allows, without changing angles. */
function fit(points: readonly Point[]): Point[] {
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const [left, right, top, bottom] = [smallest(xs), largest(xs), smallest(ys), largest(ys)];
  const [roomX, roomY] = [PLAN.width - 2 * PLAN.margin, PLAN.height - 2 * PLAN.margin];
  const scale = Math.min(roomX / Math.max(1e-9, right - left), roomY / Math.max(1e-9, bottom - top), 1e9);
  return points.map(({ x, y }) => ({
    x: PLAN.width / 2 + (x - (left + right) / 2) * scale,
    y: PLAN.height / 2 + (y - (top + bottom) / 2) * scale,
  }));
}

/** Moves those that would hide each other away from each other, no further than the edges. */
function pushedApart(points: readonly Point[]): Point[] {
  const moved = points.map((point) => ({ ...point }));
  const within = (value: number, size: number) => Math.min(size - PLAN.margin, Math.max(PLAN.margin, value));
  for (let turn = 0; turn < PLAN.iterations; turn += 1) {
    let still = true;
    for (let i = 0; i < moved.length; i += 1) {
      for (let j = 0; j < i; j += 1) {
        const [a, b] = [moved[i]!, moved[j]!];
        const [dx, dy] = [a.x - b.x || 0.01 * (i + 1), a.y - b.y || 0.01 * (j + 1)];
        const distance = Math.hypot(dx, dy);
        if (distance >= PLAN.apart) continue;
        still = false;
        const push = (PLAN.apart - distance) / 2 / distance;
        [a.x, a.y] = [within(a.x + dx * push, PLAN.width), within(a.y + dy * push, PLAN.height)];
        [b.x, b.y] = [within(b.x - dx * push, PLAN.width), within(b.y - dy * push, PLAN.height)];
      }
    }
    if (still) break;
  }
  return moved;
}
