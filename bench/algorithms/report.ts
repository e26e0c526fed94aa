import type { describeMachine } from '../machine.ts';
import { duration, isMeasured, isMet, type Row, rowLine } from '../record.ts';
import type { Sizes } from './cases.ts';

export interface AlgorithmRow extends Row {
  readonly case: string;
  readonly peakMiB: number;
}

export interface AlgorithmReport {
  readonly date: string;
  readonly machine: ReturnType<typeof describeMachine>;
  readonly sizes: Sizes;
  /** Of the rows that have a goal. */
  readonly goals: { readonly met: number; readonly missed: readonly string[] };
  readonly rows: readonly AlgorithmRow[];
}

export function goalsOf(rows: readonly Row[]): AlgorithmReport['goals'] {
  const withGoal = rows.filter(({ goalMs }) => goalMs !== undefined);
  const missed = withGoal.filter((row) => !isMet(row)).map(({ what }) => what);
  return { met: withGoal.length - missed.length, missed };
}

export function reportLines({ rows, goals }: AlgorithmReport): readonly string[] {
  return [
    ...rows.map((row) => `${rowLine(row)}  ${row.peakMiB} MiB${row.peer === true ? '  (peer)' : ''}`),
    `${goals.met} goals met, ${goals.missed.length} not${goals.missed.map((what) => `\n  ${what}`).join('')}`,
  ];
}

/** docs/reference/algorithms.md, made from a recorded result. */
export function algorithmsPage({ date, machine, sizes, goals, rows }: AlgorithmReport): string {
  const file = `${date.slice(0, 10)}-algorithms.json`;
  return [
    '# How fast the algorithms are',
    '',
    `<!-- Made by \`npm run bench -- algorithms\` from bench/results/${file}. -->`,
    '',
    `Measured on ${date.slice(0, 10)} on ${machine.cores} cores of ${machine.processor}, Node ${machine.node}, load ${machine.loadBefore.toFixed(1)} before; all figures are in`,
    `[${file}](../../bench/results/${file}), and [how they are measured](../../bench/results/README.md) is said there. Each case has a process of its`,
    'own. What they compute: [placement of chains](placement.md), [network design](network-design.md), [scaling](scaling.md), [learning](learning.md).',
    '',
    `${goals.met} of ${goals.met + goals.missed.length} goals are met${goals.missed.length === 0 ? '.' : `; in bold those that are not.`}${sizes.part === 1 ? '' : ` Learners had ${sizes.part} of the sizes that their goals are for.`}`,
    ...(machine.loadBefore > machine.cores
      ? [
          '',
          'Others used the processors meanwhile: these are upper bounds, by far where memory or the clock is waited for.',
        ]
      : []),
    '',
    '| case | median | largest | at most | peak memory |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...rows.map(line),
    '',
    'In italics: the same by another way, in the same run. Medians of the processor time of the thread that works; by the clock where',
    'solvers work in threads or programs of their own. Memory is that of the process of the case, with its data.',
    '',
  ].join('\n');
}

function line({ what, p50, max, goalMs, peer, note, peakMiB }: AlgorithmRow): string {
  const named = note === undefined || note === '' ? what : `${what} (${note})`;
  const shown = isMeasured(p50) ? duration(p50) : '';
  const median = shown === '' || isMet({ p50, ...(goalMs === undefined ? {} : { goalMs }) }) ? shown : `**${shown}**`;
  const cells = [
    peer === true ? `*${named}*` : named,
    median,
    isMeasured(max) ? duration(max) : '',
    goalMs === undefined ? '' : duration(goalMs),
    shown === '' ? '' : `${peakMiB} MiB`,
  ];
  return `| ${cells.join(' | ')} |`;
}
