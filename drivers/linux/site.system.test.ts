import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { newId, silentLogger, systemClock } from '@superfluidity/core';
import type { BalancerSpec, PortSpec } from '@superfluidity/fabric';
import type { Execution } from '@superfluidity/model';
import type { SiteDriver, SiteEvent, UnitSpec, UnitStatus } from '@superfluidity/site';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { listLinks, listNamespaces, listRoutes, MNT_DETACH, systemCall } from '@superfluidity/netlink';
import { hostNamespace, isAlive, killProcess, type ProcessRef, Records, scopeOf } from '@superfluidity/router';
import { linuxDriver } from './index.ts';
import { cgroupLayout } from './kernel/cgroup.ts';
import { ping } from './kernel/icmp.ts';
import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { unitCgroup } from './workload.ts';

const run = promisify(execFile);
const TIMEOUT_MS = 60_000;
const coded = (code: string) => expect.objectContaining({ code });
const reason = missingForKernelTests(['ip', 'nft', 'runc']);
const sleeping: Execution = { environment: 'process', command: ['sleep', '1000'] };
const web = (text: string): Execution => ({
  environment: 'process',
  command: [
    process.execPath,
    '-e',
    `require('node:http').createServer((request, response) => response.end('${text}')).listen(8080, '0.0.0.0')`,
  ],
  health: { kind: 'http', port: 8080, path: '/', timeoutMs: 20_000 },
});

describe.skipIf(reason !== undefined)(titled('a linux site', reason), { timeout: TIMEOUT_MS }, () => {
  const id = newId('site');
  const scope = scopeOf(id);
  const stateFolder = mkdtempSync(join(tmpdir(), 'superfluidity-linux-'));
  let site: SiteDriver;
  let fence = 1;

  const open = () =>
    linuxDriver.open({
      id,
      name: 'trial',
      config: { hosts: ['h1', 'h2'].map((name) => ({ name, cpu: 8, memoryMiB: 8192 })) },
      stateFolder,
      clock: systemClock,
      log: silentLogger,
    });
  const call = (signal: AbortSignal = AbortSignal.timeout(TIMEOUT_MS)) => ({ key: 'test', fence, signal });
  const unit = (
    name: string,
    execution: Execution,
    more: Partial<UnitSpec> = {},
    port: Partial<PortSpec> = {},
  ): UnitSpec => ({
    id: `unit-${name}`,
    service: 'svc-trial',
    path: name,
    index: 0,
    host: 'h1',
    execution,
    cpu: 0.1,
    memoryMiB: 64,
    storageMiB: 1,
    ports: [{ id: `port-${name}`, name: 'eth0', network: 'net-red', serviceAddresses: [], ...port }],
    facts: {},
    ...more,
  });
  const start = (...args: Parameters<typeof unit>) => site.ensureUnit(unit(...args), call());
  const namespaceOf = (status: UnitStatus) => status.handles['namespace']!;
  const reaches = (from: UnitStatus, to: UnitStatus) =>
    ping(namespaceOf(from), to.ports[0]!.address, { timeoutMs: 300 }).then(
      () => true,
      () => false,
    );
  /** Not a call that waits: the site goes on to look after its balancers. */
  const fetched = async (from: UnitStatus, url: string, seconds = 2): Promise<string | undefined> => {
    const program = ['timeout', String(seconds), 'busybox', 'wget', '-q', '-O', '-', url];
    const { stdout } = await run('ip', ['netns', 'exec', namespaceOf(from), ...program]).catch(() => ({
      stdout: undefined,
    }));
    return stdout;
  };
  /** What came of so many requests, one after the other. */
  const fetchedTimes = async (times: number, ...asked: Parameters<typeof fetched>) => {
    const all: string[] = [];
    while (all.length < times) all.push(String(await fetched(...asked)));
    return all.toSorted();
  };
  /** Everything a unit adds to the machine. */
  const traces = () => ({
    namespaces: listNamespaces().filter((name) => name.startsWith(scope.prefix)),
    links: ['h1', 'h2'].map((host) => listLinks(hostNamespace(scope, host)).map(({ name }) => name)),
    routes: [
      listRoutes(scope.router, { family: 4 }).length,
      ...['h1', 'h2'].flatMap((host) =>
        ([4, 6] as const).map((family) => listRoutes(hostNamespace(scope, host), { family }).length),
      ),
    ],
    cgroups: execFileSync(
      'find',
      ['/sys/fs/cgroup', '-path', `*superfluidity/${scope.key}/*`, '-name', '01*', '-type', 'd'],
      {
        encoding: 'utf8',
      },
    ),
    files: execFileSync('find', [join(scope.folder, 'units'), join(scope.folder, 'slots'), '-mindepth', '1'], {
      encoding: 'utf8',
    }),
  });

  beforeAll(async () => {
    site = await open();
    for (const [name, prefix] of [
      ['red', '10.73.1.0/24'],
      ['blue', '10.74.1.0/24'],
    ] as const) {
      const supernet = prefix.replace('.1.0/24', '.0.0/16');
      await site.fabric.ensureNetwork(
        { id: `net-${name}`, service: `svc-${name}`, name, prefix, supernet, mtu: 1500 },
        call(),
      );
    }
    // So that the folders of units are there to be compared.
    await start('first', sleeping);
    await site.removeUnit('unit-first', call());
  }, TIMEOUT_MS);

  afterEach(async () => {
    const units = await site.listUnits();
    await site.removeUnits(
      units.map((one) => one.id),
      call(),
    );
  }, TIMEOUT_MS);

  afterAll(async () => {
    await site.purge();
    await site.close();
    rmSync(stateFolder, { recursive: true, force: true });
  }, TIMEOUT_MS);

  test('connects units of one network, also over hosts, and keeps networks apart', async () => {
    const [a, b, c, blue] = await Promise.all([
      start('a', sleeping),
      start('b', sleeping),
      start('c', sleeping, { host: 'h2' }),
      start('d', sleeping, { host: 'h2' }, { network: 'net-blue' }),
    ]);
    expect(await reaches(a, b)).toBe(true);
    expect(await reaches(a, c)).toBe(true);
    expect(await reaches(c, a)).toBe(true);
    expect(await reaches(a, blue)).toBe(false);
    expect(await reaches(blue, c)).toBe(false);
  });

  test('gives a port the Ethernet address that it asks for, and takes none of the pool for it', async () => {
    const status = await start('addressed', sleeping, {}, { mac: '02:00:5e:10:00:01' });
    expect(status).toMatchObject({ pooled: false, ports: [{ mac: '02:00:5e:10:00:01' }] });
    expect(listLinks(namespaceOf(status))).toContainEqual(
      expect.objectContaining({ name: 'eth0', mac: '02:00:5e:10:00:01' }),
    );
  });

  test('marks what a unit sends as its port says, over hosts too, and lets others be', async () => {
    const [marked, other, plain, receiver] = await Promise.all([
      start('marked', sleeping, {}, { dscp: 46 }),
      start('other', sleeping, {}, { dscp: 46 }),
      start('plain', sleeping),
      start('receiver', sleeping, { host: 'h2' }),
    ]);
    const inside = (...words: string[]) => run('ip', ['netns', 'exec', namespaceOf(receiver), ...words]);
    await inside('nft', 'add table ip seen');
    await inside('nft', 'add chain ip seen arriving { type filter hook prerouting priority 0 ; }');
    await inside('nft', 'add rule ip seen arriving icmp type echo-request ip dscp 46 counter');
    const seen = async () => Number(/packets (\d+)/.exec((await inside('nft', 'list table ip seen')).stdout)?.[1]);
    expect(await reaches(plain, receiver)).toBe(true);
    expect(await seen()).toBe(0);
    expect(await reaches(marked, receiver)).toBe(true);
    expect(await seen()).toBe(1);
    await site.removeUnit('unit-marked', call());
    expect(await reaches(other, receiver)).toBe(true);
    expect(await seen()).toBe(2);
  });

  test('lets in what the rules of a port allow, and nothing else', async () => {
    const client = await start('client', sleeping);
    const stranger = await start('stranger', sleeping);
    const guarded = await start(
      'guarded',
      web('hello'),
      { host: 'h2' },
      {
        allow: [{ protocol: 'tcp', ports: [8080], from: `${client.ports[0]!.address}/32` }],
      },
    );
    const url = `http://${guarded.ports[0]!.address}:8080/`;
    expect(await fetched(client, url)).toBe('hello');
    expect(await fetched(stranger, url, 0.5)).toBeUndefined();
    expect(await reaches(client, guarded)).toBe(false);
    const closed = await start('closed', sleeping, {}, { allow: [] });
    expect(await reaches(client, closed)).toBe(false);
    expect(await reaches(closed, client)).toBe(true);
  });

  test('notices a unit that was killed, tells it, and starts it again when asked', async () => {
    const stop = new AbortController();
    const seen: SiteEvent[] = [];
    const watching = (async () => {
      for await (const event of site.watch(stop.signal)) seen.push(event);
    })();
    const spec = unit('victim', {
      environment: 'container',
      image: 'host:',
      command: ['sh', '-c', 'echo up; sleep 1000'],
    });
    const first = await site.ensureUnit(spec, call());
    process.kill(Number(first.handles['pid']), 'SIGKILL');
    const killedAt = Date.now();
    while (!seen.some((event) => event.kind === 'unit' && event.state === 'failed')) {
      if (Date.now() - killedAt > 5000) throw new Error('nobody noticed');
      await systemClock.sleep(20);
    }
    expect(Date.now() - killedAt).toBeLessThan(2000);
    expect(await site.getUnit(spec.id)).toMatchObject({ state: 'failed', error: { code: 'SF-SITE-UNIT-FAILED' } });
    const second = await site.ensureUnit(spec, call());
    expect(second.state).toBe('running');
    expect(second.handles['pid']).not.toBe(first.handles['pid']);
    stop.abort();
    await watching;
  });

  const failures: readonly (readonly [title: string, code: string, make: () => UnitSpec])[] = [
    [
      'a program that is not there',
      'SF-SITE-UNIT-FAILED',
      () => unit('x', { environment: 'process', command: ['/no/such'] }),
    ],
    [
      'a container program that is not there',
      'SF-SITE-UNIT-FAILED',
      () => unit('x', { environment: 'container', image: 'host:', command: ['/no/such'] }),
    ],
    [
      'a program that ends at once',
      'SF-SITE-UNIT-FAILED',
      () =>
        unit('x', {
          environment: 'container',
          image: 'host:',
          command: ['sh', '-c', 'echo broken; exit 3'],
          health: { kind: 'tcp', port: 9, timeoutMs: 5000 },
        }),
    ],
    [
      'a rule set with a mistake',
      'SF-SITE-UNIT-FAILED',
      () => unit('x', { environment: 'nft', program: 'table ip {' }),
    ],
    [
      'a rule set that reads files of the machine',
      'SF-SITE-UNIT-FAILED',
      () => unit('x', { environment: 'nft', program: 'include "/etc/passwd"' }),
    ],
    [
      'an image that is not there',
      'SF-SITE-IMAGE',
      () =>
        unit('x', { environment: 'container', image: 'oci:nowhere.tar', command: ['true'] }, { baseFolder: '/tmp' }),
    ],
    [
      'files outside the package',
      'SF-SITE-IMAGE',
      () =>
        unit('x', { environment: 'process', command: ['true'], files: '../../etc' }, { baseFolder: '/tmp/package' }),
    ],
    [
      'an address outside the network',
      'SF-SITE-ADDRESS-IN-USE',
      () => unit('x', sleeping, {}, { address: '10.99.9.9' }),
    ],
    [
      'a rule that is no rule',
      'SF-FABRIC-PREFIX',
      () => unit('x', sleeping, {}, { allow: [{ from: 'somewhere/99' }] }),
    ],
    [
      'a second port in a network that is not there',
      'SF-SITE-NO-NETWORK',
      () =>
        unit('x', sleeping, {
          ports: ['net-red', 'net-green'].map((network, i) => ({
            id: `port-${i}`,
            name: `eth${i}`,
            network,
            serviceAddresses: [],
          })),
        }),
    ],
  ];
  for (const [title, code, make] of failures) {
    test(`leaves nothing behind after ${title}`, async () => {
      const before = traces();
      await expect(site.ensureUnit(make(), call())).rejects.toEqual(coded(code));
      expect(traces()).toEqual(before);
      expect(await site.listUnits()).toEqual([]);
    });
  }

  test.skipIf(cgroupLayout().version === 'none').each([
    ['process', sleeping],
    ['container', { environment: 'container', image: 'host:', command: ['sleep', '1000'] }],
  ] satisfies [string, Execution][])(
    'lets a %s begin with a whole processor, and then holds it to its share',
    async (name, execution) => {
      const { handles } = await start(name, execution, { cpu: 0.25 });
      const cores = () => {
        const { v1, v2 } = cgroupLayout();
        const group = `${unitCgroup(scope, handles['slot']!)}`;
        const text = v1.has('cpu')
          ? readFileSync(`${v1.get('cpu')}/${group}/cpu.cfs_quota_us`, 'utf8')
          : readFileSync(`${v2}/${group}/cpu.max`, 'utf8');
        return Number.parseInt(text, 10) / 100_000;
      };
      expect(cores()).toBe(1);
      if (name === 'process') await expect.poll(cores, { timeout: 5_000, interval: 50 }).toBe(0.25);
      else {
        // Who lets go of the site does it at once, since nobody else knows of it.
        await site.close();
        expect(cores()).toBe(0.25);
        site = await open();
      }
      await site.removeUnit(`unit-${name}`, call());
    },
  );

  test('leaves nothing behind when it is cancelled, at whatever moment', async () => {
    const before = traces();
    for (const delayMs of [0, 2, 5, 10, 20, 40, 80]) {
      const cancel = new AbortController();
      const asked = site.ensureUnit(
        unit('x', {
          environment: 'container',
          image: 'host:',
          command: ['sleep', '1000'],
          health: { kind: 'tcp', port: 9, timeoutMs: 5000 },
        }),
        call(cancel.signal),
      );
      setTimeout(() => cancel.abort(), delayMs);
      await expect(asked).rejects.toThrow();
      expect(traces()).toEqual(before);
    }
  });

  test('says so when it cannot write down what it did, and undoes it', async () => {
    const before = traces();
    const folder = join(scope.folder, 'slots');
    systemCall('fill the folder', 'mount', 'tmpfs', folder, 'tmpfs', 0, 'size=4k,nr_inodes=1');
    try {
      await expect(start('x', sleeping)).rejects.toEqual(coded('SF-LINUX-STATE'));
    } finally {
      systemCall('empty the folder', 'umount2', folder, MNT_DETACH);
    }
    expect(traces()).toEqual(before);
    expect((await start('x', sleeping)).state).toBe('running');
  });

  test('a second control plane takes over what the first has made, and the first is refused', async () => {
    const mine = await start('a', sleeping);
    const other = await open();
    expect(await other.listUnits()).toEqual([mine]);
    const old = fence;
    fence += 1;
    const theirs = await other.ensureUnit(unit('b', sleeping), call());
    expect(theirs.ports[0]!.address).not.toBe(mine.ports[0]!.address);
    const late = { ...call(), fence: old };
    await expect(site.ensureUnit(unit('c', sleeping), late)).rejects.toEqual(coded('SF-SITE-FENCED'));
    await expect(site.removeUnit('unit-a', late)).rejects.toEqual(coded('SF-SITE-FENCED'));
    expect((await site.listUnits()).map((one) => one.id).toSorted()).toEqual(['unit-a', 'unit-b']);
    // Back again with a newer fence.
    fence += 1;
    await site.removeUnit('unit-b', call());
    expect(await other.listUnits()).toEqual([mine]);
    await other.close();
  });

  test('clears up after a control plane that was killed in the middle of its work', async () => {
    await start('kept', sleeping);
    await site.close();
    const before = traces();
    for (const afterMs of [150, 400]) {
      const program = fileURLToPath(new URL('testing-crash.ts', import.meta.url));
      const child = spawn(process.execPath, [program, id, stateFolder, String((fence += 1))], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await new Promise((resolve) => child.stdout.once('data', resolve));
      await systemClock.sleep(afterMs);
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
      fence += 1;
      site = await open();
      const found = (await site.listUnits()).filter((one) => one.id !== 'unit-kept');
      await site.removeUnits(['unit-none', ...found.map((one) => one.id)], call());
      expect(traces()).toEqual(before);
      expect((await site.getUnit('unit-kept'))?.state).toBe('running');
      await site.close();
    }
    site = await open();
  });

  test('spreads flows over the members of a balancer, and drains one', async () => {
    const [client, one, two] = await Promise.all([
      start('client', sleeping),
      start('one', web('one')),
      start('two', web('two'), { host: 'h2' }),
    ]);
    for (const layer of ['tcp', 'http'] as const) {
      const member = (status: UnitStatus, draining = false) => ({
        address: status.ports[0]!.address,
        port: 8080,
        draining,
      });
      const balancer = {
        id: `balancer-${layer}`,
        service: 'svc-trial',
        name: layer,
        network: 'net-red',
        address: layer === 'tcp' ? '10.73.1.200' : '10.73.1.201',
        port: 80,
        layer,
      };
      const answers = (times: number) => fetchedTimes(times, client, `http://${balancer.address}/`);
      await site.fabric.ensureBalancer({ ...balancer, members: [member(one), member(two)] }, call());
      expect(await answers(4)).toEqual(['one', 'one', 'two', 'two']);
      await site.fabric.ensureBalancer({ ...balancer, members: [member(one, true), member(two)] }, call());
      expect(await answers(3)).toEqual(['two', 'two', 'two']);
      await site.fabric.ensureBalancer({ ...balancer, members: [member(one)] }, call());
      expect(await answers(2)).toEqual(['one', 'one']);
      await site.fabric.removeBalancer(balancer.id, call());
      expect(await fetched(client, `http://${balancer.address}/`, 0.5)).toBeUndefined();
    }
  });

  test('takes members that do not accept connections out of a balancer of flows, which may change its kind', async () => {
    const [client, one, two] = await Promise.all([
      start('client', sleeping),
      start('one', web('one')),
      start('two', web('two'), { host: 'h2' }),
    ]);
    const members = [one, two].map(({ ports }) => ({ address: ports[0]!.address, port: 8080, draining: false }));
    const base = { id: 'balancer-h', service: 'svc-trial', name: 'h', network: 'net-red', address: '10.73.1.202' };
    const ensure = (more: Pick<BalancerSpec, 'layer' | 'health'>) =>
      site.fabric.ensureBalancer({ ...base, port: 80, members, ...more }, call());
    const answers = (times: number) => fetchedTimes(times, client, `http://${base.address}/`, 0.5);
    const eventually = async (expected: readonly string[]) => {
      let last = await answers(expected.length);
      for (let tries = 0; tries < 50 && last.join() !== expected.join(); tries += 1) {
        await systemClock.sleep(50);
        last = await answers(expected.length);
      }
      expect(last).toEqual(expected);
    };
    const health = { kind: 'tcp', port: 8080, timeoutMs: 2000 } as const;

    await ensure({ layer: 'tcp', health });
    expect(await answers(4)).toEqual(['one', 'one', 'two', 'two']);
    await site.removeUnit(two.id, call());
    await eventually(['one', 'one', 'one', 'one']);

    const [proxy] = new Records<{ process: ProcessRef }>(join(scope.folder, 'proxies'), silentLogger).values();
    killProcess(proxy!.process, 'SIGKILL');
    await eventually(['one', 'one']);
    expect(isAlive(proxy!.process)).toBe(false);

    // The kernel asks nobody: every second flow goes to the member that is gone.
    await ensure({ layer: 'tcp' });
    expect(new Records(join(scope.folder, 'proxies'), silentLogger).size).toBe(0);
    expect(await answers(4)).toEqual(['one', 'one', 'undefined', 'undefined']);
    await ensure({ layer: 'http', health: { kind: 'http', port: 8080, path: '/', timeoutMs: 2000 } });
    await eventually(['one', 'one', 'one', 'one']);
    await ensure({ layer: 'tcp', health });
    await eventually(['one', 'one', 'one', 'one']);
    await site.fabric.removeBalancer(base.id, call());
    expect(await fetched(client, `http://${base.address}/`, 0.5)).toBeUndefined();
  });

  test('purges what is there, without having made it, and only that', async () => {
    await start('a', sleeping);
    await site.close();
    const bystander = listNamespaces().filter((name) => !name.startsWith(scope.prefix));
    site = await open();
    expect((await site.purge()).length).toBeGreaterThan(3);
    expect(listNamespaces().filter((name) => name.startsWith(scope.prefix))).toEqual([]);
    expect(existsSync(scope.folder)).toBe(false);
    expect(await site.purge()).toEqual([]);
    for (const name of bystander) if (!name.includes('sf-')) expect(listNamespaces()).toContain(name);
  });
});
