import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { readKuryrFile } from '../controller/index.ts';
import { chartOf } from './chart.ts';
import { KINDS, type Manifest, manifests, pathOfManifest } from './manifests.ts';
import { readRequest, specOf } from './request.ts';
import type { Rule } from './rights.ts';
import { yamlOf } from './text.ts';

const folder = mkdtempSync(join(tmpdir(), 'superfluidity-install-'));
afterAll(() => rmSync(folder, { recursive: true }));

const spec = (wish: object) => {
  const request = readRequest({ do: 'install', cluster: 'edge', image: 'registry.example/kuryr:1', ...wish });
  if (request.do !== 'install') throw new TypeError(request.do);
  return specOf(request);
};
const LINUX = { fabric: 'linux', namespace: 'network' } as const;
const CLOUD = {
  fabric: 'neutron:north',
  subnet: '3f2c',
  groups: ['9a41'],
  config: {
    drivers: { groups: 'policy', balancer: 'octavia', vifs: ['nested-vlan'] },
    neutron: { serviceSubnet: '77b0' },
  },
} as const;
const named = (all: readonly Manifest[], kind: string, name: RegExp) =>
  all.find((one) => one.kind === kind && name.test(one.metadata.name)) as Manifest & Record<string, never>;
const withoutDefinitions = (all: readonly Manifest[]) => all.filter(({ kind }) => kind !== 'CustomResourceDefinition');

describe('manifests', () => {
  test.each([
    ['linux', LINUX],
    ['neutron', CLOUD],
  ])('of fabric %s are these', async (name, wish) => {
    await expect(yamlOf(withoutDefinitions(manifests(spec(wish))))).toMatchFileSnapshot(`golden/${name}.yaml`);
  });

  test.each([LINUX, CLOUD])('hold a configuration that the controller starts with', async (wish) => {
    const wanted = spec(wish);
    const { data } = named(manifests(wanted), 'ConfigMap', /./) as unknown as {
      readonly data: Readonly<Record<string, string>>;
    };
    const path = join(folder, 'kuryr.json');
    writeFileSync(path, data['kuryr.json']!);
    expect(await readKuryrFile(path)).toEqual(wanted.config);
    // Its account may take a lease in no other.
    expect(wanted.config.lease.namespace).toBe(wanted.namespace);
  });

  test('are read back as they are, in the order in which they are made', () => {
    const all = manifests(spec(LINUX));
    // As readers of YAML 1.1 read it, which Kubernetes does.
    const read = parseAllDocuments(yamlOf(all), { version: '1.1' }).map((one) => one.toJS() as Manifest);
    expect(read).toEqual(all);
    const order = all.map(({ kind }) => (KINDS as readonly string[]).indexOf(kind));
    expect(order.filter((at) => at === -1)).toEqual([]);
    expect(KINDS.indexOf('Namespace')).toBe(order[0]);
    expect(new Set(all.map(pathOfManifest)).size).toBe(all.length);
    for (const { metadata } of all)
      expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/part-of': 'superfluidity-kuryr' });
  });

  test('allow what the configuration makes necessary, and never everything', () => {
    const rulesOf = (wish: object) =>
      manifests(spec(wish)).flatMap((one) => ('rules' in one ? (one.rules as readonly Rule[]) : []));
    const allowed = (wish: object) =>
      rulesOf(wish).flatMap(({ resources, verbs }) =>
        resources.flatMap((one) => verbs.map((verb) => `${verb} ${one}`)),
      );
    for (const wish of [LINUX, CLOUD]) {
      expect(JSON.stringify(rulesOf(wish))).not.toContain('*');
      expect(allowed(wish).filter((one) => /secret|token|pods\/|nodes\/|escalate|bind|impersonate/.test(one))).toEqual(
        [],
      );
    }
    const attached = allowed({ ...LINUX, config: { drivers: { attachments: 'annotation' } } });
    const added = attached.filter((one) => !allowed(LINUX).includes(one));
    expect(added.toSorted()).toEqual([
      'list network-attachment-definitions',
      'patch pods/status',
      'watch network-attachment-definitions',
    ]);
    const [small, large] = [new Set(allowed(LINUX)), new Set(allowed(CLOUD))];
    expect([...small].filter((one) => !large.has(one))).toEqual([]);
    for (const one of ['list services', 'patch services/status', 'list networkpolicies', 'create kuryrloadbalancers'])
      expect([small.has(one), large.has(one)]).toEqual([false, true]);
  });

  test('give the controller no privilege, and the daemon two or three capabilities', () => {
    for (const [wish, capabilities] of [
      [LINUX, ['NET_ADMIN', 'SYS_ADMIN']],
      [CLOUD, ['NET_ADMIN', 'SYS_ADMIN', 'DAC_OVERRIDE']],
    ] as const) {
      const all = manifests(spec(wish));
      const text = JSON.stringify(all);
      expect(text).not.toContain('"privileged":true');
      expect(text).not.toMatch(/"kind":"Secret"/);
      const added = [...text.matchAll(/"add":(\[[^\]]*\])/g)].map(([, list]) => JSON.parse(list!) as unknown);
      expect(added).toEqual([capabilities]);
    }
  });

  test('a change of the configuration makes pods anew', () => {
    const annotation = (wish: object) => {
      const { spec: deployed } = named(manifests(spec(wish)), 'Deployment', /./) as unknown as {
        readonly spec: { readonly template: { readonly metadata: { readonly annotations: object } } };
      };
      return deployed.template.metadata.annotations;
    };
    expect(annotation(LINUX)).toEqual(annotation({ ...LINUX }));
    expect(annotation(LINUX)).not.toEqual(annotation({ ...LINUX, config: { pool: { minimum: 9 } } }));
  });
});

describe('the chart', () => {
  /** What Helm does with the little that is asked of it. */
  const render = (text: string, values: Readonly<Record<string, string>>) =>
    text.replace(
      /\{\{ (?:"(\{\{)"|([.\w]+)) \}\}/g,
      (_all, braces?: string, name?: string) => braces ?? values[name!]!,
    );

  test('becomes the manifests, with its values filled in', () => {
    const wish = { ...CLOUD, namespace: 'network', config: { ...CLOUD.config, namespaces: { 'a{{b': 'c' } } };
    const wanted = spec(wish);
    const files = chartOf(wanted);
    expect(files.map(({ path }) => path)).toEqual([
      'Chart.yaml',
      'values.yaml',
      'crds/kuryr.yaml',
      'templates/service-accounts.yaml',
      'templates/config-map.yaml',
      'templates/controller-deployment.yaml',
      'templates/cni-daemon-set.yaml',
    ]);
    const values = {
      '.Values.image': wanted.image,
      '.Values.replicas': String(wanted.replicas),
      '.Release.Namespace': wanted.namespace,
    };
    const objects = files
      .filter(({ path }) => path.includes('/'))
      .flatMap(({ text }) =>
        parseAllDocuments(render(text, values), { version: '1.1' }).map((one) => one.toJS() as Manifest),
      );
    // The digest of the configuration is that of the chart.
    const digest = /"superfluidity.dev\/config":"\w+"/g;
    const told = (all: readonly Manifest[]) => all.map((one) => JSON.stringify(one).replace(digest, '')).toSorted();
    expect(told(objects)).toEqual(told(manifests(wanted).filter(({ kind }) => kind !== 'Namespace')));
  });
});

describe('what is asked for', () => {
  test.each([
    [{ fabric: 'vxlan' }, 'SF-KURYR-INSTALL', /fabric is `linux` or `neutron:CLOUD`/],
    [{}, 'SF-KURYR-INSTALL', /give --fabric/],
    [{ fabric: 'neutron:' }, 'SF-KURYR-INSTALL', /fabric/],
    [{ fabric: 'linux', subnet: '3f2c' }, 'SF-KURYR-INSTALL', /are of a cloud/],
    [{ fabric: 'linux', config: { kubeconfig: '/x' } }, 'SF-KURYR-INSTALL', /account of the pod/],
    [{ fabric: 'linux', config: { listen: { port: 0 } } }, 'SF-KURYR-INSTALL', /listen.port/],
    [{ fabric: 'linux', config: { colour: 'red' } }, 'SF-KURYR-CONFIG', /colour/],
    [{ fabric: 'neutron:north' }, 'SF-KURYR-CONFIG', /groups/],
    [
      { config: { drivers: { vif: 'neutron-vif' }, neutron: { subnet: 'a', groups: ['b'] } } },
      'SF-KURYR-INSTALL',
      /clouds.yaml/,
    ],
    [{ fabric: 'linux', cniBin: '/opt/../etc' }, 'SF-KURYR-INSTALL', /cniBin/],
    [{ fabric: 'linux', cniBin: 'bin' }, 'SF-KURYR-INSTALL', /cniBin/],
    [{ fabric: 'linux', image: 'a b' }, 'SF-KURYR-INSTALL', /image/],
    [{ fabric: 'linux', namespace: 'Kube' }, 'SF-KURYR-INSTALL', /namespace/],
    [{ fabric: 'linux', password: 'x' }, 'SF-KURYR-INSTALL', /password/],
    [{ fabric: 'linux', replicas: 0 }, 'SF-KURYR-INSTALL', /replicas/],
  ])('%j is refused by name', (wish, code, reason) => {
    expect(() => spec(wish)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(reason) }));
  });

  test('is read or refused with a code, whatever it is', () => {
    const wish = fc.record(
      {
        fabric: fc.oneof(fc.constantFrom('linux', 'neutron:a'), fc.string()),
        namespace: fc.oneof(fc.constant('network'), fc.string()),
        cniBin: fc.oneof(fc.constant('/opt/cni/bin'), fc.webPath(), fc.string()),
        config: fc.oneof(
          fc.constant({}),
          fc.dictionary(fc.constantFrom('linux', 'neutron', 'drivers', 'lease'), fc.anything()),
        ),
        nodes: fc.dictionary(fc.string(), fc.string()),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(wish, (asked) => {
        try {
          const all = manifests(spec(asked));
          expect(all.some(({ kind }) => kind === 'DaemonSet')).toBe(true);
          expect(JSON.stringify(all)).not.toMatch(/"path":"[^"]*\/\.\.(?:\/|")/);
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^SF-KURYR-(?:INSTALL|CONFIG)$/) });
        }
      }),
    );
  });
});
