import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findLab } from '../../lab/kubernetes/testing.ts';
import { type Replica, TestCluster } from './controller/testing/cluster.ts';
import { ControlPlane } from './testing/control-plane.ts';

/** Pools of pods by `superfluidity pool`: the command, a server, the API server and the controller, each a process or as good as one. */

const { lab, reason } = findLab();
const WAIT = { timeout: 60_000, interval: 500 } as const;
const SITE = 'pods';
/** How long the driver of the site waits for a controller, and what the rest takes. */
const ORDER_MS = 60_000;
/** More than a controller that begins makes by itself. */
const ORDERED = 8;

interface ListedPool {
  readonly site: string;
  readonly name: string;
  readonly ready: number;
  readonly inUse: number;
  readonly paused: boolean;
}

describe.skipIf(lab === undefined)(`pools of pods by the command${reason === undefined ? '' : ` (${reason})`}`, () => {
  let cluster: TestCluster;
  let plane: ControlPlane;
  let controller: Replica;
  let node = '';
  let name = '';

  const options = () => ({
    pool: { minimum: 2, batch: 2, maximum: 12, foresees: false, prepare: true },
    // Longer than that of other tests: this one is not about leaders that are slow.
    lease: { namespace: cluster.namespace, name: 'kuryr', seconds: 15 },
  });
  /** Whatever else keeps pools in this cluster. */
  const own = async () =>
    (await plane.json<readonly ListedPool[]>('pool', 'list', '--site', SITE)).find((pool) =>
      pool.name.includes(`/${node}/`),
    );
  const shown = () => plane.json<ListedPool>('pool', 'show', SITE, name);

  beforeAll(async () => {
    cluster = await TestCluster.open(lab!, 'kuryr-control');
    node = await cluster.addNode('a', '10.212.0.0/24');
    controller = await cluster.start(options());
    plane = await ControlPlane.start();
    const declared = { config: { kubeconfig: lab!.paths.adminConfig, namespace: cluster.namespace } };
    await plane.json('site', 'add', SITE, '--kind', 'kubernetes', '--file', plane.write('site.json', declared));
  }, 150_000);
  afterAll(async () => {
    await plane?.close();
    await cluster?.close();
  }, 100_000);

  it('they are listed as soon as there are any, with their site', async () => {
    await expect.poll(async () => (await own())?.ready, WAIT).toBeGreaterThanOrEqual(2);
    const pool = (await own())!;
    expect(pool).toMatchObject({ site: SITE, minimum: 2, batch: 2, maximum: 12, inUse: 0, paused: false, failures: 0 });
    name = pool.name;
    const { code, out, err } = await plane.superfluidity('pool', 'list', '--site', SITE);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.split('\n')[0]).toMatch(/^SITE +POOL +READY/);
    expect(out.split('\n').find((line) => line.includes(name))).toMatch(new RegExp(`^${SITE} +\\S+ +\\d+/2 `));
    expect((await plane.superfluidity('pool', 'show', SITE, name)).out).toContain('2 or more, 12 at most, made by 2');
  }, 90_000);

  it('so many more are made, and all are given up; the next pod has them refilled', async () => {
    const { ready } = await shown();
    expect(await plane.json('pool', 'populate', SITE, name, '--number', '4')).toMatchObject({ name, paused: false });
    await expect.poll(async () => (await shown()).ready, WAIT).toBeGreaterThanOrEqual(ready + 4);

    expect(await plane.json('pool', 'free', SITE, name)).toMatchObject([{ name, ready: 0, paused: true }]);
    expect(await own()).toMatchObject({ ready: 0, paused: true, inUse: 0 });

    await cluster.apply(cluster.pod('web', node));
    await expect.poll(own, WAIT).toMatchObject({ inUse: 1, paused: false });
    await expect.poll(async () => (await own())!.ready, WAIT).toBeGreaterThanOrEqual(2);
  }, 200_000);

  it('one that is not there is named, and so is what a controller that is gone cannot do', async () => {
    const nowhere = await plane.superfluidity('pool', 'populate', SITE, 'linux//nowhere/net', '--number', '1');
    expect(nowhere).toMatchObject({ code: 1, out: '' });
    expect(nowhere.err).toContain('SF-LIFECYCLE-UNKNOWN');

    await controller.stop();
    expect((await shown()).ready).toBeLessThan(ORDERED);
    const startedMs = performance.now();
    const waited = await plane.superfluidity('pool', 'populate', SITE, name, '--number', String(ORDERED));
    expect(performance.now() - startedMs).toBeLessThan(ORDER_MS);
    expect(waited).toMatchObject({ code: 1, out: '' });
    // In the words of the driver, and not those of whoever lost patience with it.
    expect(waited.err).toMatch(/SF-SITE-UNAVAILABLE.*no controller of Kuryr has carried it out/s);

    // It is written down: the next one carries it out.
    controller = await cluster.start(options());
    await expect.poll(async () => (await shown()).ready, WAIT).toBeGreaterThanOrEqual(ORDERED);
  }, 200_000);
});
