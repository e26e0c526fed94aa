import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readArchive } from '@superfluidity/core/archive';
import { expect, test } from 'vitest';
import { Lz78Scorer, trainLz78 } from '../index.ts';

const adfa = fileURLToPath(new URL('../../../../shared/data/anomaly/adfa-ld/ADFA-LD.zip', import.meta.url));
const absent = existsSync(adfa) ? '' : ' (skipped: the data set is not there)';

/** Chance that a positive scores above a negative. */
function areaUnderCurve(negatives: readonly number[], positives: readonly number[]): number {
  const all = [
    ...negatives.map((score) => ({ score, positive: 0 })),
    ...positives.map((score) => ({ score, positive: 1 })),
  ];
  let ranks = 0;
  let below = 0;
  for (const group of Map.groupBy(
    all.toSorted((a, b) => a.score - b.score),
    ({ score }) => score,
  ).values()) {
    ranks += group.reduce((sum, { positive }) => sum + positive, 0) * (below + (group.length + 1) / 2);
    below += group.length;
  }
  const count = positives.length;
  return (ranks - (count * (count + 1)) / 2) / (count * negatives.length);
}

test.skipIf(absent !== '')(`system calls of ADFA-LD: area under the curve 0.8309${absent}`, async () => {
  const limits = { files: 10_000, fileBytes: 10_000_000, totalBytes: 100_000_000 };
  const files = (await readArchive(readFileSync(adfa), limits)).toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const traces = (folder: string) =>
    files
      .filter(({ path }) => path.startsWith(`ADFA-LD/${folder}/`) && path.endsWith('.txt'))
      .map(({ bytes }) => Uint16Array.from(new TextDecoder().decode(bytes).trim().split(/\s+/), Number));
  const model = trainLz78(traces('Training_Data_Master'), { alphabet: 341 });
  expect(model.parents).toHaveLength(39_114);
  const scorer = new Lz78Scorer(model);
  const scores = (folder: string) => traces(folder).map((trace) => scorer.score(trace));
  const area = areaUnderCurve(scores('Validation_Data_Master'), scores('Attack_Data_Master'));
  expect(area).toBeCloseTo(0.8309, 4);
});
