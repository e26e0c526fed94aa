import { duration, tableRow } from '../record.ts';
import { panels, type Panel } from '../scale/plot.ts';
import {
  aboveFloor,
  type Beside,
  type CaseReport,
  isWithin,
  type KuryrReport,
  type PodBurst,
  risesOf,
  VIF_WORDS,
} from './report.ts';

const COLOURS = { pool: '#1f83c4', demand: '#d55e00', floor: '#7f7f7f' } as const;

/** Figure 39 of Superfluidity D6.1, with today's components: time until the last of so many pods has its network. */
export function podsPlot(bursts: readonly PodBurst[]): string {
  const panel = (vif: PodBurst['vif']): Panel => {
    const its = bursts.filter((burst) => burst.vif === vif);
    const floor = its.flatMap(({ pods, floorMs }) => (floorMs === undefined ? [] : [[pods, floorMs / 1_000] as const]));
    return {
      title: `Seconds until the last pod has its network, ${VIF_WORDS[vif]}`,
      x: 'pods at once',
      series: [
        { name: 'from the pool', colour: COLOURS.pool, points: its.map(({ pods, poolMs }) => [pods, poolMs / 1_000]) },
        {
          name: 'made on demand',
          colour: COLOURS.demand,
          points: its.flatMap(({ pods, demandMs }) =>
            demandMs === undefined ? [] : [[pods, demandMs / 1_000] as const],
          ),
        },
        ...(floor.length === 0 ? [] : [{ name: 'without a network', colour: COLOURS.floor, points: floor }]),
      ],
    };
  };
  return panels('Networks of many pods at once, with and without a pool', [panel('neutron-vif'), panel('nested-vlan')]);
}

/** docs/reference/kuryr-speed.md, of a recorded result. */
export function kuryrPage({ date, cases }: KuryrReport): string {
  return [
    '# How fast pods have their network',
    '',
    `<!-- Made by \`npm run bench -- kuryr\` from bench/results/${date.slice(0, 10)}-kuryr.json. -->`,
    '',
    'Medians, of [Kuryr](../guides/kuryr.md) and the [daemons of its nodes](../guides/kuryr-nodes.md). What is bold is not what was set out to be reached.',
    'How it is measured: [results](../../bench/results/README.md#kuryr).',
    '',
    ...(cases.pods === undefined ? [] : podsLines(cases.pods)),
    ...(cases.original === undefined ? [] : originalLines(cases.original)),
    ...(cases.thousand === undefined ? [] : thousandLines(cases.thousand)),
    ...(cases.cni === undefined ? [] : cniLines(cases.cni)),
  ].join('\n');
}

function podsLines(report: CaseReport): readonly string[] {
  return [
    '## From the scheduler to the network',
    '',
    ...where(report, 'the whole of both laboratories (API server, etcd, Keystone, Neutron and its agent)'),
    'One pod: from the answer of the API server that it is bound to its node, to the return of CNI ADD. Many: from the first request to the',
    'last return. Controller, daemons and plugin are the real ones, in processes of their own; the kubelet is played, and makes sandboxes before.',
    'Nested: the node is a network namespace with an Open vSwitch of its own, whose device is the parent of a trunk.',
    '',
    ...bodyOf(report),
    ...(report.bursts.length === 0 ? [] : burstLines(report.bursts)),
  ];
}

function burstLines(bursts: readonly PodBurst[]): readonly string[] {
  return [
    '### Many pods at once',
    '',
    '![Networks of many pods at once](../images/kuryr-pools.svg)',
    '',
    '| pods | | from the pool | without a network | for each pod above that | made on demand | times | calls of Neutron with the pool | on demand |',
    '| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...bursts.map(burstRow),
    '',
    'Without a network: as many pods, made by the same requests, in the network of their node, so that Kuryr does nothing for them; from the first request',
    'until a watch has told the node of the last.',
    '',
    'Published of the original (2017, another machine, with kubelet and containers, until all pods ran): 10 pods on bare metal 62 s from the pool and 72 s',
    'without, 50 pods 104 s and 226 s; nested 27 s and 83 s, 117 s and 602 s. It made each port by a request of its own; made on demand here means',
    'one request for all that wait. Its line from the pool is what is called flat: with each pod more it rises by 0.17 (nested) to 0.27 (bare metal) of what the',
    'other rises by.',
    ...(['neutron-vif', 'nested-vlan'] as const).flatMap((vif) => riseLine(vif, bursts)),
    '',
  ];
}

function riseLine(vif: PodBurst['vif'], bursts: readonly PodBurst[]): readonly string[] {
  const each = risesOf(bursts.filter((burst) => burst.vif === vif));
  if (each === undefined) return [];
  const { from, to, poolMs, demandMs } = each;
  return [
    `Ours, ${VIF_WORDS[vif]}, from ${from} to ${to} pods: by ${duration(poolMs)} and ${duration(demandMs)}, ${(poolMs / demandMs).toFixed(3)} of it.`,
  ];
}

function burstRow(burst: PodBurst): string {
  const { vif, pods, poolMs, demandMs, floorMs, poolCalls, demandCalls = '' } = burst;
  const above = aboveFloor(burst);
  const floor = floorMs === undefined ? '' : duration(floorMs);
  const [demand, times] = demandMs === undefined ? ['', ''] : [duration(demandMs), (demandMs / poolMs).toFixed(1)];
  return `| ${[pods, VIF_WORDS[vif], duration(poolMs), floor, above === undefined ? '' : `${above.toFixed(1)} ms`, demand, times, poolCalls, demandCalls].join(' | ')} |`;
}

function originalLines(report: CaseReport): readonly string[] {
  const { beside = [] } = report;
  return [
    '## The original beside ours',
    '',
    ...where(report, 'the laboratory of OpenStack and an API server'),
    'Kuryr-Kubernetes of PyPI and ours, one after the other, on bare metal: the same API server, Neutron, agent and Open vSwitch, pods of the same kind,',
    'and a pool that is full before each round. CNI ADD is called as soon as the pod is bound, the executable of ours included, that of the original not.',
    '',
    ...table(
      ['case', 'ours', 'the original', 'times', 'calls of Neutron for each pod, ours', 'the original'],
      beside.map(besideRow),
    ),
    ...bodyOf({ ...report, rows: [], ratios: [] }),
  ];
}

const besideRow = ({ what, oursMs, otherMs, oursCalls, otherCalls }: Beside): string =>
  `| ${what} | ${duration(oursMs)} | ${duration(otherMs)} | ${(otherMs / oursMs).toFixed(1)} | ${oursCalls} | ${otherCalls} |`;

function thousandLines(report: CaseReport): readonly string[] {
  return [
    '## Many pods, one controller',
    '',
    ...where(report, 'the API server'),
    'Pods of nodes that are objects only, so that nobody plugs them, with addresses of the built-in fabric.',
    '',
    ...bodyOf(report),
  ];
}

function cniLines(report: CaseReport): readonly string[] {
  return [
    '## The plugin alone',
    '',
    ...where(report, 'the daemon'),
    'The port is there and active. Beside it, in turns, the reference plugin `bridge` with `host-local`.',
    '',
    ...bodyOf(report),
  ];
}

function where({ command, date, machine }: CaseReport, others: string): readonly string[] {
  const { cores, processor, loadBefore, loadAfter } = machine;
  const after = loadAfter === undefined ? '' : ` and ${loadAfter.toFixed(1)} after`;
  return [
    `\`${command}\` on ${date.slice(0, 10)}: ${cores} cores of ${processor}, which ${others} shares with what is`,
    `measured; load ${loadBefore.toFixed(1)} before${after}.`,
  ];
}

function bodyOf({ rows, ratios, figures, notes }: CaseReport): readonly string[] {
  const bold = (text: string, isMet: boolean) => (isMet ? text : `**${text}**`);
  const tables = [
    table(['case', 'measured', 'largest', 'at most'], rows.map(tableRow)),
    table(
      ['ratio', 'measured', 'at most'],
      ratios.map(
        ({ what, ours, other, atMost, met }) =>
          `| ${what} | ${bold(String(Number((ours / other).toPrecision(3))), met !== false)} | ${atMost ?? ''} |`,
      ),
    ),
    table(
      ['counted', '', 'at most'],
      figures.map((one) => `| ${one.what} | ${bold(String(one.value), isWithin(one))} | ${one.atMost ?? ''} |`),
    ),
  ];
  return [...tables.flat(), ...notes.map((note) => `- ${note}`), ...(notes.length === 0 ? [] : [''])];
}

function table(head: readonly string[], lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return [];
  const aligned = head.map((_, at) => (at === 0 ? '---' : '---:'));
  return [`| ${head.join(' | ')} |`, `| ${aligned.join(' | ')} |`, ...lines, ''];
}
