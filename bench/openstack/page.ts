import { duration, tableRow } from '../record.ts';
import { panels, type Series } from '../scale/plot.ts';
import type { Burst, Report } from './report.ts';

const COLOURS = { pool: '#1f83c4', demand: '#d55e00' } as const;

/** Figure 39 of Superfluidity D6.1, with today's services: time until the last of so many units has its port. */
export function burstPlot(bursts: readonly Burst[]): string {
  const line = (name: string, colour: string, y: (one: Burst) => number): Series => ({
    name,
    colour,
    points: bursts.map((one) => [one.units, y(one)]),
  });
  const x = 'units asked for at once';
  return panels('Ports for many units at once, with and without a pool', [
    {
      title: 'Seconds until the last port is ready',
      x,
      series: [
        line('from the pool', COLOURS.pool, ({ poolMs }) => poolMs / 1_000),
        line('made on demand', COLOURS.demand, ({ demandMs }) => demandMs / 1_000),
      ],
    },
    {
      title: 'Calls of Neutron while units wait',
      x,
      series: [
        line('from the pool', COLOURS.pool, ({ poolCalls }) => poolCalls),
        line('made on demand', COLOURS.demand, ({ demandCalls }) => demandCalls),
      ],
    },
  ]);
}

/** docs/reference/openstack-speed.md, of a recorded result. */
export function openstackPage(report: Report): string {
  const { date, command, machine, rows, ratios, figures, notes, bursts } = report;
  const round = (value: number) => String(Number(value.toPrecision(3)));
  return [
    '# How fast OpenStack is used',
    '',
    `<!-- Made by \`npm run bench -- openstack\` from bench/results/${date.slice(0, 10)}-openstack.json. -->`,
    '',
    `\`${command}\` on ${date.slice(0, 10)}: ${machine.cores} cores of ${machine.processor}, which the whole of the laboratory (Keystone to Mistral, one`,
    `worker each) shares with what is measured; load ${machine.loadBefore.toFixed(1)} before and ${machine.loadAfter.toFixed(1)} after. Medians. Times are those of a`,
    'laboratory: ratios are what matters.',
    '',
    '| case | measured | largest | at most |',
    '| --- | ---: | ---: | ---: |',
    ...rows.map(tableRow),
    '',
    '| ratio | measured | at most |',
    '| --- | ---: | ---: |',
    ...ratios.map(({ what, ours, other, atMost, met }) => {
      const shown = round(ours / other);
      return `| ${what} | ${met === false ? `**${shown}**` : shown} | ${atMost ?? ''} |`;
    }),
    '',
    ...(bursts.length === 0 ? [] : burstLines(bursts)),
    ...(Object.keys(figures).length === 0
      ? []
      : [
          '## Counted',
          '',
          '| what | |',
          '| --- | ---: |',
          ...Object.entries(figures).map(([name, value]) => `| ${name} | ${value} |`),
          '',
        ]),
    ...notes.map((note) => `- ${note}`),
    '',
  ].join('\n');
}

function burstLines(bursts: readonly Burst[]): readonly string[] {
  return [
    '## Many units at once',
    '',
    'Time until the last of so many units, asked for in one moment, has a port that is wired (ACTIVE) and may be used: taken from a pool that was',
    'full, and made on demand, each by a request of its own and awaited. Calls are those that Neutron had to answer until then.',
    '',
    '![Ports for many units at once](../images/openstack-pools.svg)',
    '',
    '| units | from the pool | made on demand | times | calls with the pool | calls on demand |',
    '| ---: | ---: | ---: | ---: | ---: | ---: |',
    ...bursts.map(
      ({ units, poolMs, demandMs, poolCalls, demandCalls }) =>
        `| ${units} | ${poolMs.toFixed(2)} ms | ${duration(demandMs)} | ${Math.round(demandMs / poolMs)} | ${Math.round(poolCalls)} | ${Math.round(demandCalls)} |`,
    ),
    '',
  ];
}
