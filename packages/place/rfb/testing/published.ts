import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { publishedLoads } from '../published.ts';
import type { RfbInstance } from '../instance.ts';
import { readMatrices } from '../matrices.ts';

/** Instances of the archive of the authors: they state no licence, and are beside the checkout where somebody put them. */
const folder = fileURLToPath(new URL('../../../../../shared/data/rfb/', import.meta.url));

export const publishedHere = existsSync(folder);
/** For titles. */
export const absence = publishedHere ? '' : ' (skipped: shared/data/rfb is absent)';

/** Of scenario `S1` to `S6`, at one of the seven loads. */
export function publishedInstance(scenario: string, load: number): RfbInstance {
  const [coverage, rates] = files(scenario, load).map((file) => readFileSync(`${folder}${scenario}/${file}`, 'utf8'));
  return readMatrices(`${scenario}, ${publishedLoads[load]} users`, coverage!, rates!);
}

function files(scenario: string, load: number): readonly string[] {
  if (scenario !== 'S1') return [`cov_jik_${load + 1}.dat`, `delta_jki_${load + 1}.dat`];
  const part = ['0_1', '0_25', '0_4', '0_55', '0_7', '0_85'][load];
  if (part === undefined) return ['cov_jik_new', 'delta_jki_new'];
  const end = load === 0 ? '' : '.txt';
  return [`cov_jik_${part}_new${end}`, `delta_jki_new_${part}${end}`];
}

/** Optima of most traffic by the paper's solver, Mb/s. Its tolerance lets them be 2e-5 too large. */
export const publishedTraffic: Readonly<Record<string, readonly number[]>> = {
  S1: [2960.34, 9965.73, 15929.15, 22162.34, 27262.32, 35428.78, 40866.92],
  S2: [4856.05, 12639.47, 20482.56, 27897.79, 34452.12, 40917.09, 47583.48],
  S3: [4630.68, 10253.77, 17195.91, 24889.06, 32737.77, 39193.68, 45649.5],
  S4: [3851.13, 10514.45, 16565.78, 22775.36, 29999.09, 36402.73, 43233.74],
  S5: [4932.86, 11775.76, 19124.02, 25379.8, 31700.18, 38524.17, 44985.9],
  S6: [4468.61, 11342.15, 19155.17, 26154.13, 33730.17, 41087.75, 48238.97],
};

/** Most traffic of scenario S2 by load and number of nodes. */
export const publishedFront: readonly (readonly [load: number, nodes: number, trafficMbps: number])[] = [
  [0, 2, 3425.59],
  [0, 3, 4120.61],
  [0, 4, 4629.75],
  [1, 2, 9128.42],
  [1, 3, 10824.13],
  [1, 4, 12034.22],
  [2, 2, 15067.8],
  [2, 3, 17750.57],
  [2, 4, 19319.44],
  [3, 2, 20810.38],
  [3, 3, 24411.49],
  [3, 4, 26248.97],
  [4, 3, 30030.07],
  [4, 4, 32288.93],
  [5, 4, 38212.74],
];

/** Fewest nodes of scenario S2, by load. */
export const publishedNodes: readonly number[] = [2, 2, 2, 2, 3, 4, 5];
