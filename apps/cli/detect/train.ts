import { writeFile } from 'node:fs/promises';
import { type DetectorOptions, lettersIn, trainDetector } from '@superfluidity/observe/detect';
import type { Context } from '../context.ts';
import { unusable } from '../verify/load.ts';
import { readObserved, type RowOptions } from './rows.ts';

interface TrainOptions extends RowOptions {
  readonly out: string;
  readonly window?: number;
  readonly rate: number;
  readonly threshold: 'conformal' | 'extreme';
  readonly quantiser: 'k-means' | 'log' | 'quantile';
  readonly letters: number;
  readonly differences?: boolean;
  readonly regular?: number;
  readonly season?: number;
  readonly slots: number;
}

const HOUR_MS = 3_600_000;

export async function train(context: Context, files: readonly string[], options: TrainOptions): Promise<void> {
  const { window, rate, threshold, quantiser, letters, differences, regular, season, slots, out } = options;
  const observed = [...(await readObserved(files, options)).values()];
  const wanted: DetectorOptions = {
    rate,
    threshold,
    quantiser,
    letters,
    of: differences === true ? 'difference' : 'value',
    ...(window === undefined ? {} : { window }),
    ...(regular === undefined ? {} : { regular }),
    ...(season === undefined ? {} : { season: { periodMs: season * HOUR_MS, slots } }),
  };
  const detector = trainDetector(observed, wanted);
  await writeFile(out, `${JSON.stringify(detector)}\n`).catch((cause: unknown) => {
    throw unusable(out, cause instanceof Error ? cause.message : String(cause), cause);
  });
  const summary = {
    sequences: observed.length,
    letters: lettersIn(detector.input),
    nodes: detector.lz78.parents.length + 1,
    scores: detector.scores.length,
    threshold: detector.threshold,
    ...(detector.regular === undefined ? {} : { regular: detector.regular }),
    out,
  };
  await context.show(summary, () =>
    [
      `${summary.sequences} sequences, ${summary.letters} letters, ${summary.nodes} nodes`,
      `anomalies are above ${detector.threshold.value.toFixed(4)} bits a letter: a false-alarm rate of ${rate}, from ${summary.scores} scores`,
      ...(detector.regular === undefined
        ? []
        : [
            `and below ${detector.regular.value.toFixed(4)}, more regular than usual: a rate of ${detector.regular.rate}`,
          ]),
      `written to ${out}`,
    ].join('\n'),
  );
}
