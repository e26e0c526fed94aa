import type { Progress } from '@superfluidity/site';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../lab/command.ts';
import { kubectl } from '../../../lab/kubernetes/lab.ts';
import { findLab } from '../../../lab/kubernetes/testing.ts';
import { LabSite, RUN } from '../testing/lab-site.ts';

/** Units that are Deployments, StatefulSets and Jobs, and what they have beside their pods. */

const { lab, reason } = findLab();
const DEPLOYMENT = 'video/front';
const STATEFUL = 'video/store';
const JOB = 'video/convert';

describe.skipIf(lab === undefined)(`workloads${reason === undefined ? '' : ` (${reason})`}`, () => {
  let bench: LabSite;
  const workloads = {
    units: { [DEPLOYMENT]: 'deployment', [STATEFUL]: 'stateful-set', [JOB]: 'job' },
    volumes: { [STATEFUL]: { mount: '/data', storageClass: 'sf-by-hand' } },
  };
  const of = (path: string, script = RUN, changes = {}) => bench.unit(script, {}, { path, ...changes });
  const pods = () => bench.names('pods');
  const running = (id: string) => expect.poll(async () => (await bench.site.getUnit(id))?.state, { timeout: 40_000 });

  beforeAll(async () => {
    bench = await LabSite.open(lab!, {
      config: {
        workloads,
        runtimeClasses: { units: { 'video/sandboxed': 'sf-test-runc', 'video/lost': 'sf-nowhere' } },
      },
      everywhere: [{ apiGroups: ['node.k8s.io'], resources: ['runtimeclasses'], verbs: ['get', 'list'] }],
    });
  }, 60_000);
  afterEach(() => bench.removeUnits(), 100_000);
  afterAll(() => bench?.close(), 150_000);

  it('keeps the values of variables in a Secret, which goes with the unit', async () => {
    const env = { PASSWORD: 'open sesame', 'WITH-$(PASSWORD)': '$(PASSWORD)' };
    const spec = bench.unit(`tr '\\000' '\\n' </proc/1/environ | grep PASSWORD | sort; ${RUN}`, { env });
    await bench.site.ensureUnit(spec, bench.call());
    await expect.poll(() => bench.output(spec.id)).toEqual(['PASSWORD=open sesame', 'WITH-$(PASSWORD)=$(PASSWORD)']);
    const [pod] = await pods();
    expect(await bench.namespace.kubectl('get', 'pod', pod!, '--output', 'yaml')).not.toContain('sesame');
    expect(await bench.names('secrets')).toEqual([pod]);
    await bench.site.removeUnit(spec.id, bench.call());
    expect(await bench.names('secrets')).toEqual([]);
  });

  it('tells what happens to the pod of a unit while it is made', async () => {
    const lines: Progress[] = [];
    await bench.site.ensureUnit(of(DEPLOYMENT), bench.call(), (line) => lines.push(line));
    expect(lines.map(({ state }) => state)).toEqual(expect.arrayContaining(['Scheduled', 'Created', 'Started']));
    expect(lines.find(({ state }) => state === 'Scheduled')).toMatchObject({
      what: `${DEPLOYMENT}#0`,
      reason: expect.stringContaining('to node1'),
      at: expect.any(Number),
    });
    const refused: Progress[] = [];
    const { hosts } = await bench.site.fingerprint();
    const { cpu } = hosts.find(({ name }) => name === 'node1')!;
    const large = () => of('video/plain', RUN, { cpu: cpu * 0.6 });
    await bench.site.ensureUnit(large(), bench.call());
    await expect(bench.site.ensureUnit(large(), bench.call(), (line) => refused.push(line))).rejects.toMatchObject({
      code: 'SF-SITE-NO-CAPACITY',
    });
    await expect.poll(() => refused.map(({ state }) => state)).toContain('FailedScheduling');
  });

  it('finds the pod that a Deployment makes anew as the unit, also after a restart of the control plane', async () => {
    const { seen, stop } = bench.listen();
    const network = { id: 'net-w', service: 'svc-1', name: 'data', supernet: '10.1.0.0/16', mtu: 1_400 };
    await bench.site.fabric.ensureNetwork({ ...network, prefix: '10.1.0.0/24' }, bench.call());
    const ports = [{ id: 'port-w', name: 'eth0', network: network.id, serviceAddresses: [] }];
    const spec = of(DEPLOYMENT, RUN, { ports });
    const first = await bench.site.ensureUnit(spec, bench.call());
    expect(first).toMatchObject({ state: 'running', handles: { deployment: expect.stringMatching(/^sf-unit-/) } });
    expect(await bench.site.ensureUnit(spec, bench.call())).toEqual(first);
    await expect(bench.site.ensureUnit({ ...spec, cpu: 0.03 }, bench.call())).rejects.toMatchObject({
      code: 'SF-SITE-CONFLICT',
    });
    const pod = first.handles['pod']!;
    // As an eviction does.
    await bench.namespace.kubectl('delete', 'pod', pod, '--wait=false');
    await expect
      .poll(async () => (await bench.site.getUnit(spec.id))?.handles['pod'] ?? pod, { timeout: 40_000 })
      .not.toBe(pod);
    await running(spec.id).toBe('running');
    const second = (await bench.site.getUnit(spec.id))!;
    const { status } = await bench.get<{ status: { podIP: string } }>('pod', second.handles['pod']!);
    expect(second.ports).toMatchObject([{ id: 'port-w', address: status.podIP, mac: expect.stringMatching(/^\w\w:/) }]);
    expect(await bench.site.listUnits()).toEqual([second]);
    const told = seen.flatMap((event) => (event.kind === 'unit' ? [event.state] : []));
    expect(told.at(-1)).toBe('running');
    expect(told).not.toContain('stopped');
    await stop();
    // Who knows nothing of deployments finds it too, and removes it.
    const next = await bench.again({ workloads: {} });
    expect(await next.listUnits()).toEqual([second]);
    await next.removeUnits([spec.id], bench.call());
    await next.fabric.removeNetwork(network.id, bench.call());
    expect(await next.listUnits()).toEqual([]);
    await next.close();
    expect(await bench.names('deployments')).toEqual([]);
    expect(await pods()).toEqual([]);
  });

  it('tells of a Deployment whose program ends again and again, and leaves nothing of it', async () => {
    const spec = of(DEPLOYMENT, 'echo no database; exit 3');
    await expect(
      bench.site.ensureUnit(
        { ...spec, execution: { ...spec.execution, health: { kind: 'tcp', port: 80, timeoutMs: 60_000 } } },
        bench.call(),
      ),
    ).rejects.toMatchObject({
      code: 'SF-SITE-UNIT-FAILED',
      message: expect.stringContaining('CrashLoopBackOff'),
      details: { answer: expect.stringContaining('no database') },
    });
    expect(await bench.site.listUnits()).toEqual([]);
    expect(await bench.names('deployments')).toEqual([]);
  });

  it('tells that a Deployment was not allowed to make its pod', async () => {
    await bench.namespace.kubectl('create', 'quota', 'none', '--hard=pods=0');
    try {
      await expect(bench.site.ensureUnit(of(DEPLOYMENT), bench.call())).rejects.toMatchObject({
        code: 'SF-SITE-NO-CAPACITY',
        message: expect.stringContaining('exceeded quota'),
      });
    } finally {
      await bench.namespace.kubectl('delete', 'quota', 'none');
    }
    expect(await bench.names('deployments')).toEqual([]);
  });

  it('drains a Deployment with the time that its unit has', async () => {
    const drain = { signal: 'SIGTERM', timeoutMs: 20_000 } as const;
    const script = 'trap "sleep 2; exit 0" TERM; while :; do sleep 1 & wait $!; done';
    const spec = bench.unit(script, { drain }, { path: DEPLOYMENT });
    const { seen, stop } = bench.listen();
    await bench.site.ensureUnit(spec, bench.call());
    await bench.site.drainUnit(spec.id, bench.call());
    const states = () => seen.flatMap((event) => (event.kind === 'unit' ? [event.state] : []));
    await expect.poll(states, { timeout: 30_000 }).toEqual(['running', 'draining', 'stopped']);
    expect(await bench.site.getUnit(spec.id)).toBeUndefined();
    await stop();
  });

  it('keeps what a StatefulSet has written while its pod is made anew', async () => {
    const volume = `sf-by-hand-${bench.namespace.name}`;
    const everywhere = (...args: readonly string[]) => run(kubectl(lab!, ...args));
    const persistent = {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: volume },
      spec: {
        capacity: { storage: '8Mi' },
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'sf-by-hand',
        persistentVolumeReclaimPolicy: 'Retain',
        hostPath: { path: `/tmp/${volume}`, type: 'DirectoryOrCreate' },
      },
    };
    await bench.namespace.apply(persistent);
    try {
      const spec = of(STATEFUL, `date +%s%N >>/data/starts; wc -l </data/starts; ${RUN}`, { storageMiB: 8 });
      const first = await bench.site.ensureUnit(spec, bench.call());
      expect(first.handles['pod']).toBe(`${first.handles['stateful-set']}-0`);
      await expect.poll(() => bench.output(spec.id)).toEqual(['1']);
      // Asked for again while it goes, it is waited for and not made anew: its volume stays.
      await bench.namespace.kubectl('delete', 'pod', first.handles['pod']!, '--wait=false');
      const again = await bench.site.ensureUnit(spec, bench.call());
      expect(again).toMatchObject({ state: 'running', handles: { pod: first.handles['pod'] } });
      await expect.poll(() => bench.output(spec.id)).toEqual(['2']);
      await bench.site.removeUnit(spec.id, bench.call());
      await expect.poll(() => bench.names('persistentvolumeclaims'), { timeout: 20_000 }).toEqual([]);
    } finally {
      await everywhere('delete', 'persistentvolume', volume, '--ignore-not-found');
      await run(['rm', '-rf', `/tmp/${volume}`]);
    }
  });

  it('counts a Job that has done its work as one that has finished, and not as a fault', async () => {
    const { seen, stop } = bench.listen();
    const spec = of(JOB, 'echo done');
    const made = await bench.site.ensureUnit(spec, bench.call());
    expect(made).toMatchObject({ handles: { job: expect.stringMatching(/^sf-unit-/) } });
    await running(spec.id).toBe('draining');
    expect((await bench.site.getUnit(spec.id))?.error).toBeUndefined();
    expect(await bench.output(spec.id)).toEqual(['done']);
    await bench.site.ensureUnit(spec, bench.call());
    expect(await bench.output(spec.id)).toEqual(['done']);
    const states = seen.flatMap((event) => (event.kind === 'unit' ? [event.state] : []));
    expect(states).not.toContain('failed');
    expect(states).not.toContain('stopped');
    await stop();
    // Whether it is seen while it runs is a matter of chance.
    const failing = of(JOB, 'echo no; exit 4');
    const failure = { code: 'SF-SITE-UNIT-FAILED', message: expect.stringContaining('exit code 4') };
    const refused = await bench.site.ensureUnit(failing, bench.call()).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (refused !== undefined) expect(refused).toMatchObject(failure);
    else {
      const error = async () => (await bench.site.getUnit(failing.id))?.error;
      await expect.poll(error, { timeout: 40_000 }).toMatchObject(failure);
    }
    await bench.site.removeUnit(failing.id, bench.call());
    await bench.site.removeUnit(spec.id, bench.call());
    expect(await bench.names('jobs')).toEqual([]);
  });

  it('runs a unit by its RuntimeClass, and refuses one that the cluster does not have', async () => {
    const runtime = {
      apiVersion: 'node.k8s.io/v1',
      kind: 'RuntimeClass',
      metadata: { name: 'sf-test-runc' },
      handler: 'runc',
    };
    await bench.namespace.apply(runtime);
    try {
      const spec = of('video/sandboxed');
      const { handles } = await bench.site.ensureUnit(spec, bench.call());
      const pod = await bench.get<{ spec: { runtimeClassName?: string } }>('pod', handles['pod']!);
      expect(pod.spec.runtimeClassName).toBe('sf-test-runc');
      await expect(bench.site.ensureUnit(of('video/lost'), bench.call())).rejects.toMatchObject({
        code: 'SF-KUBE-RUNTIME',
        message: expect.stringContaining('no RuntimeClass sf-nowhere, but sf-test-runc'),
      });
      const { tables } = await bench.site.describe!();
      expect(tables.find(({ title }) => title === 'Runtime classes')?.rows).toContainEqual([
        'sf-test-runc',
        'runc',
        '',
      ]);
    } finally {
      await run(kubectl(lab!, 'delete', 'runtimeclass', 'sf-test-runc'));
    }
  });

  it('puts a nested unit on a node that is the machine around it', async () => {
    const nested = (parent: string) => bench.unit(RUN, { nested: { parent, parentMandatory: true } });
    await expect(bench.site.ensureUnit(nested('core/vm'), bench.call())).rejects.toMatchObject({
      code: 'SF-KUBE-PARENT',
      message: expect.stringContaining('node node1 is none of its virtual machines'),
    });
    const label = 'superfluidity.dev/parent';
    await run(kubectl(lab!, 'label', 'node', 'node1', `${label}=sf-test-vm`));
    try {
      await expect(bench.site.ensureUnit(nested('none'), bench.call())).rejects.toMatchObject({
        code: 'SF-KUBE-PARENT',
        message: expect.stringContaining('bare metal'),
      });
      const { handles } = await bench.site.ensureUnit(nested('sf-test-vm'), bench.call());
      const pod = await bench.get<{ spec: { nodeSelector?: unknown } }>('pod', handles['pod']!);
      expect(pod.spec.nodeSelector).toEqual({ [label]: 'sf-test-vm' });
    } finally {
      await run(kubectl(lab!, 'label', 'node', 'node1', `${label}-`));
    }
  });
});
