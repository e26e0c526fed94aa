import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inNamespace } from '@superfluidity/netlink';
import { KillableDaemon } from '../../apps/kuryr/cni/testing/killable.ts';
import { TestNode, uidOf } from '../../apps/kuryr/cni/testing/node.ts';
import { missingForVSwitch } from '../../apps/kuryr/cni/testing/vswitch.ts';
import type { Row } from '../record.ts';
import { timing } from '../statistics.ts';

/** Of Debian's containernetworking-plugins. */
const REFERENCE = '/usr/lib/cni/bridge';

export interface Sizes {
  /** Pods one after the other. */
  readonly pods: number;
  /** Pods at once. */
  readonly burst: number;
}

type Add = (row: Row) => void;

/**
 * The plugin as a runtime starts it, from the start of its process to its end, on a node of its own: the daemon in a process, and the
 * reference plugin with its own addresses, in turns.
 */
export async function benchCni({ pods, burst }: Sizes, add: Add): Promise<void> {
  const hasVSwitch = missingForVSwitch() === undefined;
  await using node = await TestNode.open({ bridge: true, vswitch: hasVSwitch });
  buildStopwatch(node);
  const daemon = await KillableDaemon.start(node);
  try {
    if (hasVSwitch) await plugAhead(node, daemon, Math.max(burst, SPARES));
    const ours = (verb: string, pod: string, netns: string) =>
      measure(node, node.executable, verb, pod, netns, node.configuration());
    const reference = (verb: string, pod: string, netns: string) =>
      measure(node, REFERENCE, verb, pod, netns, referenceConfiguration(node));
    const subjects: Record<string, (verb: string, pod: string, netns: string) => Promise<number>> = {
      bridge: ours,
      ...(hasVSwitch ? { vswitch: ours, ahead: ours } : {}),
      ...(existsSync(REFERENCE) ? { reference } : {}),
    };
    const over: string[] = [];
    const times = new Map<string, number[]>();
    const keep = (what: string, ms: number) => times.set(what, [...(times.get(what) ?? []), ms]);
    for (let i = 0; i < pods + WARM; i += 1) {
      if (i === WARM) times.clear();
      keep('version', await measure(node, node.executable, 'VERSION', 'none', '', '{}'));
      for (const [subject, run] of Object.entries(subjects)) {
        const pod = `${subject}-${i}`;
        const netns = node.sandbox();
        daemon.put(portOf(node, subject, pod, i % SPARES));
        keep(`ADD ${subject}`, await run('ADD', pod, netns));
        keep(`DEL ${subject}`, await run('DEL', pod, netns));
        // Later: the kernel would tidy up a namespace while the next pod is measured.
        over.push(netns);
      }
    }
    for (const netns of over) node.removeSandbox(netns);
    const row = (what: string, key: string): Row => timing(what, times.get(key) ?? []);
    add({ ...row('CNI ADD, pooled, into a bridge of Linux', 'ADD bridge'), goalMs: 10 });
    add({ ...row('CNI ADD, pooled, into Open vSwitch in user space', 'ADD vswitch'), goalMs: 10 });
    add({ ...row('CNI ADD, of what lay plugged ahead in Open vSwitch', 'ADD ahead'), goalMs: 10 });
    add({ ...row('CNI ADD of the reference plugin bridge, with host-local', 'ADD reference'), peer: true });
    add(row('CNI DEL, from a bridge of Linux', 'DEL bridge'));
    add(row('CNI DEL, from Open vSwitch in user space', 'DEL vswitch'));
    add(row('CNI DEL, of what stays plugged in Open vSwitch', 'DEL ahead'));
    add({ ...row('CNI DEL of the reference plugin bridge, with host-local', 'DEL reference'), peer: true });
    add({ ...row('start and end of the executable (VERSION)', 'version'), goalMs: 5 });
    for (const [subject, run] of Object.entries(subjects)) await atOnce(node, daemon, subject, run, burst, add);
  } finally {
    await daemon.kill();
  }
}

const WARM = 20;
/** So many are used in turns by pods that come one after the other. */
const SPARES = 8;
const PLUG_MS = 120_000;
const POLL_MS = 100;
const WORDS: Readonly<Record<string, string>> = {
  ahead: 'what lay plugged ahead',
  reference: 'the reference plugin bridge',
};

/** From the first start of a process to the end of the last one. */
async function atOnce(
  node: TestNode,
  daemon: KillableDaemon,
  subject: string,
  run: (verb: string, pod: string, netns: string) => Promise<number>,
  count: number,
  add: Add,
): Promise<void> {
  const all = Array.from({ length: count }, (_, i) => ({ pod: `burst-${subject}-${i}`, netns: node.sandbox() }));
  for (const [i, { pod }] of all.entries()) daemon.put(portOf(node, subject, pod, i));
  const began = performance.now();
  const each = await Promise.all(all.map(({ pod, netns }) => run('ADD', pod, netns)));
  const tookMs = performance.now() - began;
  for (const { pod, netns } of all) {
    await run('DEL', pod, netns);
    node.removeSandbox(netns);
  }
  const { p50 } = timing('', each);
  const isPeer = subject === 'reference';
  const what = `${count} ADDs at once, the last one: ${WORDS[subject] ?? subject}`;
  add({
    ...timing(what, [tookMs]),
    ...(isPeer ? { peer: true } : {}),
    note: `the median one after ${p50.toFixed(0)} ms`,
  });
}

/** `spare`: which of those that are plugged ahead. */
function portOf(node: TestNode, subject: string, pod: string, spare: number) {
  const { id, mac, plugging } = spareOf(node, spare);
  const eth0 = {
    bridge: {},
    vswitch: { plugging: { ...plugging, interfaceId: pod } },
    ahead: { id, mac, plugging },
  }[subject];
  return node.port(pod, { interfaces: { eth0: eth0 ?? {} } });
}

function spareOf(node: TestNode, spare: number) {
  const { id, mac, mtu } = node.port(`spare-${spare}`).status!.interfaces['eth0']!;
  return { id, mac, mtu, plugging: { kind: 'ovs', bridge: 'br-int', interfaceId: id } as const };
}

async function plugAhead(node: TestNode, daemon: KillableDaemon, count: number): Promise<void> {
  daemon.tell(Array.from({ length: count }, (_, i) => spareOf(node, i)));
  for (const deadline = performance.now() + PLUG_MS; ; ) {
    if (node.vswitch.vsctl('list-ports', 'br-int').split('\n').length >= count) return;
    if (performance.now() > deadline) throw new Error(`${count} spares are not plugged`);
    await pause(POLL_MS);
  }
}

function referenceConfiguration(node: TestNode): string {
  const ipam = {
    type: 'host-local',
    ranges: [[{ subnet: '10.90.0.0/16' }]],
    dataDir: join(node.folder, 'addresses'),
  };
  return JSON.stringify({
    cniVersion: '1.0.0',
    name: 'reference',
    type: 'bridge',
    bridge: 'reference',
    mtu: 1450,
    ipam,
  });
}

/** In milliseconds. Throws where the plugin fails. */
function measure(
  node: TestNode,
  executable: string,
  verb: string,
  pod: string,
  netns: string,
  config: string,
): Promise<number> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    CNI_COMMAND: verb,
    CNI_CONTAINERID: `c-${pod}`,
    CNI_NETNS: netns,
    CNI_IFNAME: 'eth0',
    CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${pod};K8S_POD_UID=${uidOf(pod)}`,
    CNI_PATH: '/usr/lib/cni',
  };
  return new Promise((resolve, reject) => {
    // Born in the network of the node, as plugins of a runtime are.
    const child = inNamespace(node.name, () =>
      execFile(stopwatchOf(node), [executable], { env }, (error, stdout, stderr) => {
        if (error === null) resolve(Number(stderr) / 1_000);
        else reject(new Error(`${verb} ${pod}: ${stdout}`, { cause: error }));
      }),
    );
    child.stdin!.end(config);
  });
}

const stopwatchOf = (node: TestNode) => join(node.folder, 'bin/stopwatch');

function buildStopwatch(node: TestNode): void {
  const source = fileURLToPath(new URL('stopwatch.c', import.meta.url));
  execFileSync('cc', ['-O2', '-static', '-o', stopwatchOf(node), source]);
}
