import { SuperfluidityError } from '@superfluidity/core';
import { type Detector, judge, readDetector, scoresOf } from '@superfluidity/observe/detect';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { table } from '../print/table.ts';
import { loadText } from '../verify/load.ts';
import { readObserved, type RowOptions } from './rows.ts';

const ROWS_MAX = 200;

export async function loadDetector(file: string): Promise<Detector> {
  const { text } = await loadText(file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SuperfluidityError('SF-DETECT-MODEL', { doing: `read ${file}`, reason: 'it is not JSON', cause });
  }
  return readDetector(value);
}

type Shown = { readonly regular?: true };

export async function score(
  context: Context,
  file: string,
  files: readonly string[],
  options: RowOptions,
): Promise<void> {
  const detector = await loadDetector(file);
  const observed = await readObserved(files, options);
  const verdicts = [...observed].flatMap(([key, each]) =>
    scoresOf(detector, each).map((bits, window) => {
      const { letters: _letters, ...verdict } = judge(detector, bits, 1);
      return { key, ...(detector.window === undefined ? {} : { window }), ...verdict };
    }),
  );
  if (verdicts.length === 0) {
    throw new SuperfluidityError('SF-DETECT-DATA', {
      doing: 'judge',
      reason: 'there is nothing to judge, or no window is full',
    });
  }
  const anomalies = verdicts.filter(({ anomalous }) => anomalous);
  if (anomalies.length > 0) process.exitCode = exitCodes.failed;
  const { value, rate: above } = detector.threshold;
  const rate = above + (detector.regular?.rate ?? 0);
  const below = detector.regular === undefined ? '' : ` or below ${detector.regular.value.toFixed(4)}`;
  await context.show({ threshold: value, rate, judged: verdicts.length, anomalies: anomalies.length, verdicts }, () =>
    [
      `${anomalies.length} of ${verdicts.length} above ${value.toFixed(4)}${below} bits a letter; ${(rate * verdicts.length).toFixed(1)} would be if all were normal`,
      '',
      table(anomalies.toSorted((a, b) => b.score - a.score).slice(0, ROWS_MAX), [
        { title: 'SEQUENCE', value: (one) => one.key },
        { title: 'WINDOW', value: (one) => one.window ?? '' },
        { title: 'SCORE', value: (one) => one.score.toFixed(4), align: 'right' },
        ...(below === '' ? [] : [{ title: 'REGULAR', value: (one: Shown) => (one.regular === true ? 'yes' : '') }]),
        { title: 'P', value: (one) => one.p.toPrecision(2), align: 'right' },
      ]),
    ].join('\n'),
  );
}
