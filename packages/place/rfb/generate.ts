import { seeded } from '@superfluidity/core';
import { cellsOf, type Reach } from './cells.ts';
import type { RfbInstance } from './instance.ts';
import { publishedNetwork } from './published.ts';

export interface LookAlike {
  readonly users: number;
  readonly seed: number;
  /** Copies of the macro cell with its four small ones (default: 1); users are spread over them. */
  readonly copies?: number;
}

const RADIUS_M = 500;
const SMALL_AT_M = 300;
const SMALL_REACH_M = 420;
const BANDWIDTH_MHZ = 40;
const MOST_BITS_PER_HZ = 10.2;
/** Path loss of a distance in km: intercept and slope in dB, macro as in 3GPP TR 36.942, small sites 20 dB weaker. */
const LOSS_DB = { intercept: 128.1, slope: 37.6 };
const POWER_DBM = [46, 30];
const NOISE_DBM = -98;
const SHADOW_DB = 8;

/**
 * An instance that looks like the published ones, by seed: users evenly in the disc of a macro cell, four small cells inside
 * it, rates by Shannon's formula from path loss with log-normal shadowing and the interference of the other sites.
 */
export function lookAlike({ users, seed, copies = 1 }: LookAlike): RfbInstance {
  const network = publishedNetwork(copies);
  const random = seeded(seed);
  const sites = [[0, 0], ...[0, 1, 2, 3].map((i) => polar(SMALL_AT_M, (i + 0.5) * (Math.PI / 2)))] as const;
  const reachOf = Array.from({ length: users }, (_, user): readonly Reach[] => {
    const base = 5 * (user % copies);
    const at = polar(RADIUS_M * Math.sqrt(random()), 2 * Math.PI * random());
    const distances = sites.map((site) => Math.max(10, Math.hypot(at[0]! - site[0]!, at[1]! - site[1]!)));
    const received = distances.map((metres, site) => {
      const loss = LOSS_DB.intercept + LOSS_DB.slope * Math.log10(metres / 1_000);
      return 10 ** ((POWER_DBM[Math.min(1, site)]! - loss + SHADOW_DB * normal(random)) / 10);
    });
    const all = received.reduce((sum, each) => sum + each, 10 ** (NOISE_DBM / 10));
    return received.flatMap((power, site) => {
      const bits = Math.min(MOST_BITS_PER_HZ, Math.log2(1 + power / (all - power)));
      const reach = { node: base + site, rateMbps: BANDWIDTH_MHZ * bits };
      if (site === 0)
        return [
          { ...reach, type: 0 },
          { ...reach, type: 1 },
        ];
      return distances[site]! <= SMALL_REACH_M ? [{ ...reach, type: 1 }] : [];
    });
  });
  return { ...network, name: `look-alike-${copies}x${users}-${seed}`, users, cells: cellsOf(reachOf) };
}

const polar = (radius: number, angle: number): readonly [number, number] => [
  radius * Math.cos(angle),
  radius * Math.sin(angle),
];

/** Box and Muller. */
const normal = (random: () => number) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
