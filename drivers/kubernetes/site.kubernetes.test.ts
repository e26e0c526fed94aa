import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, silentLogger, systemClock } from '@superfluidity/core';
import type { FabricCall } from '@superfluidity/fabric';
import type { Execution } from '@superfluidity/model';
import type { SiteDriver, SiteEvent, UnitSpec } from '@superfluidity/site';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../lab/command.ts';
import { IMAGES } from '../../lab/kubernetes/images.ts';
import { inNamespace, kubectl, namespaceOf, USER } from '../../lab/kubernetes/lab.ts';
import { findLab } from '../../lab/kubernetes/testing.ts';
import { up } from '../../lab/kubernetes/up.ts';
import { isAlive, startedProcess } from '../../lab/processes.ts';
import { kubernetesDriver } from './index.ts';

/** What the conformance suite does not ask: what is told when things go wrong, and what a cluster does meanwhile. */

const { lab, reason } = findLab(2);
const network = {
  id: 'net-1',
  service: 'svc-1',
  name: 'data',
  prefix: '10.1.0.0/24',
  supernet: '10.1.0.0/16',
  mtu: 1400,
};
const RUN = 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done';

let made = 0;
function unit(script: string, execution: Partial<Execution> = {}, changes: Partial<UnitSpec> = {}): UnitSpec {
  made += 1;
  return {
    id: `unit-${made}`,
    service: 'svc-1',
    path: 'video/server',
    index: 0,
    host: 'node1',
    execution: {
      environment: 'pod',
      image: `name:${IMAGES.busybox}`,
      command: ['sh', '-c', script],
      health: { kind: 'running', timeoutMs: 20_000 },
      ...execution,
    },
    cpu: 0.05,
    memoryMiB: 32,
    storageMiB: 0,
    ports: [{ id: `port-${made}`, name: 'eth0', network: network.id, serviceAddresses: [] }],
    facts: { color: 'green' },
    ...changes,
  };
}

const call = (): FabricCall => ({ key: 'test', fence: 1, signal: AbortSignal.timeout(150_000) });

describe.skipIf(lab === undefined)(`a site in Kubernetes${reason === undefined ? '' : ` (${reason})`}`, () => {
  let site: SiteDriver;
  const open = (config: Readonly<Record<string, unknown>> = {}) =>
    kubernetesDriver.open({
      id: newId('site'),
      name: 'cluster',
      config: { kubeconfig: lab!.paths.userConfig, ...config },
      stateFolder: '/nonexistent',
      clock: systemClock,
      log: silentLogger,
    });
  const output = async (id: string) => (await site.readOutput(id, 0)).lines;
  /** Everything that is told from now on. */
  const listen = () => {
    const stop = new AbortController();
    const seen: SiteEvent[] = [];
    const over = (async () => {
      for await (const event of site.watch(stop.signal)) seen.push(event);
    })();
    return { seen, stop: () => (stop.abort(), over) };
  };
  const states = (seen: readonly SiteEvent[], id: string) =>
    seen.flatMap((event) => (event.kind === 'unit' && event.unitId === id ? [event.state] : []));

  beforeAll(async () => {
    site = await open();
    await site.fabric.ensureNetwork(network, call());
  });
  afterEach(async () => {
    const units = await site.listUnits();
    await site.removeUnits(
      units.map(({ id }) => id),
      call(),
    );
  });
  afterAll(async () => {
    await site.purge();
    await site.close();
  });

  it('gives a unit its facts and the files of its package', async () => {
    const baseFolder = mkdtempSync(join(tmpdir(), 'superfluidity-kube-'));
    writeFileSync(join(baseFolder, 'hello.sh'), 'echo from a file\n', { mode: 0o755 });
    const spec = unit(
      `cat /run/superfluidity/facts.json; echo; /bin/sh /app/hello.sh; ${RUN}`,
      { files: '.' },
      { baseFolder },
    );
    await site.ensureUnit(spec, call());
    await expect.poll(() => output(spec.id)).toEqual(['{"color":"green"}', 'from a file']);
    rmSync(baseFolder, { recursive: true });
  });

  it('tells of a program that ended, with its exit code and what it printed', async () => {
    const spec = unit('echo no database; sleep 0.2; exit 3', { health: { kind: 'tcp', port: 80, timeoutMs: 20_000 } });
    await expect(site.ensureUnit(spec, call())).rejects.toMatchObject({
      code: 'SF-SITE-UNIT-FAILED',
      message: expect.stringContaining('exit code 3'),
      details: { answer: expect.stringContaining('no database') },
    });
    expect(await site.listUnits()).toEqual([]);
  });

  it('tells why there is no room in the words of the scheduler', async () => {
    const { hosts } = await site.fingerprint();
    const { cpu } = hosts.find(({ name }) => name === 'node1')!;
    await site.ensureUnit(unit(RUN, {}, { cpu: cpu * 0.6 }), call());
    await expect(site.ensureUnit(unit(RUN, {}, { cpu: cpu * 0.6 }), call())).rejects.toMatchObject({
      code: 'SF-SITE-NO-CAPACITY',
      message: expect.stringContaining('Insufficient cpu'),
    });
  });

  it('lets units of two nodes reach each other', async () => {
    const server = await site.ensureUnit(unit(`echo there >/tmp/page; httpd -h /tmp; ${RUN}`), call());
    const client = unit(`wget -qO- http://${server.ports[0]!.address}/page; ${RUN}`, {}, { host: 'node2' });
    await site.ensureUnit(client, call());
    await expect.poll(() => output(client.id), { timeout: 10_000 }).toEqual(['there']);
  });

  it('tells of a unit whose program ends, and makes it anew', async () => {
    const { seen, stop } = listen();
    const spec = unit('trap "exit 7" TERM; sleep 3 & wait $!; exit 7');
    const first = await site.ensureUnit(spec, call());
    await expect.poll(() => states(seen, spec.id), { timeout: 20_000 }).toEqual(['running', 'failed']);
    expect(await site.getUnit(spec.id)).toMatchObject({
      state: 'failed',
      error: { message: expect.stringContaining('exit code 7') },
    });
    const second = await site.ensureUnit(spec, call());
    expect(second.state).toBe('running');
    expect(second.handles['container']).not.toBe(first.handles['container']);
    await stop();
  });

  it('goes on when the API server is killed, has forgotten where the watch was, and is back', async () => {
    const { seen, stop } = listen();
    const spec = unit(RUN);
    await site.ensureUnit(spec, call());
    await expect.poll(() => states(seen, spec.id)).toEqual(['running']);
    const server = startedProcess(lab!.paths, 'kube-apiserver')!;
    process.kill(server.pid, 'SIGKILL');
    await expect.poll(() => isAlive(server)).toBe(false);
    // While it is away, all versions but the last one are thrown away: the watch gets 410 when it wants to go on.
    const etcdctl = ['etcdctl', '--endpoints=http://127.0.0.1:2379'];
    const inside = (...args: readonly string[]) =>
      run(inNamespace(namespaceOf(lab!.paths), ['env', 'ETCDCTL_API=3', ...etcdctl, ...args]));
    const status = JSON.parse(await inside('endpoint', 'status', '--write-out=json')) as readonly {
      readonly Status: { readonly header: { readonly revision: number } };
    }[];
    await inside('compaction', String(status[0]!.Status.header.revision));
    const asked = site.getUnit(spec.id).catch((error: unknown) => error);
    await up({ paths: lab!.paths, names: ['kube-apiserver'], changes: {}, install: false, tell: () => {} });
    // Asked while there was nobody to answer: by now it may have been told so.
    const answer = await asked;
    const refused = { code: expect.stringMatching(/^SF-(?:SITE-UNAVAILABLE|CORE-TIMEOUT)$/) };
    expect(answer).toMatchObject(answer instanceof Error ? refused : { state: 'running' });
    expect((await site.getUnit(spec.id))?.state).toBe('running');
    await run(kubectl(lab!, '--namespace', USER, 'delete', 'pod', '--selector', `superfluidity.dev/unit=${spec.id}`));
    await expect.poll(() => states(seen, spec.id).at(-1), { timeout: 30_000 }).toBe('stopped');
    await stop();
  });

  it('purges what it made, and nothing else', async () => {
    const other = `other-${Date.now().toString(36)}`;
    const inUserNamespace = (...args: readonly string[]) => run(kubectl(lab!, '--namespace', USER, ...args));
    await inUserNamespace('create', 'configmap', other);
    const second = await open();
    await second.fabric.ensureNetwork(network, call());
    await site.ensureUnit(unit(RUN), call());
    const removed = await site.purge();
    expect(removed.map((one) => one.split(' sf-')[0])).toEqual(['pod', 'network policy', 'config map']);
    expect(await second.fabric.listNetworks()).toEqual([network]);
    expect(await inUserNamespace('get', 'configmap', other, '--output', 'name')).toContain(other);
    await second.purge();
    await second.close();
    await inUserNamespace('delete', 'configmap', other);
    await site.fabric.ensureNetwork(network, call());
  });

  it('says what it cannot be opened with', async () => {
    await expect(open({ kubeconfig: '/no/such/file' })).rejects.toMatchObject({ code: 'SF-KUBE-CONFIG' });
    await expect(open({ context: 'elsewhere' })).rejects.toMatchObject({
      code: 'SF-KUBE-CONFIG',
      message: expect.stringContaining('superfluidity-lab'),
    });
    await expect(open({ namespace: 'kube-system' })).rejects.toMatchObject({ code: 'SF-KUBE-FORBIDDEN' });
  });
});
