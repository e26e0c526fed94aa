import { describe, expect, it } from 'vitest';
import '@superfluidity/site';
import { readConfig } from '../config.ts';
import '../errors.ts';
import { checkSpec, podOf } from '../manifest.ts';
import { ANNOTATIONS, LABELS } from '../marks.ts';
import type { Pod } from '../objects.ts';
import { recordOf, stateOf } from '../record.ts';
import { unit, worldWith } from '../testing/asked.ts';
import { type WorkloadName, workloadNames } from './kinds.ts';
import { currentPod } from './pods.ts';
import { workloadObject } from './template.ts';

/** What units are in a cluster, and what their pods say of them. */

type Shaped = {
  readonly spec: Readonly<Record<string, unknown>> & { readonly template: { readonly spec: Pod['spec'] } };
};

function object(name: WorkloadName, more: object = {}, changes: Parameters<typeof unit>[1] = {}) {
  const world = worldWith({ workloads: { units: { 'video/server': name }, ...more } });
  const spec = unit({}, changes);
  return workloadObject(world, name, spec, podOf(world, spec, { image: 'video:1' })) as unknown as Shaped & Pod;
}

describe('an object of a unit', () => {
  it('has one pod at a time, which carries the marks of the unit', () => {
    for (const name of ['deployment', 'stateful-set', 'deployment-config'] as const) {
      const { metadata, spec } = object(name);
      expect(recordOf({ metadata })).toMatchObject({ id: 'unit-1', workload: name });
      expect(spec).toMatchObject({ replicas: 1, template: { spec: { restartPolicy: 'Always' } } });
      expect(spec.template).toMatchObject({ metadata: { labels: { [LABELS.unit]: 'unit-1' } } });
      expect(JSON.stringify(spec['selector'])).toContain('"superfluidity.dev/unit":"unit-1"');
    }
    const job = object('job');
    expect(job.spec).toMatchObject({ backoffLimit: 0, template: { spec: { restartPolicy: 'Never' } } });
    expect(job.spec).not.toHaveProperty('selector');
    expect(object('pod').kind).toBe('Pod');
  });

  it('may have a volume that outlives its pods, where that is asked for with a size', () => {
    const volumes = { 'video/server': { mount: '/data', storageClass: 'fast' } };
    const { spec } = object('stateful-set', { volumes }, { storageMiB: 64 });
    expect(spec['volumeClaimTemplates']).toMatchObject([
      { spec: { storageClassName: 'fast', resources: { requests: { storage: '64Mi' } } } },
    ]);
    expect(JSON.stringify(spec.template)).toContain('"mountPath":"/data"');
    expect(JSON.stringify(spec.template)).not.toContain('ephemeral-storage');
    const refused = expect.objectContaining({ code: 'SF-KUBE-WORKLOAD' });
    const plain = worldWith({ workloads: { volumes } });
    expect(() => checkSpec(plain, unit({}, { storageMiB: 64 }), 'test')).toThrow(refused);
    const sized = worldWith({ workloads: { default: 'stateful-set', volumes } });
    expect(() => checkSpec(sized, unit(), 'test')).toThrow(refused);
    expect(() => checkSpec(sized, unit({}, { storageMiB: 64 }), 'test')).not.toThrow();
  });

  it('is one of a few kinds', () => {
    for (const workloads of [
      { default: 'daemon-set' },
      { units: { a: 'cron' } },
      { volumes: { a: { mount: 'data' } } },
    ])
      expect(() => readConfig('cluster', { workloads })).toThrow(expect.objectContaining({ code: 'SF-SITE-CONFIG' }));
  });
});

describe('a pod of a controller', () => {
  const pod = (status: Pod['status'], metadata: Partial<Pod['metadata']> = {}): Pod => ({
    metadata: { name: 'a', annotations: { [ANNOTATIONS.mac]: '02:00:00:00:00:01' }, ...metadata },
    status: { containerStatuses: [], ...status },
  });
  const ended = (exitCode: number): Pod =>
    pod({ phase: 'Running', containerStatuses: [{ name: 'unit', state: { terminated: { exitCode } } }] });

  it('that ended is started again, but that of a job is done, or failed', () => {
    const states = (one: Pod) => workloadNames.map((name) => stateOf(one, name).state);
    expect(states(ended(0))).toEqual(['stopped', 'starting', 'starting', 'draining', 'starting']);
    expect(states(ended(3))).toEqual(['failed', 'starting', 'starting', 'failed', 'starting']);
  });

  it('that ends again and again, or finds no room, has failed', () => {
    const lastState = { terminated: { exitCode: 3, reason: 'Error' } };
    const state = { waiting: { reason: 'CrashLoopBackOff' } };
    const crashing = pod({ phase: 'Running', containerStatuses: [{ name: 'unit', state, lastState }] });
    expect(stateOf(crashing, 'deployment')).toEqual({
      state: 'failed',
      reason: 'its program ended with exit code 3, again and again',
    });
    const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'no room' } as const;
    const waiting = pod({ phase: 'Pending', conditions: [condition] }, { annotations: {} });
    expect(stateOf(waiting, 'deployment')).toEqual({ state: 'failed', reason: 'no room' });
    expect(stateOf(waiting, 'pod')).toEqual({ state: 'starting' });
  });

  it('is the unit when those before it go, or have ended', () => {
    const old = pod({ phase: 'Running' }, { name: 'old', creationTimestamp: '2026-01-01T00:00:00Z' });
    const evicted = pod({ phase: 'Failed' }, { name: 'evicted', creationTimestamp: '2026-01-03T00:00:00Z' });
    const fresh = pod({ phase: 'Pending' }, { name: 'fresh', creationTimestamp: '2026-01-02T00:00:00Z' });
    const going = { ...old, metadata: { ...old.metadata, deletionTimestamp: '2026-01-02T00:00:00Z' } };
    expect(currentPod([old, fresh, evicted])?.metadata.name).toBe('fresh');
    expect(currentPod([going, fresh])?.metadata.name).toBe('fresh');
    expect(currentPod([evicted, going])?.metadata.name).toBe('old');
    expect(currentPod([])).toBeUndefined();
  });
});
