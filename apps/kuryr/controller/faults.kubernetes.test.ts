import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Clock, systemClock } from '@superfluidity/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findLab } from '../../../lab/kubernetes/testing.ts';
import type { Lease } from '../kubernetes/objects.ts';
import { CutProxy } from './testing/cut-proxy.ts';
import { pooled } from './testing/pooled.ts';
import { type Replica, TestCluster } from './testing/cluster.ts';

/** What goes wrong: controllers that are killed or cut off, nodes that go, and annotations of people who mean no good. */

const { lab, reason } = findLab();
const WAIT = { timeout: 40_000, interval: 200 } as const;
const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const title = (text: string) => `${text}${reason === undefined ? '' : ` (${reason})`}`;

const numbered = (name: string, count: number) => Array.from({ length: count }, (_, at) => `${name}-${at}`);

async function addresses(cluster: TestCluster): Promise<readonly (string | undefined)[]> {
  return (await cluster.ports()).map(({ status }) => status?.interfaces['eth0']?.addresses[0]);
}

describe.skipIf(lab === undefined)(title('a controller that is killed'), () => {
  let cluster: TestCluster;
  let node: string;
  let folder: string;
  const running = new Set<ChildProcess>();
  /** Resolves when it waits for its turn, or has it. */
  const launch = async () => {
    const child = spawn(process.execPath, [MAIN, 'controller', '--config', join(folder, 'config.json')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    running.add(child);
    child.once('exit', () => running.delete(child));
    await new Promise((resolve) => child.stderr!.once('data', resolve));
    child.stderr!.resume();
    return child;
  };
  const ended = (child: ChildProcess) => new Promise((resolve) => child.once('exit', resolve));

  beforeAll(async () => {
    cluster = await TestCluster.open(lab!, 'kuryr-kill');
    node = await cluster.addNode('a', '10.206.1.0/24');
    folder = mkdtempSync(join(tmpdir(), 'superfluidity-kuryr-'));
    writeFileSync(join(folder, 'config.json'), JSON.stringify(cluster.config()));
  });
  afterAll(async () => {
    for (const child of running) child.kill('SIGKILL');
    await cluster.close();
    rmSync(folder, { recursive: true });
  });

  it('while pods come and go, gives no address twice and loses none', async () => {
    const pods = (names: readonly string[]) => names.map((name) => cluster.pod(name, node));
    for (const [round, afterMs] of [300, 900, 1_700].entries()) {
      const child = await launch();
      const over = ended(child);
      // It has its lease after that of the one before has expired.
      if (round > 0) await systemClock.sleep(3_500);
      await cluster.apply(...pods(numbered(`r${round}`, 15)));
      await systemClock.sleep(afterMs);
      if (round > 0) await cluster.deletePods(...numbered(`r${round - 1}`, 8));
      child.kill('SIGKILL');
      await over;
    }
    const last = await cluster.start();
    const left = 15 * 3 - 8 * 2;
    const given = async () => (await addresses(cluster)).filter((one) => one !== undefined);
    await expect.poll(async () => (await given()).length, WAIT).toBe(left);
    await expect.poll(async () => (await cluster.ports()).length, WAIT).toBe(left);
    expect(new Set(await given()).size).toBe(left);
    const used = async () =>
      Number(/^kuryr_ports_in_use\{vif="linux"\} (\d+)$/m.exec((await cluster.ask(last, '/metrics')).text)?.[1]);
    await expect.poll(used, WAIT).toBe(left);
    await cluster.deletePods();
    await expect.poll(() => cluster.ports(), WAIT).toEqual([]);
    await expect.poll(used, WAIT).toBe(0);
  });

  it('ends by SIGTERM with code 0, and disturbs nobody while it waits for its turn', async () => {
    const holder = async () =>
      (await cluster.json<Lease>('-n', cluster.namespace, 'get', 'lease', 'kuryr')).spec?.holderIdentity;
    const before = await holder();
    const child = await launch();
    const over = ended(child);
    child.kill('SIGTERM');
    expect(await over).toBe(0);
    // The one that leads was not disturbed.
    expect(await holder()).toBe(before);
  });
});

describe.skipIf(lab === undefined)(title('a controller that is cut off'), () => {
  let cluster: TestCluster;
  let proxy: CutProxy;
  let node: string;
  let cutOff: Replica;

  beforeAll(async () => {
    cluster = await TestCluster.open(lab!, 'kuryr-cut');
    node = await cluster.addNode('a', '10.207.1.0/24');
    proxy = await CutProxy.open(lab!.paths.adminConfig);
    cutOff = await cluster.start({ kubeconfig: proxy.kubeconfig }, 'near');
  });
  afterAll(async () => {
    proxy.mend();
    await cluster.close();
    await proxy.close();
  });

  it('goes on when the API server is back: what came meanwhile is served, what went is free', async () => {
    await cluster.apply(...numbered('early', 5).map((name) => cluster.pod(name, node)));
    await expect.poll(async () => (await addresses(cluster)).filter(Boolean).length, WAIT).toBe(5);
    proxy.cut();
    await cluster.apply(...numbered('late', 5).map((name) => cluster.pod(name, node)));
    await cluster.deletePods('early-0');
    await systemClock.sleep(1_000);
    proxy.mend();
    await expect.poll(async () => (await addresses(cluster)).filter(Boolean).length, WAIT).toBe(9);
    await expect.poll(async () => (await cluster.ports()).length, WAIT).toBe(9);
    expect(new Set(await addresses(cluster)).size).toBe(9);
  });

  it('leads no longer, before another begins; no pod has the address of another', async () => {
    const leads = async (replica: Replica) =>
      (await cluster.ask(replica, '/metrics')).text.includes('\nkuryr_leader 1');
    await expect.poll(() => leads(cutOff), WAIT).toBe(true);
    const other = await cluster.start({}, 'far');
    proxy.cut();
    const both: boolean[] = [];
    await expect
      .poll(async () => {
        const [near, far] = [await leads(cutOff), await leads(other)];
        both.push(near && far);
        return far;
      }, WAIT)
      .toBe(true);
    expect(both).not.toContain(true);
    await cluster.apply(...numbered('then', 5).map((name) => cluster.pod(name, node)));
    await expect.poll(async () => (await addresses(cluster)).filter(Boolean).length, WAIT).toBe(14);
    proxy.mend();
    await cluster.apply(cluster.pod('again', node));
    await expect.poll(async () => (await addresses(cluster)).filter(Boolean).length, WAIT).toBe(15);
    expect(new Set(await addresses(cluster)).size).toBe(15);
    expect(await leads(cutOff)).toBe(false);
  });
});

describe.skipIf(lab === undefined)(title('a clock that is set'), () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.open(lab!, 'kuryr-clock');
  });
  afterAll(async () => cluster.close());

  it('back or forth by an hour keeps the controller from nothing, and its lease stays its own', async () => {
    let setMs = 0;
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + setMs };
    const node = await cluster.addNode('a', '10.209.1.0/24');
    const replica = await cluster.start({}, 'set', clock);
    const lease = () => cluster.json<Lease>('-n', cluster.namespace, 'get', 'lease', 'kuryr');
    for (const [round, jumpMs] of [0, -3_600_000, 7_200_000].entries()) {
      setMs += jumpMs;
      const name = `jump-${round}`;
      await cluster.apply(cluster.pod(name, node));
      await expect.poll(async () => (await cluster.port(name))?.status, WAIT).toBeDefined();
      // Twice as long as its lease.
      await systemClock.sleep(6_000);
      expect((await lease()).spec).toMatchObject({ holderIdentity: 'set', leaseTransitions: 0 });
      expect((await cluster.ask(replica, '/readyz')).status).toBe(200);
    }
    // Who looks at the lease sees it, each time it was set.
    const told = async () => (await cluster.events('kuryr')).filter((event) => event.reason === 'KuryrClockSet');
    await expect
      .poll(async () => new Set((await told()).map(({ message }) => / by (-?\d+) s/.exec(message)?.[1])), WAIT)
      .toEqual(new Set(['-3600', '7200']));
    await cluster.deletePods();
    await expect.poll(() => cluster.ports(), WAIT).toEqual([]);
  });
});

describe.skipIf(lab === undefined)(title('nodes and annotations'), () => {
  let cluster: TestCluster;
  let replica: Replica;

  beforeAll(async () => {
    cluster = await TestCluster.open(lab!, 'kuryr-odd');
    replica = await cluster.start({ drivers: { vif: 'linux', project: 'annotation' } });
  });
  afterAll(async () => cluster.close());

  it('a node that is gone leaves nothing in the pools once its pods are gone too', async () => {
    const node = await cluster.addNode('gone', '10.208.1.0/24');
    await cluster.apply(...numbered('p', 3).map((name) => cluster.pod(name, node)));
    await expect.poll(async () => (await addresses(cluster)).filter(Boolean).length, WAIT).toBe(3);
    const its = () => pooled(cluster, replica, node);
    await expect.poll(its, WAIT).toMatchObject({ inUse: 3, ready: expect.toSatisfy((count: number) => count > 0) });
    await cluster.kubectl('delete', 'node', node);
    const told = async (what: string) => (await cluster.events(node, 'default')).find((event) => event.reason === what);
    await expect
      .poll(() => told('KuryrNodeGone'), WAIT)
      .toMatchObject({
        type: 'Warning',
        involvedObject: { kind: 'Node' },
        message: expect.stringContaining('3 ports'),
      });
    await cluster.deletePods();
    await expect.poll(() => cluster.ports(), WAIT).toEqual([]);
    await expect.poll(its, WAIT).toEqual({ ready: 0, making: 0, inUse: 0 });
    await expect.poll(() => told('KuryrNodeReleased'), WAIT).toMatchObject({ type: 'Normal' });
  });

  it('what a leader wrote late is given to nobody else, and a pod that shares an address is told so', async () => {
    const node = await cluster.addNode('late', '10.208.3.0/28');
    // Bound to a node that is not there yet: nobody gives it anything.
    const missing = `${cluster.run}-missing`;
    await cluster.apply(cluster.pod('late', missing), cluster.pod('first', node));
    await expect.poll(() => cluster.port('late'), WAIT).toBeDefined();
    await expect.poll(async () => (await cluster.port('first'))?.status, WAIT).toBeDefined();
    const { eth0 } = (await cluster.port('first'))!.status!.interfaces;
    const write = (name: string, address: string) => {
      const given = { ...eth0, id: `${address}@10.208.3.0/28`, addresses: [`${address}/28`] };
      const patch = JSON.stringify({ status: { interfaces: { eth0: given } } });
      return cluster.inside('patch', 'kuryrport', name, '--type=merge', '--patch', patch);
    };
    await write('late', '10.208.3.5');
    await systemClock.sleep(1_000);
    await cluster.apply(...numbered('then', 11).map((name) => cluster.pod(name, node)));
    const ours = async () => (await addresses(cluster)).filter((one) => one?.startsWith('10.208.3.') === true);
    await expect.poll(async () => (await ours()).length, WAIT).toBe(13);
    expect(new Set(await ours()).size).toBe(13);

    await write('late', eth0!.addresses[0]!.split('/')[0]!);
    const told = async () => (await cluster.events('late')).map((event) => event.reason);
    await expect.poll(told, WAIT).toContain('KuryrPortShared');
    await cluster.deletePods();
    await expect.poll(() => cluster.ports(), WAIT).toEqual([]);
  });

  it('what is no project in an annotation is refused on the pod, and harms no other namespace', async () => {
    const node = await cluster.addNode('a', '10.208.2.0/24');
    const evil = { name: 'x', annotations: { 'superfluidity.dev/project': '../../v3/projects?x=$(reboot)' } };
    const other = await cluster.addNamespace('-evil', { annotations: evil.annotations });
    const hostile = { ...(cluster.pod('hostile', node) as object), metadata: { name: 'hostile', namespace: other } };
    await cluster.apply(hostile, cluster.pod('plain', node));
    await expect.poll(async () => (await cluster.port('plain'))?.status, WAIT).toBeDefined();
    await expect
      .poll(async () => (await cluster.events('hostile', other)).map(({ message }) => message).join(), WAIT)
      .toMatch(/is no id of a project \[SF-KURYR-ANNOTATION\]/);
    expect((await cluster.ports(other))[0]?.status).toBeUndefined();
  });
});
