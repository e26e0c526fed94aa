import { environments } from '@superfluidity/model';
import { describe, expect, test } from 'vitest';
import type { UnitSpec } from '../driver.ts';
import { type Bench, eventually, soon } from './harness.ts';

const coded = (code: string) => expect.objectContaining({ code });

/** Starting, looking at and removing units. */
export function unitConformance(bench: Bench): void {
  const { harness } = bench;
  const options = { timeout: harness.timeoutMs };
  const start = (spec: UnitSpec) => bench.driver.ensureUnit(spec, bench.call());

  describe('units', options, () => {
    test('starts a unit, which is then there with its port', async () => {
      const spec = bench.unit('a');
      const status = await start(spec);
      expect(status).toMatchObject({
        id: 'unit-a',
        service: 'svc-conformance',
        path: spec.path,
        host: bench.host,
        environment: spec.execution.environment,
        state: 'running',
        ports: [{ id: 'port-a', name: 'eth0', network: harness.network.id, host: bench.host }],
      });
      expect(await bench.driver.getUnit('unit-a')).toEqual(status);
      expect(await bench.driver.listUnits()).toEqual([status]);
    });

    test('asking twice makes one, at once or one after the other', async () => {
      const spec = bench.unit('a');
      const call = bench.call();
      const [first, second] = await Promise.all([
        bench.driver.ensureUnit(spec, call),
        bench.driver.ensureUnit(spec, call),
      ]);
      const third = await start(structuredClone(spec));
      expect(second).toEqual(first);
      expect(third).toEqual(first);
      expect(await bench.driver.listUnits()).toHaveLength(1);
    });

    test('refuses the id of another unit', async () => {
      await start(bench.unit('a'));
      await expect(start(bench.unit('a', { service: 'svc-other' }))).rejects.toEqual(coded('SF-SITE-CONFLICT'));
      expect((await bench.driver.getUnit('unit-a'))?.service).toBe('svc-conformance');
    });

    test('removes a unit, and succeeds when it is not there', async () => {
      await start(bench.unit('a'));
      await bench.driver.removeUnit('unit-a', bench.call());
      await bench.driver.removeUnit('unit-a', bench.call());
      await bench.driver.removeUnits(['unit-a', 'unit-never'], bench.call());
      expect(await bench.driver.getUnit('unit-a')).toBeUndefined();
      expect((await start(bench.unit('a'))).state).toBe('running');
    });

    test('refuses a host that it does not have', async () => {
      await expect(start(bench.unit('a', { host: 'no-such-host' }))).rejects.toEqual(coded('SF-SITE-NO-HOST'));
      expect(await bench.driver.listUnits()).toEqual([]);
    });

    test('refuses what the host has no room for, and has the room again after a removal', async () => {
      const host = (await bench.driver.fingerprint()).hosts.find((one) => one.name === bench.host)!;
      const tooLarge = bench.unit('a', { cpu: host.cpu + 1 });
      await expect(start(tooLarge)).rejects.toEqual(coded('SF-SITE-NO-CAPACITY'));
      await start(bench.unit('b'));
      const used = (await bench.driver.fingerprint()).hosts.find((one) => one.name === bench.host)!.used;
      expect(used.memoryMiB - host.used.memoryMiB).toBeCloseTo(harness.size.memoryMiB);
      await bench.driver.removeUnit('unit-b', bench.call());
      const after = (await bench.driver.fingerprint()).hosts.find((one) => one.name === bench.host)!.used;
      expect(after.memoryMiB).toBeCloseTo(host.used.memoryMiB);
    });

    test('refuses environments that it does not offer', async ({ skip }) => {
      const { environments: offered } = await bench.driver.fingerprint();
      const missing = environments.find((one) => !offered.includes(one));
      if (missing === undefined) return skip('it offers all environments');
      const execution = { ...harness.healthy.execution, environment: missing };
      await expect(start(bench.unit('a', { execution }))).rejects.toEqual(coded('SF-SITE-ENVIRONMENT'));
    });

    test.skipIf(harness.neverReady === undefined)('leaves nothing of a unit that never becomes ready', async () => {
      const spec = bench.unit('a', { kind: harness.neverReady! });
      await expect(start(spec)).rejects.toEqual(coded('SF-SITE-UNIT-NOT-READY'));
      expect(await bench.driver.listUnits()).toEqual([]);
      // Its port and id are free.
      expect((await start(bench.unit('a'))).state).toBe('running');
    });

    test.skipIf(harness.imageMissing === undefined)('leaves nothing of a unit whose image is missing', async () => {
      const spec = bench.unit('a', { kind: harness.imageMissing! });
      await expect(start(spec)).rejects.toEqual(coded('SF-SITE-IMAGE'));
      expect(await bench.driver.listUnits()).toEqual([]);
    });

    test('does nothing for a caller that has given up already', async () => {
      const call = bench.call({ signal: AbortSignal.abort() });
      await expect(soon(bench.driver.ensureUnit(bench.unit('a'), call))).rejects.toThrow();
      expect(await bench.driver.listUnits()).toEqual([]);
    });

    test.skipIf(harness.neverReady === undefined)('comes back soon when cancelled, and leaves nothing', async () => {
      const cancel = new AbortController();
      const spec = bench.unit('a', { kind: harness.neverReady! });
      const started = bench.driver.ensureUnit(spec, bench.call({ signal: cancel.signal }));
      setTimeout(() => cancel.abort(), 50);
      await expect(soon(started)).rejects.toThrow();
      expect(await eventually(async () => (await bench.driver.listUnits()).length === 0)).toBe(true);
    });

    test('starts many at once, with addresses of their own, and removes them', async () => {
      const specs = Array.from({ length: harness.burst }, (_, index) => bench.unit(`burst${index}`, { index }));
      const outcomes = await bench.driver.ensureUnits(specs, bench.call());
      const statuses = outcomes.map((outcome) => {
        if (!outcome.ok) throw outcome.error;
        return outcome.status;
      });
      expect(statuses.map((status) => status.id)).toEqual(specs.map((spec) => spec.id));
      const ports = statuses.flatMap((status) => status.ports);
      for (const what of ['address', 'mac', 'sid'] as const) {
        expect(new Set(ports.map((port) => port[what])).size).toBe(harness.burst);
      }
      expect(await bench.driver.listUnits()).toHaveLength(harness.burst);
      await bench.driver.removeUnits(
        specs.map((spec) => spec.id),
        bench.call(),
      );
      expect(await bench.driver.listUnits()).toEqual([]);
    });

    test('reports the outcome of each in the order of the request', async () => {
      const specs = [bench.unit('a'), bench.unit('b', { host: 'no-such-host' }), bench.unit('c')];
      const outcomes = await bench.driver.ensureUnits(specs, bench.call());
      expect(outcomes.map((outcome) => outcome.ok)).toEqual([true, false, true]);
      expect(outcomes[1]).toEqual({ ok: false, error: coded('SF-SITE-NO-HOST') });
      expect((await bench.driver.listUnits()).map((unit) => unit.id).toSorted()).toEqual(['unit-a', 'unit-c']);
    });

    test.skipIf(harness.unsupported?.drain !== undefined)(
      `drains a unit, once or twice${because(harness.unsupported?.drain)}`,
      async () => {
        await start(bench.unit('a'));
        await bench.driver.drainUnit('unit-a', bench.call());
        await bench.driver.drainUnit('unit-a', bench.call());
        const drained = async () => (await bench.driver.getUnit('unit-a'))?.state !== 'running';
        expect(await eventually(drained)).toBe(true);
      },
    );

    test.skipIf(harness.unsupported?.output !== undefined)(
      `reads the output from an offset on${because(harness.unsupported?.output)}`,
      async () => {
        await start(bench.unit('a'));
        let first = await bench.driver.readOutput('unit-a', 0);
        await eventually(async () => {
          first = await bench.driver.readOutput('unit-a', 0);
          return first.lines.length > 0;
        });
        expect(first.lines.length).toBeGreaterThan(0);
        expect(first.next).toBeGreaterThan(0);
        const again = await bench.driver.readOutput('unit-a', 0);
        expect(again.lines.slice(0, first.lines.length)).toEqual(first.lines);
        const rest = await bench.driver.readOutput('unit-a', first.next);
        expect(rest.next).toBeGreaterThanOrEqual(first.next);
        await expect(bench.driver.readOutput('unit-never', 0)).rejects.toEqual(coded('SF-SITE-UNIT-UNKNOWN'));
      },
    );
  });
}

/** Appended to the title of a test that is skipped. */
export function because(reason: string | undefined): string {
  return reason === undefined ? '' : ` (${reason})`;
}
