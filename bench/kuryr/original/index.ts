import { findLab } from '../../../lab/openstack/testing.ts';
import { ratioOf } from '../../openstack/report.ts';
import { tell } from '../../record.ts';
import { type Timing, timing } from '../../statistics.ts';
import { type PodTimes, reach } from '../played-node.ts';
import type { PodSizes } from '../pods.ts';
import type { Found } from '../report.ts';
import { allOf, SPARE } from '../settle.ts';
import { ControlPlane } from './control-plane.ts';
import { ensureOriginal, ORIGINAL_VERSION } from './install.ts';
import { applyResources } from './programs.ts';
import { type Mode, type Open, openOriginal, openOurs, type Place, type Running } from './subjects.ts';

const MODES: Readonly<Record<Mode, string>> = { demand: 'made on demand', pool: 'from the pool' };
/** Of either one, in either way: each takes the original a minute, with what comes after. */
const BURSTS = [
  { pods: 10, times: 2 },
  { pods: 50, times: 1 },
] as const;
/** Pods that are not counted: for its first one a controller reads the subnet, the original makes its pool, and programs get faster with use. */
const WARM: Readonly<Record<Mode, number>> = { demand: 1, pool: 10 };

interface Taken {
  readonly took: Timing;
  /** Of Neutron for each pod, until the last has its network. */
  readonly calls: number;
}

/** By mode and number of pods. */
type Series = Map<string, Taken>;
const keyOf = (mode: Mode, pods: number) => `${mode} ${pods}`;

/** Kuryr-Kubernetes itself on bare metal, and ours beside it: the same API server, Neutron and Open vSwitch, one after the other. */
export async function benchOriginal({ demandRounds, podsMost }: PodSizes, found: Found): Promise<void> {
  const { lab: openstack, reason } = findLab({ services: ['ovs'], network: 'ovs' });
  if (openstack === undefined) throw new Error(reason);
  const installed = await ensureOriginal(tell);
  await using plane = await ControlPlane.open(tell);
  await applyResources(plane.lab, installed.resources);
  const place: Place = { plane, openstack, installed };
  const rows = [{ pods: 1, times: demandRounds }, ...BURSTS.filter(({ pods }) => pods <= podsMost)];
  const ours: Series = new Map();
  const theirs: Series = new Map();
  for (const mode of ['demand', 'pool'] as const) {
    await measure({ words: 'ours', open: openOurs, series: ours }, place, mode, rows, found);
    try {
      const words = `the original, ${ORIGINAL_VERSION}`;
      await measure({ words, open: openOriginal, series: theirs }, place, mode, rows, found);
    } catch (error) {
      // That it does not run is an answer too.
      tell(String(error instanceof Error ? error.stack : error));
      found.note(`the original, ${MODES[mode]}, did not go on: ${error instanceof Error ? error.message : error}`);
    }
  }
  for (const mode of ['demand', 'pool'] as const)
    for (const { pods } of rows) {
      const [one, other] = [ours.get(keyOf(mode, pods)), theirs.get(keyOf(mode, pods))];
      if (one === undefined || other === undefined) continue;
      const what = pods === 1 ? 'one pod' : `${pods} pods at once`;
      found.ratio(ratioOf(`${what}, ${MODES[mode]}: ours / the original`, one.took, other.took));
      found.beside({
        what: `${what}, ${MODES[mode]}`,
        oursMs: one.took.p50,
        otherMs: other.took.p50,
        oursCalls: one.calls,
        otherCalls: other.calls,
      });
    }
}

interface Subject {
  readonly words: string;
  readonly open: Open;
  readonly series: Series;
}

type Rows = readonly { readonly pods: number; readonly times: number }[];

async function measure(subject: Subject, place: Place, mode: Mode, rows: Rows, found: Found): Promise<void> {
  const { words, open, series } = subject;
  const most = Math.max(...rows.map(({ pods, times }) => (pods === 1 ? WARM[mode] + times : pods))) + SPARE;
  await using running = await open(place, mode, most);
  await running.settle(0);
  await repeat(running, 1, WARM[mode]);
  for (const { pods, times } of rows) {
    const taken = await repeat(running, pods, times);
    series.set(keyOf(mode, pods), taken);
    const what = pods === 1 ? 'one pod' : `${pods} pods at once, until the last`;
    found.row({ ...taken.took, what: `${what}, ${words}: ${MODES[mode]}` });
  }
  await reach([running.node]);
  found.note(`a pod reached another (ping): ${words}, ${MODES[mode]}`);
  const { processorS, peakMiB } = running.usage();
  const of = `${words}, ${MODES[mode]}`;
  found.figure(`${of}: seconds of processor time of the controller`, Number(processorS.toFixed(1)));
  found.figure(`${of}: MiB of memory of the controller at most`, peakMiB);
  const { retries } = running.node;
  if (retries > 0) found.figure(`${of}: times that a pod had to be asked for again`, retries);
}

/** For one pod, from its binding to its network; for many, from the first request to the last. */
async function repeat(running: Running, pods: number, times: number): Promise<Taken> {
  const { node, calls } = running;
  const took: number[] = [];
  let asked = 0;
  for (let round = 0; round < times; round += 1) {
    const sandboxes = node.sandboxes(pods);
    let all: readonly PodTimes[];
    try {
      const mark = calls.mark();
      all = await allOf(sandboxes.map((sandbox) => node.start(sandbox)));
      asked += await calls.since(mark);
    } finally {
      await node.end(sandboxes);
    }
    const lastMs = Math.max(...all.map(({ readyMs }) => readyMs));
    took.push(lastMs - (pods === 1 ? all[0]!.boundMs : Math.min(...all.map(({ sentMs }) => sentMs))));
    await running.settle(pods);
  }
  return { took: timing('', took), calls: Math.round((asked / times / pods) * 10) / 10 };
}
