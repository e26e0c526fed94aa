import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { run } from '../../../lab/command.ts';
import { ensureHelm } from '../../../lab/kubernetes/binaries.ts';
import { ADDRESSES } from '../../../lab/kubernetes/lab.ts';
import { findLab } from '../../../lab/kubernetes/testing.ts';
import { TestCluster } from '../controller/testing/cluster.ts';
import { chartOf } from './chart.ts';
import { manage } from './manage.ts';
import { type Manifest, manifests } from './manifests.ts';
import { readRequest, specOf } from './request.ts';
import type { InstallSpec } from './spec.ts';
import type { KuryrStatus } from './status.ts';
import { loadKuryrImage } from './testing/image.ts';

/** The chart, by Helm itself: built once (it takes minutes), or named by HELM. */

const { lab, reason } = findLab();
const absent = reason ?? missingForKernelTests(['cc', 'ctr', 'ldd']);
const WAIT = { timeout: 90_000, interval: 500 } as const;
const IMAGE = 'superfluidity.test/kuryr-chart:1';
const RELEASE = 'kuryr';
const BUILD_MS = 1_200_000;

describe.skipIf(absent !== undefined)(titled('the chart, by Helm', absent), () => {
  let cluster: TestCluster;
  let folder: string;
  let program: string;
  let loaded: AsyncDisposable;
  let admin: { readonly kubeconfig: string; readonly namespace: string };
  const wish = () => ({
    do: 'install',
    ...admin,
    fabric: 'linux',
    cluster: 'edge',
    image: 'superfluidity.test/none:1',
    replicas: 1,
    apiServer: { host: ADDRESSES.controlPlane, port: ADDRESSES.api },
    cniBin: join(folder, 'bin'),
    cniConf: join(folder, 'net.d'),
    runFolder: join(folder, 'run'),
    // On no node: of the daemon image.kubernetes.test.ts says more.
    nodes: { 'superfluidity.test/none': 'yes' },
    config: { namespaces: cluster.config().namespaces, linux: { cidr: '10.209.0.0/24' } },
  });
  /** The folder of the chart. */
  const written = (spec: InstallSpec) => {
    const chart = mkdtempSync(join(folder, 'chart-'));
    for (const { path, text } of chartOf(spec)) {
      mkdirSync(dirname(join(chart, path)), { recursive: true });
      writeFileSync(join(chart, path), text);
    }
    return chart;
  };
  const specOfWish = (wished: object) => {
    const request = readRequest(wished);
    if (request.do !== 'install') throw new TypeError(request.do);
    return specOf(request);
  };
  const helm = (...args: readonly string[]) =>
    run([program, ...args, '--kubeconfig', admin.kubeconfig, '--namespace', admin.namespace], {
      env: { HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder },
    });
  const status = async () => (await manage({ do: 'status', ...admin })) as KuryrStatus;

  beforeAll(async () => {
    program = await ensureHelm();
    folder = mkdtempSync(join(tmpdir(), 'superfluidity-chart-'));
    cluster = await TestCluster.open(lab!, 'kuryr-chart');
    admin = { kubeconfig: lab!.paths.adminConfig, namespace: `${cluster.run}-system` };
    loaded = await loadKuryrImage(lab!, join(folder, 'image.tar'), IMAGE);
  }, BUILD_MS);
  afterAll(async () => {
    await manage({ do: 'uninstall', ...admin, keepDefinitions: true, abandon: true });
    await cluster.kubectl('delete', 'namespace', admin.namespace, '--ignore-not-found', '--wait=false');
    await cluster.close();
    await loaded[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  it('has nothing that Helm finds fault with, and becomes the manifests', async () => {
    // Braces of the configuration are no template.
    const namespaces = { 'a{{b': '{{ .Values.image }}' };
    const spec = specOfWish({ ...wish(), config: { ...wish().config, namespaces } });
    const chart = written(spec);
    expect(await helm('lint', chart, '--strict')).toContain('0 chart(s) failed');
    const text = await helm('template', RELEASE, chart, '--include-crds', '--set', 'image=superfluidity.test/none:1');
    const made = parseAllDocuments(text, { version: '1.1' }).flatMap((one) => (one.toJS() as Manifest | null) ?? []);
    // The digest of the configuration is that of the chart.
    const digest = /"superfluidity.dev\/config":"\w+"/g;
    const told = (all: readonly Manifest[]) => all.map((one) => JSON.stringify(one).replace(digest, '')).toSorted();
    expect(told(made)).toEqual(told(manifests(spec).filter(({ kind }) => kind !== 'Namespace')));
  });

  it('is installed, changed and removed', async () => {
    const chart = written(specOfWish(wish()));
    await helm('install', RELEASE, chart, '--create-namespace', '--set', `image=${IMAGE}`);
    await expect.poll(async () => (await status()).controller, WAIT).toEqual({ ready: 1, wanted: 1 });
    expect(await status()).toMatchObject({ installed: true, image: IMAGE, cluster: 'edge' });
    expect((await status()).leader).toMatch(/^superfluidity-kuryr-controller-/);
    await helm('upgrade', RELEASE, chart, '--set', `image=${IMAGE},replicas=2`);
    await expect.poll(async () => (await status()).controller, WAIT).toEqual({ ready: 2, wanted: 2 });
    // What was installed by Helm is not installed beside it a second time.
    await expect(manage({ ...wish(), namespace: `${cluster.run}-other` })).rejects.toMatchObject({
      code: 'SF-KURYR-INSTALLED',
    });
    await helm('uninstall', RELEASE, '--wait');
    expect(await status()).toMatchObject({ installed: false });
    // Of objects that there may be: Helm never removes them.
    expect((await status()).definitions).toBe(5);
  });
});
