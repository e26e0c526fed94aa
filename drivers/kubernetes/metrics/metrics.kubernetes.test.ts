import { METRICS_UNITS_MAX } from '@superfluidity/site';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../lab/command.ts';
import { kubectl } from '../../../lab/kubernetes/lab.ts';
import { findLab } from '../../../lab/kubernetes/testing.ts';
import type { Pod } from '../objects.ts';
import { LabSite, RUN } from '../testing/lab-site.ts';

/** What units take, as kubelets tell it to who may ask them, or a metrics server. */

const { lab, reason } = findLab();
const BUSY = 'trap "exit 0" TERM; while :; do :; done';

describe.skipIf(lab === undefined)(`metrics${reason === undefined ? '' : ` (${reason})`}`, () => {
  const capability = async ({ site }: LabSite) =>
    (await site.fingerprint()).capabilities.find(({ name }) => name === 'metrics');

  describe('of kubelets', () => {
    let bench: LabSite;
    beforeAll(async () => {
      const everywhere = [{ apiGroups: [''], resources: ['nodes/proxy'], verbs: ['get'] }];
      bench = await LabSite.open(lab!, { everywhere });
    }, 60_000);
    afterAll(() => bench?.close(), 120_000);

    it('count the time of processors and the memory of units that run', async () => {
      const spec = bench.unit(BUSY);
      await bench.site.ensureUnit(spec, bench.call());
      const read = async () => (await bench.site.readMetrics!(['unit-never', spec.id]))[0];
      await expect
        .poll(async () => (await read())?.cpuMs ?? 0, { timeout: 40_000, interval: 1_000 })
        .toBeGreaterThan(0);
      const first = (await read())!;
      expect(first).toMatchObject({ id: spec.id, cpu: 0.02, memoryMiB: 16 });
      expect(first.memoryBytes).toBeGreaterThan(10_000);
      expect(first.memoryBytes).toBeLessThan(16 * 2 ** 20);
      await expect
        .poll(async () => (await read())?.cpuMs ?? 0, { timeout: 40_000, interval: 1_000 })
        .toBeGreaterThan(first.cpuMs!);
      expect(await capability(bench)).toMatchObject({ present: true, note: expect.stringContaining('kubelets') });
      const tooMany = Array.from({ length: METRICS_UNITS_MAX + 1 }, (_, i) => `unit-${i}`);
      await expect(bench.site.readMetrics!(tooMany)).rejects.toMatchObject({ code: 'SF-CORE-LIMIT' });
      await bench.site.removeUnit(spec.id, bench.call());
      expect(await bench.site.readMetrics!([spec.id])).toEqual([]);
    });
  });

  describe('of a metrics server', () => {
    const group = 'metrics.k8s.io';
    const crd = `pods.${group}`;
    let bench: LabSite;
    beforeAll(async () => {
      const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
      const definition = {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        // Groups of this name are for those of Kubernetes itself, unless somebody says that it is a test.
        metadata: { name: crd, annotations: { 'api-approved.kubernetes.io': 'unapproved, for a test' } },
        spec: {
          group,
          scope: 'Namespaced',
          names: { kind: 'PodMetrics', plural: 'pods', singular: 'pod' },
          versions: [{ name: 'v1beta1', served: true, storage: true, schema: { openAPIV3Schema: open } }],
        },
      };
      await run(kubectl(lab!, 'apply', '--server-side', '-f', '-'), { input: JSON.stringify(definition) });
      await run(kubectl(lab!, 'wait', '--for=condition=Established', '--timeout=30s', `crd/${crd}`));
      bench = await LabSite.open(lab!, {
        rules: [{ apiGroups: [group], resources: ['pods'], verbs: ['get', 'list'] }],
      });
    }, 100_000);
    afterAll(async () => {
      await bench?.close();
      await run(kubectl(lab!, 'delete', 'crd', crd, '--ignore-not-found'), { timeoutMs: 60_000 });
    }, 150_000);

    it('are the memory alone', async () => {
      const spec = bench.unit(RUN);
      const { handles } = await bench.site.ensureUnit(spec, bench.call());
      const { metadata } = await bench.get<Pod>('pod', handles['pod']!);
      // The laboratory has no metrics server: the test says what one would.
      await bench.namespace.apply({
        apiVersion: `${group}/v1beta1`,
        kind: 'PodMetrics',
        metadata: { name: metadata.name, labels: metadata.labels },
        timestamp: '2026-01-02T03:04:05Z',
        window: '15s',
        containers: [{ name: 'unit', usage: { cpu: '1500n', memory: '640Ki' } }],
      });
      expect(await bench.site.readMetrics!([spec.id])).toEqual([
        {
          id: spec.id,
          atMs: Date.UTC(2026, 0, 2, 3, 4, 5),
          memoryBytes: 640 * 2 ** 10,
          cpu: 0.02,
          memoryMiB: 16,
          ports: [],
        },
      ]);
      expect(await capability(bench)).toMatchObject({ present: true, note: expect.stringContaining('metrics server') });
    });
  });

  it('are absent, with the reason, where nobody may be asked', async () => {
    const bench = await LabSite.open(lab!);
    try {
      expect(await capability(bench)).toMatchObject({ present: false, note: expect.stringContaining('nodes/proxy') });
      expect(await bench.site.readMetrics!(['unit-1'])).toEqual([]);
      const { tables } = await bench.site.describe!();
      const rights = tables.find(({ title }) => title === 'Rights of the user')!;
      expect(rights.rows).toContainEqual(['what units take', 'get nodes/proxy', 'no']);
      expect(rights.rows).toContainEqual(['variables of units', 'patch secrets', 'yes']);
    } finally {
      await bench.close();
    }
  });
});
