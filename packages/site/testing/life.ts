import { describe, expect, test } from 'vitest';
import { METRICS_UNITS_MAX, type SiteEvent } from '../driver.ts';
import { type Bench, eventually } from './harness.ts';
import { because } from './units.ts';

const coded = (code: string) => expect.objectContaining({ code });

/** What holds over time: events, pools, restarts, successors, and the end. */
export function lifeConformance(bench: Bench): void {
  const { harness } = bench;

  describe('life', { timeout: harness.timeoutMs }, () => {
    test('describes itself', async () => {
      const { hosts, environments, locator, routerSid } = await bench.driver.fingerprint();
      expect(hosts.length).toBeGreaterThan(0);
      expect(environments).toContain(harness.healthy.execution.environment);
      expect(locator).toMatch(/^[0-9a-f:]+\/\d+$/);
      expect(routerSid).toMatch(/^[0-9a-f:]+$/);
      for (const host of hosts) for (const one of host.environments) expect(environments).toContain(one);
    });

    test('tells those who watch what happens to units, until they stop', async () => {
      const stop = new AbortController();
      const seen: SiteEvent[] = [];
      const watching = (async () => {
        for await (const event of bench.driver.watch(stop.signal)) seen.push(event);
      })();
      const saw = (state: string) =>
        eventually(async () =>
          seen.some((event) => event.kind === 'unit' && event.unitId === 'unit-a' && event.state === state),
        );
      await bench.driver.ensureUnit(bench.unit('a'), bench.call());
      expect(await saw('running')).toBe(true);
      await bench.driver.removeUnit('unit-a', bench.call());
      expect(await saw('stopped')).toBe(true);
      stop.abort();
      await watching;
    });

    test.skipIf(harness.unsupported?.pool !== undefined)(
      `makes units before they are asked for${because(harness.unsupported?.pool)}`,
      async () => {
        const { id: _id, index: _index, facts: _facts, ports: _ports, ...rest } = bench.unit('a');
        const template = { ...rest, ports: [{ name: 'eth0', network: harness.network.id, serviceAddresses: [] }] };
        const ready = async () => (await bench.driver.poolStatus()).reduce((sum, pool) => sum + pool.ready, 0);
        await bench.driver.prepare('svc-conformance', [{ template, size: 2 }], bench.call());
        expect(await eventually(async () => (await ready()) === 2)).toBe(true);
        expect(await bench.driver.listUnits()).toEqual([]);
        const hits = async () => (await bench.driver.poolStatus()).reduce((sum, pool) => sum + pool.hits, 0);
        const before = await hits();
        expect((await bench.driver.ensureUnit(bench.unit('a'), bench.call())).pooled).toBe(true);
        expect(await hits()).toBe(before + 1);
        expect(await eventually(async () => (await ready()) === 2)).toBe(true);
        await bench.driver.prepare('svc-conformance', [], bench.call());
        expect(await eventually(async () => (await ready()) === 0)).toBe(true);
      },
    );

    test.skipIf(harness.unsupported?.recovery !== undefined)(
      `finds everything again after a restart of the control plane${because(harness.unsupported?.recovery)}`,
      async () => {
        await bench.driver.ensureUnits([bench.unit('a'), bench.unit('b')], bench.call());
        const units = await bench.driver.listUnits();
        await bench.reopen();
        expect(byId(await bench.driver.listUnits())).toEqual(byId(units));
        expect(await bench.driver.fabric.listNetworks()).toEqual([harness.network]);
        const known = await bench.driver.ensureUnit(bench.unit('a'), bench.call());
        expect(known).toEqual(units.find((unit) => unit.id === 'unit-a'));
        const fresh = await bench.driver.ensureUnit(bench.unit('c'), bench.call());
        expect(units.flatMap((unit) => unit.ports.map((port) => port.address))).not.toContain(fresh.ports[0]!.address);
        await bench.driver.removeUnits(['unit-a', 'unit-b', 'unit-c'], bench.call());
        expect(await bench.driver.listUnits()).toEqual([]);
      },
    );

    test.skipIf(harness.unsupported?.['data plane'] !== undefined)(
      `reads its data plane back${because(harness.unsupported?.['data plane'])}`,
      async () => {
        const read = () => bench.driver.readDataPlane!();
        const status = await bench.driver.ensureUnit(bench.unit('a'), bench.call());
        const { files, ports } = await read();
        expect(new Set(files.map((file) => file.name)).size).toBe(files.length);
        expect(files.some((file) => file.text.includes(status.ports[0]!.address))).toBe(true);
        expect(ports).toEqual([{ portId: 'port-a', place: expect.stringMatching(/^[^:]+:.+$/) }]);
        expect(await read()).toEqual({ files, ports });
        await bench.driver.removeUnit('unit-a', bench.call());
        expect((await read()).ports).toEqual([]);
      },
    );

    test.skipIf(harness.unsupported?.metrics !== undefined)(
      `tells what units use${because(harness.unsupported?.metrics)}`,
      async () => {
        const read = (...ids: readonly string[]) => bench.driver.readMetrics!(ids);
        const before = Date.now();
        await bench.driver.ensureUnits([bench.unit('a'), bench.unit('b')], bench.call());
        const [b, a] = await read('unit-b', 'unit-never', 'unit-a');
        expect([b?.id, a?.id]).toEqual(['unit-b', 'unit-a']);
        expect(a).toMatchObject({ cpu: harness.size.cpu, memoryMiB: harness.size.memoryMiB });
        expect(a?.ports).toMatchObject([{ id: 'port-a', name: 'eth0' }]);
        expect(a!.atMs).toBeGreaterThanOrEqual(before);
        const [later] = await read('unit-a');
        for (const what of ['atMs', 'cpuMs', 'throttledMs'] as const) {
          expect(later![what] ?? 0).toBeGreaterThanOrEqual(a![what] ?? 0);
        }
        for (const what of ['rxBytes', 'rxPackets', 'txBytes', 'txPackets', 'dropped'] as const) {
          expect(later!.ports[0]![what]).toBeGreaterThanOrEqual(a!.ports[0]![what]);
        }
        await bench.driver.removeUnits(['unit-a', 'unit-b'], bench.call());
        expect(await read('unit-a')).toEqual([]);
        const tooMany = Array.from({ length: METRICS_UNITS_MAX + 1 }, (_, i) => `unit-${i}`);
        await expect(read(...tooMany)).rejects.toEqual(coded('SF-CORE-LIMIT'));
      },
    );

    test('refuses callers that were replaced, also after a restart', async () => {
      const old = bench.fence;
      bench.fence += 1;
      const unit = await bench.driver.ensureUnit(bench.unit('a'), bench.call());
      const tries = () => [
        () => bench.driver.ensureUnit(bench.unit('b'), bench.call({ fence: old })),
        () => bench.driver.ensureUnits([bench.unit('b')], bench.call({ fence: old })),
        () => bench.driver.drainUnit('unit-a', bench.call({ fence: old })),
        () => bench.driver.removeUnit('unit-a', bench.call({ fence: old })),
        () => bench.driver.removeUnits(['unit-a'], bench.call({ fence: old })),
        () => bench.driver.prepare('svc-conformance', [], bench.call({ fence: old })),
        () => bench.driver.fabric.removeNetwork(harness.network.id, bench.call({ fence: old })),
        () => bench.driver.fabric.removePath('chain-c', 1, bench.call({ fence: old })),
      ];
      for (const attempt of tries()) await expect(attempt()).rejects.toEqual(coded('SF-SITE-FENCED'));
      if (harness.unsupported?.recovery === undefined) {
        await bench.reopen();
        for (const attempt of tries()) await expect(attempt()).rejects.toEqual(coded('SF-SITE-FENCED'));
      }
      expect(await bench.driver.listUnits()).toEqual([unit]);
    });

    test('purges everything that it made', async () => {
      await bench.driver.ensureUnits([bench.unit('a'), bench.unit('b')], bench.call());
      expect((await bench.driver.purge()).length).toBeGreaterThan(0);
      expect(await bench.driver.listUnits()).toEqual([]);
      expect(await bench.driver.fabric.listNetworks()).toEqual([]);
      expect(await bench.driver.purge()).toEqual([]);
      // It can be used again.
      await bench.driver.fabric.ensureNetwork(harness.network, bench.call());
      expect((await bench.driver.ensureUnit(bench.unit('a'), bench.call())).state).toBe('running');
    });
  });
}

function byId<T extends { readonly id: string }>(units: readonly T[]): readonly T[] {
  return units.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
