import type { Case } from './cases.ts';
import { seriesOf } from './plot.ts';
import type { Outcome, Report } from './report.ts';

/** docs/reference/speed.md, made from a recorded result. */
export function speedPage(report: Report, cases: readonly Case[]): string {
  const { date, machine, outcomes } = report;
  const withGoal = outcomes.filter(({ goalMs }) => goalMs !== undefined);
  const series = seriesOf(report, cases);
  const file = `${date.slice(0, 10)}-verify.json`;
  return [
    '# How fast verification is',
    '',
    `<!-- Made by \`npm run bench -- verify\` from bench/results/${file}. -->`,
    '',
    `Measured on ${date.slice(0, 10)} on ${machine.cores} cores of ${machine.processor}, Node ${machine.node}; all figures are in`,
    `[${file}](../../bench/results/${file}), and [how they are measured](../../bench/results/README.md) is said there. A case is`,
    'from text to the answer for packets of which nothing is known. Medians; what others published, they measured on their machines.',
    '',
    '| case | measured | at most | peak memory | published |',
    '| --- | ---: | ---: | ---: | --- |',
    ...withGoal.map(row),
    '',
    '## Growth',
    '',
    '![Time over size, on axes with powers of ten: the lines are about as steep as the dashed ones](../images/verify-growth.svg)',
    '',
    `Each network is read from text, and one packet of which nothing is known is followed through all of it. ${powers(series)}`,
    '',
    ...threadLines(report),
  ].join('\n');
}

function row({ what, p50, goalMs, peakMiB, published }: Outcome): string {
  const measured = p50 <= goalMs! ? duration(p50) : `**${duration(p50)}**`;
  const memory = peakMiB === undefined ? '' : `${peakMiB} MiB`;
  return `| ${what} | ${measured} | ${duration(goalMs!)} | ${memory} | ${published ?? ''} |`;
}

const duration = (ms: number) => (ms >= 1_000 ? `${(ms / 1_000).toFixed(2)} s` : `${ms.toFixed(0)} ms`);

function powers(series: ReturnType<typeof seriesOf>): string {
  const known = series.flatMap(({ of, exponent }) =>
    exponent === undefined ? [] : [`${exponent.toFixed(2)} for ${of}`],
  );
  return known.length === 0 ? '' : `Time grows as the size to the power of ${known.join(', ')}; 1 is linear.`;
}

function threadLines({ threads }: Report): readonly string[] {
  if (threads === undefined || threads.length === 0) return [];
  return [
    '## Threads',
    '',
    'One question from many starts, asked of one thread and of two in turns:',
    '',
    '| question | starts | one thread | two threads | times as fast |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...threads.map(
      ({ what, starts, oneMs, twoMs, ratio }) =>
        `| ${what} | ${starts} | ${duration(oneMs)} | ${duration(twoMs)} | ${ratio.toFixed(2)} |`,
    ),
    '',
  ];
}
