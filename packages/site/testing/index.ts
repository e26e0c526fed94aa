import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { fabricConformance } from './fabric.ts';
import { Bench, type ConformanceHarness } from './harness.ts';
import { lifeConformance } from './life.ts';
import { terminalConformance } from './terminals.ts';
import { unitConformance } from './units.ts';

export { screenOf } from './terminals.ts';
export type { ConformanceHarness, Feature, UnitKind } from './harness.ts';

/** What every driver has to pass: `siteConformance('linux', harness)` in a test file of the driver. */
export function siteConformance(name: string, harness: ConformanceHarness): void {
  const title = `site conformance: ${name}`;
  describe.skipIf(harness.skip !== undefined)(harness.skip === undefined ? title : `${title} (${harness.skip})`, () => {
    const bench = new Bench(harness);
    beforeAll(async () => {
      await bench.open();
      await bench.driver.fabric.ensureNetwork(harness.network, bench.call());
    }, harness.timeoutMs);
    afterEach(() => bench.removeAll(), harness.timeoutMs);
    afterAll(async () => {
      await bench.driver.purge();
      await bench.driver.close();
      await harness.cleanup?.();
    }, harness.timeoutMs);

    unitConformance(bench);
    terminalConformance(bench);
    fabricConformance(bench);
    lifeConformance(bench);
  });
}
