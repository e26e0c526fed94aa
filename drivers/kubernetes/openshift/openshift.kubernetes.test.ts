import { newId, silentLogger, systemClock } from '@superfluidity/core';
import type { Progress } from '@superfluidity/site';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../lab/command.ts';
import { IMAGES } from '../../../lab/kubernetes/images.ts';
import { kubectl, USER } from '../../../lab/kubernetes/lab.ts';
import { findLab } from '../../../lab/kubernetes/testing.ts';
import { kubernetesDriver } from '../index.ts';
import type { KubeObject } from '../objects.ts';
import { eventually, LabSite, MEMBERS, type Rule, RUN } from '../testing/lab-site.ts';
import { installOpenshift, removeOpenshift } from './testing/crds.ts';

/**
 * What is there in OpenShift only, with its kinds of objects in a cluster that is not OpenShift. Nothing acts on these: where it
 * is said so, the test does what a controller of OpenShift does.
 */

const { lab, reason } = findLab();
const kinds = (apiGroup: string, ...resources: readonly string[]): Rule => ({
  apiGroups: [apiGroup],
  resources,
  verbs: ['get', 'list', 'patch', 'delete', 'create'],
});
const RULES = [
  MEMBERS,
  kinds('route.openshift.io', 'routes'),
  kinds('apps.openshift.io', 'deploymentconfigs'),
  kinds('build.openshift.io', 'buildconfigs', 'builds'),
  kinds('image.openshift.io', 'imagestreams'),
];
const BUILD = { git: 'https://git.test/video.git', ref: 'main', contextDir: 'app', builder: 'openshift/nodejs:20' };

describe.skipIf(lab === undefined)(`a site in OpenShift${reason === undefined ? '' : ` (${reason})`}`, () => {
  let bench: LabSite;

  beforeAll(async () => {
    await installOpenshift(lab!);
    const config = {
      workloads: { units: { 'video/old': 'deployment-config' } },
      services: { routes: { front: { host: 'video.apps.test' }, datagrams: {} } },
      builds: { 'source:video': BUILD },
    };
    bench = await LabSite.open(lab!, { rules: RULES, config });
  }, 120_000);
  afterEach(() => bench.removeUnits(), 60_000);
  afterAll(async () => {
    try {
      await bench?.close();
    } finally {
      await removeOpenshift(lab!);
    }
  }, 200_000);

  const status = (kind: string, name: string, value: unknown) =>
    bench.namespace.kubectl(
      'patch',
      kind,
      name,
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status: value }),
    );

  it('is known by the groups of its API', async () => {
    const { capabilities } = await bench.site.fingerprint();
    for (const name of ['projects', 'routes', 'deployment configs', 'builds'])
      expect(capabilities.find((one) => one.name === name)).toMatchObject({ present: true });
  });

  describe('routes', () => {
    const balancer = {
      id: 'balancer-1',
      service: 'svc-1',
      name: 'front',
      network: 'net-1',
      address: '10.96.202.7',
      port: 80,
      layer: 'tcp',
      members: [],
    } as const;
    const ensure = (changes = {}) => bench.site.fabric.ensureBalancer({ ...balancer, ...changes }, bench.call());
    /** As a router does. */
    const answer = (value: 'True' | 'False', more = {}) =>
      eventually(async () => {
        const [route] = await bench.names('routes.route.openshift.io');
        const conditions = [{ type: 'Admitted', status: value, ...more }];
        await status('routes.route.openshift.io', route!, { ingress: [{ host: 'video.apps.test', conditions }] });
      });

    it('lead to balancers from outside, when a router has taken them', async () => {
      await Promise.all([ensure(), answer('True')]);
      const [name] = await bench.names('routes.route.openshift.io');
      expect(await bench.names('services')).toEqual([name]);
      const route = await bench.get<KubeObject>('routes.route.openshift.io', name!);
      expect(route).toMatchObject({
        spec: { host: 'video.apps.test', to: { kind: 'Service', name }, port: { targetPort: 80 } },
      });
      await bench.site.fabric.removeBalancer('balancer-1', bench.call());
      expect(await bench.names('routes.route.openshift.io')).toEqual([]);
    });

    it('are refused with the words of the router, and where no router carries them', async () => {
      const why = { reason: 'HostAlreadyClaimed', message: 'route other already exposes video.apps.test' };
      const [outcome] = await Promise.allSettled([ensure(), answer('False', why)]);
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: 'SF-KUBE-SERVICE', message: expect.stringContaining('already exposes video.apps.test') },
      });
      await bench.site.fabric.removeBalancer('balancer-1', bench.call());
      await expect(ensure({ name: 'datagrams', layer: 'udp' })).rejects.toMatchObject({ code: 'SF-KUBE-SERVICE' });
      expect(await bench.names('services')).toEqual([]);
    });
  });

  it('has units that are DeploymentConfigs', async () => {
    const spec = bench.unit(RUN, {}, { path: 'video/old' });
    const made = bench.site.ensureUnit(spec, bench.call());
    // As the controller of DeploymentConfigs does, by way of a replication controller.
    const pod = await eventually(async () => {
      const [name] = await bench.names('deploymentconfigs.apps.openshift.io');
      type Config = KubeObject & { readonly spec: { readonly template: KubeObject } };
      const { metadata, spec: wanted } = await bench.get<Config>('deploymentconfigs.apps.openshift.io', name!);
      const owner = { apiVersion: 'apps.openshift.io/v1', kind: 'DeploymentConfig', name, uid: metadata.uid };
      const template = wanted.template;
      const pod = {
        ...template,
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...template.metadata, name: `${name}-1-abcde`, ownerReferences: [owner] },
      };
      await bench.namespace.apply(pod);
      return pod.metadata.name;
    });
    expect(await made).toMatchObject({
      state: 'running',
      handles: { 'deployment-config': expect.stringMatching(/^sf-unit-/), pod },
    });
    await bench.site.removeUnit(spec.id, bench.call());
    expect(await bench.names('deploymentconfigs.apps.openshift.io')).toEqual([]);
    expect(await bench.names('pods')).toEqual([]);
  });

  describe('images that are built from source', () => {
    /** As the controller of builds does: the first build of a configuration begins by itself. */
    const build = (value: object) =>
      eventually(async () => {
        const [name] = await bench.names('buildconfigs.build.openshift.io');
        const config = await bench.get<KubeObject>('buildconfigs.build.openshift.io', name!);
        const owner = { apiVersion: 'build.openshift.io/v1', kind: 'BuildConfig', name, uid: config.metadata.uid };
        await bench.namespace.apply({
          apiVersion: 'build.openshift.io/v1',
          kind: 'Build',
          metadata: { name: `${name}-1`, labels: { 'openshift.io/build-config.name': name }, ownerReferences: [owner] },
        });
        await status('builds.build.openshift.io', `${name}-1`, { phase: 'Running' });
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        await status('builds.build.openshift.io', `${name}-1`, value);
        return config;
      });
    const unit = () => bench.unit(RUN, { image: 'source:video' });

    it('tell why a build failed, and are tried again', async () => {
      const failed = {
        phase: 'Failed',
        reason: 'AssembleFailed',
        message: 'assemble script failed',
        logSnippet: 'npm ERR!',
      };
      const [outcome] = await Promise.allSettled([bench.site.ensureUnit(unit(), bench.call()), build(failed)]);
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: {
          code: 'SF-KUBE-BUILD',
          message: expect.stringContaining('assemble script failed'),
          details: { answer: 'npm ERR!' },
        },
      });
      const lines: Progress[] = [];
      const [before] = await bench.names('buildconfigs.build.openshift.io');
      const old = (await bench.get<KubeObject>('buildconfigs.build.openshift.io', before!)).metadata.uid;
      const made = bench.site.ensureUnit(unit(), bench.call(), (line) => lines.push(line));
      await expect
        .poll(
          async () => {
            const [name] = await bench.names('buildconfigs.build.openshift.io');
            return name === undefined
              ? old
              : (await bench.get<KubeObject>('buildconfigs.build.openshift.io', name)).metadata.uid;
          },
          { timeout: 20_000 },
        )
        .not.toBe(old);
      // In OpenShift it lies in the registry of the cluster; here it is an image that the nodes have.
      const config = await build({ phase: 'Complete', outputDockerImageReference: IMAGES.busybox });
      expect(config).toMatchObject({
        spec: {
          source: { type: 'Git', git: { uri: BUILD.git, ref: 'main' }, contextDir: 'app' },
          strategy: { sourceStrategy: { from: { kind: 'ImageStreamTag', namespace: 'openshift', name: 'nodejs:20' } } },
        },
      });
      expect((await made).state).toBe('running');
      expect(lines.filter(({ what }) => what.startsWith('build ')).map(({ state }) => state)).toEqual([
        'Running',
        'Complete',
      ]);
      // Another unit of the same image needs no other build.
      expect((await bench.site.ensureUnit(unit(), bench.call())).state).toBe('running');
      expect(await bench.names('builds.build.openshift.io')).toHaveLength(1);
    });
  });

  it('may be a project that is asked for, and goes with what was made in it', async () => {
    const name = `${bench.namespace.name}-made`;
    const everywhere = (...args: readonly string[]) => run(kubectl(lab!, ...args), { timeoutMs: 60_000 });
    const admin = (input: unknown) =>
      run(kubectl(lab!, 'apply', '--server-side', '-f', '-'), { input: JSON.stringify(input) });
    const apiGroup = 'rbac.authorization.k8s.io';
    const subjects = [{ apiGroup, kind: 'User', name: USER }];
    await admin({
      apiVersion: 'v1',
      kind: 'List',
      items: [
        {
          apiVersion: `${apiGroup}/v1`,
          kind: 'ClusterRole',
          metadata: { name },
          rules: [
            {
              apiGroups: ['project.openshift.io'],
              resources: ['projectrequests', 'projects'],
              verbs: ['create', 'delete'],
            },
          ],
        },
        {
          apiVersion: `${apiGroup}/v1`,
          kind: 'ClusterRoleBinding',
          metadata: { name },
          roleRef: { apiGroup, kind: 'ClusterRole', name },
          subjects,
        },
      ],
    });
    try {
      await eventually(() =>
        everywhere('auth', 'can-i', 'create', 'projectrequests.project.openshift.io', `--as=${USER}`),
      );
      const opening = kubernetesDriver.open({
        id: newId('site'),
        name: 'made',
        config: { kubeconfig: lab!.paths.userConfig, namespace: name, createNamespace: true },
        stateFolder: '/nonexistent',
        clock: systemClock,
        log: silentLogger,
      });
      // As the API of projects does: who asks for one becomes its administrator.
      await eventually(async () => {
        await everywhere('get', 'projectrequests.project.openshift.io', name);
        await admin({
          apiVersion: 'v1',
          kind: 'List',
          items: [
            { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
            { apiVersion: 'project.openshift.io/v1', kind: 'Project', metadata: { name } },
            {
              apiVersion: `${apiGroup}/v1`,
              kind: 'RoleBinding',
              metadata: { name: 'admin', namespace: name },
              roleRef: { apiGroup, kind: 'ClusterRole', name: 'admin' },
              subjects,
            },
          ],
        });
      });
      const site = await opening;
      await site.ensureUnit(bench.unit(RUN), bench.call());
      const purged = site.purge();
      await eventually(async () => {
        // A project and its namespace are one.
        expect(await everywhere('get', 'projects.project.openshift.io', '--output', 'name')).not.toContain(name);
        await everywhere('delete', 'namespace', name, '--ignore-not-found', '--wait=false');
      });
      expect(await purged).toContain(`namespace ${name}`);
      await site.close();
    } finally {
      for (const kind of [
        'clusterrolebinding',
        'clusterrole',
        'namespace',
        'projectrequests.project.openshift.io',
        'projects.project.openshift.io',
      ])
        await everywhere('delete', kind, name, '--ignore-not-found');
    }
  });
});
