import { tableRow } from '../record.ts';
import type { OcmReport } from './report.ts';
import { SIZES, type StudyRow } from './study.ts';
import { type SwitchName, SWITCHES } from './workload.ts';

/** docs/reference/placement.md: the format, what it means, and a recorded result. */
export function placementPage(report: OcmReport): string {
  const { date, machine, speed, study, gaps } = report;
  const file = `${date.slice(0, 10)}-ocm.json`;
  return [
    '# Placement of chains',
    '',
    `<!-- Made by \`npm run bench -- ocm\` from bench/results/${file}. -->`,
    '',
    ...introduction,
    '## What it saves',
    '',
    `Recorded on ${date.slice(0, 10)} in [${file}](../../bench/results/${file}): hosts of 24 cores that are alike, chains of 2 to 8 functions with`,
    'a fifth of a core to two each, 0.05 to 2 million packets a second (evenly by the logarithm), one after the other until long',
    'after the hosts are full, all policies on the same chains, with the models of the product, which are synthetic. Means over',
    'the seeds; half of the 95 % interval behind them.',
    '',
    ...SWITCHES.map((name) => summary(name, study)),
    '',
    '![Switching by each policy, divided by that of OCM](../images/placement-cost.svg)',
    '',
    '![Chains that each policy finds room for, divided by those of OCM](../images/placement-accepted.svg)',
    '',
    '| switch | hosts | policy | switching, times that of OCM | under light load | chains placed | before the first refusal |',
    '| --- | ---: | --- | ---: | ---: | ---: | ---: |',
    ...study.map(studyRow),
    '',
    'Light load is the first chains alone, a fifth as many as there are hosts. Switching is compared for the chains that both placed. A policy that refuses the dear ones therefore looks better than it',
    'is: read it with the number that it placed. OCM takes the cheapest step for each chain and knows nothing of those to come,',
    'so it need not be the best for all of them together:',
    '',
    '| switch | seed | chains | OCM, online | at least, known beforehand | times |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...gaps.map(({ switch: name, seed, chains, onlineCores, boundCores }) => {
      const bound =
        boundCores === undefined
          ? 'not found in 10 s |'
          : `${boundCores.toFixed(3)} | ${(onlineCores / boundCores).toFixed(2)}`;
      return `| ${name} | ${seed} | ${chains} | ${onlineCores.toFixed(3)} | ${bound} |`;
    }),
    '',
    'That is on four hosts and five chains of 2 to 4 functions; for polling switches the bound is not reached by any placement.',
    '',
    '## How fast',
    '',
    `On ${machine.cores} cores of ${machine.processor}, Node ${machine.node}, load ${machine.loadBefore.toFixed(1)} before; hosts that all carry something, no two alike.`,
    'Medians of the processor time of the one thread that works, which is what it takes on a machine of its own; HiGHS by the clock.',
    '',
    '| case | measured | largest | at most |',
    '| --- | ---: | ---: | ---: |',
    ...speed.map(tableRow),
    '',
  ].join('\n');
}

/** Of the largest number of hosts: what OCM takes less than the two extremes, and than the scheduler that follows them. */
function summary(name: SwitchName, study: readonly StudyRow[]): string {
  const hosts = SIZES.at(-1)!;
  const row = (policy: StudyRow['policy']) =>
    study.find((each) => each.switch === name && each.hosts === hosts && each.policy === policy);
  const compared = (['gather', 'distribute', 'nova-stack', 'nova-spread'] as const).flatMap((policy) => {
    const { ratio, ratioLight } = row(policy) ?? {};
    if (ratio === undefined || ratioLight === undefined || !Number.isFinite(ratio.mean + ratioLight.mean)) return [];
    return [`${less(ratio.mean)} than ${policy} (under light load ${less(ratioLight.mean)})`];
  });
  const first = (policy: StudyRow['policy']) => row(policy)?.untilRefusal.mean.toFixed(0) ?? '?';
  return [
    `- **${name}**, ${hosts.toLocaleString('en')} hosts: for switching, OCM takes ${compared.join(', ')}. The first chain is refused after ${first('ocm')} by OCM,`,
    `  ${first('gather')} by gather, ${first('distribute')} by distribute, ${first('nova-stack')} by nova-stack, ${first('nova-spread')} by nova-spread.`,
  ].join('\n');
}

function less(times: number): string {
  const part = Math.round((1 - 1 / times) * 100);
  return part < 0 ? `${-part} % more` : `${part} % less`;
}

function studyRow(row: StudyRow): string {
  const times = ({ mean, half }: StudyRow['ratio']) =>
    Number.isFinite(mean) ? `${mean.toFixed(2)} ± ${half.toFixed(2)}` : '';
  const count = ({ mean, half }: StudyRow['ratio']) => `${mean.toFixed(0)} ± ${half.toFixed(0)}`;
  return `| ${row.switch} | ${row.hosts} | ${row.policy} | ${times(row.ratio)} | ${times(row.ratioLight)} | ${count(row.accepted)} of ${row.offered} | ${count(row.untilRefusal)} |`;
}

const introduction =
  `Packets that go from one function of a chain to the next pass a virtual switch, and that takes processor time which no function
asked for. How much depends on the switch, the packets a second, and on how the chain is cut into pieces and spread over
hosts. \`place chains\` finds, for one chain after the other, the cut and the hosts that add least to it (OCM: Luizelli, Raz and
Sa'ar, INFOCOM 2018), beside what others do, and says why:

    npx superfluidity place chains examples/placement/chains.yaml
    npx superfluidity place chains examples/placement/chains.yaml --policy nova-spread --json

| policy | does |
| --- | --- |
| \`ocm\` | of all partitions of the chain and all hosts, what adds least; exact up to 12 functions |
| \`ocm-relaxed\` | the same, but a chain comes to a host once: no packets to and fro |
| \`gather\` | the whole chain on one host, the one that it leaves least room on |
| \`distribute\` | a host for each function, the least loaded ones |
| \`nova-spread\`, \`nova-stack\` | function by function, by free processors and memory as the weighers of OpenStack Nova have it, or by their contrary |
| \`first-fit\`, \`random\` | the first host with room; any, by \`--seed\` |

Capacity (functions and switching together), memory, accelerators, \`sites\` and \`hosts\` of a function, affinity and latency are
hard for all of them. It exits with 1 when a chain was refused; a refusal says for which function, and what speaks against
each host. What is wrong with a file is said with line and column. Fields are in
[the JSON Schema](../schemas/chains.schema.json), and [the example](../../examples/placement/chains.yaml) has most of them.

The hosts of a service that \`service plan\` places come from the same step: sites first, by latency, cost and resources, and among
hosts of a site that are alike for all that, those with which the switches take least (\`ocm-relaxed\`, the model of the kernel
switch, 512 bytes a packet, and 100 Mbit/s where a chain states no bandwidth). What runs already stays.

## The cost of a switch

f of a piece of \`length\` functions with a rate in millions of packets a second, in cores:

    work = rate * ((length + 1) * (perHop + perHopLog * log2(1 + length)) + (length - 1) * perInner)
    interrupt:  f of n copies = base + n * work
    poll:       f of n copies = max(base, n * work)

A host with r pieces takes the mean over them of f of r copies of each. The paper prints r - 1 times the mean saving of r copies,
which for r alike pieces is not the f of r copies, and less than nothing soon; that form is there as \`costModel: literal\`. Costs are
counted in whole millionths of a core, so that no order of summing changes them.

The coefficients of the paper are not public. Those of \`kernel-ovs\` and \`dpdk-ovs\`
([here](../../packages/place/ocm/models)) are synthetic, fitted to published throughputs of Open vSwitch quoted from memory: good
for comparing policies, not for buying machines. Measure your own switch (columns rate, length, copies, cpu), and put what this
prints into \`switches:\` of the file:

    npx superfluidity place calibrate measurements.csv --name my-switch

It says the mean and the largest error, and warns above 5 %, which is what the paper claims of its model.

## What is exact, and until when

The step is dynamic programming over the hosts, whose state is the set of functions that have a place: a block of functions
needs only as many of its cheapest hosts as the chain has functions, because the others take fewer. That is O(2^k m + k 3^k) for k
functions and m hosts, against a matching for each of the Bell(k) partitions as published. Latency and affinity in sites join
blocks: then the same tables are made for each site, and the sites of the functions searched. Property tests hold it against
the published form, bit for bit, and against trying every placement.

| beyond | what happens |
| --- | --- |
| 12 functions | the best of three guesses, with a bound that no placement is under (\`boundCores\`) |
| 64 functions, 100,000 chains or hosts, 500 sites | refused, with the position |
| 24 sites that qualify by latency, 100,000 steps over sites | the best so far, \`optimal: false\`, with a bound |
`.split('\n');
