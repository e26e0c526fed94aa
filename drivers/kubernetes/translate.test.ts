import fc from 'fast-check';
import type { PortSpec } from '@superfluidity/fabric';
import type { UnitSpec } from '@superfluidity/site';
import { describe, expect, it } from 'vitest';
import '@superfluidity/site';
import { readConfig } from './config.ts';
import './errors.ts';
import { environmentOf } from './environment.ts';
import { checkSpec, imageOf, podOf } from './manifest.ts';
import { LABELS, labelValue, Marks } from './marks.ts';
import { isMachine } from './nesting.ts';
import { networkPolicyOf, unitPolicyOf } from './policies.ts';
import { mebibytes, quantity } from './quantities.ts';
import { recordOf } from './record.ts';
import { port, unit, worldWith } from './testing/asked.ts';

/** What is asked for, in the words of Kubernetes: values in, values out. */

describe('a pod', () => {
  const image = 'registry.test/video:1';
  const pod = (spec: UnitSpec, config: object = {}) => podOf(worldWith({ ...config }), spec, { image });

  it('is bound to its node, has what was asked for, and tells its unit', () => {
    const made = pod(unit({ command: ['serve'], health: { kind: 'http', port: 80, path: '/ok', timeoutMs: 5 } }));
    expect(made.metadata.namespace).toBe('edge');
    expect(made.metadata.labels).toMatchObject({ [LABELS.unit]: 'unit-1', [LABELS.network]: 'net-1' });
    expect(recordOf(made)).toMatchObject({
      id: 'unit-1',
      service: 'svc-1',
      path: 'video/server',
      host: 'node1',
      cpu: 0.25,
    });
    expect(JSON.stringify(made.spec)).toContain(
      '"matchFields":[{"key":"metadata.name","operator":"In","values":["node1"]}]',
    );
    expect(made.spec.containers).toMatchObject([
      {
        image: 'registry.test/video:1',
        command: ['serve'],
        resources: { requests: { cpu: '250m', memory: '64Mi' }, limits: { cpu: '250m', memory: '64Mi' } },
        readinessProbe: { httpGet: { port: 80, path: '/ok' }, periodSeconds: 1 },
      },
    ]);
    expect(made.metadata.annotations!['superfluidity.dev/facts']).toBe('{"site":"edge"}');
  });

  it('has a name that derives from the site and the unit, which Kubernetes takes', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (site, id) => {
        const name = new Marks(site).unitName(id);
        expect(name).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])$/);
        expect(new Marks(site).unitName(id)).toBe(name);
        expect(labelValue(id)).toMatch(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/);
      }),
    );
  });

  it.each([
    ['SF-SITE-ENVIRONMENT', unit({ environment: 'vm' })],
    ['SF-KUBE-NETWORK', unit({ forwards: true })],
    ['SF-KUBE-NETWORK', unit({}, { ports: [port, { ...port, id: 'port-2', name: 'eth1' }] })],
    ['SF-KUBE-NETWORK', unit({}, { ports: [{ ...port, address: '10.0.0.9' }] })],
    ['SF-KUBE-NETWORK', unit({}, { ports: [{ ...port, serviceAddresses: ['10.99.0.1'] }] })],
    ['SF-KUBE-NETWORK', unit({}, { ports: [{ ...port, bandwidthMbps: 10 }] })],
    ['SF-KUBE-POLICY', unit({}, { ports: [{ ...port, allow: [] }] })],
  ])('is refused with %s where it cannot be as asked for', (code, spec) => {
    expect(() => checkSpec(worldWith(), spec, 'test')).toThrow(expect.objectContaining({ code }));
  });

  it('has its variables from a Secret, whatever they are called', () => {
    const spec = unit({ env: { PASSWORD: 'sesame', 'odd name': 'ü' } });
    const { object, variables } = environmentOf(worldWith(), spec)!;
    expect(object.data).toEqual({
      'variable-0': Buffer.from('sesame').toString('base64'),
      'variable-1': Buffer.from('ü').toString('base64'),
    });
    const { name } = object.metadata;
    const made = podOf(worldWith(), spec, { image, variables });
    expect(made.spec.containers[0]!['env']).toEqual([
      { name: 'PASSWORD', valueFrom: { secretKeyRef: { name, key: 'variable-0' } } },
      { name: 'odd name', valueFrom: { secretKeyRef: { name, key: 'variable-1' } } },
    ]);
    expect(JSON.stringify(made)).not.toContain('sesame');
    expect(environmentOf(worldWith(), unit())).toBeUndefined();
  });

  it('takes images by name, or what the site puts in their place', () => {
    expect(imageOf(worldWith(), 'name:busybox:2', 'test')).toBe('busybox:2');
    expect(imageOf(worldWith({ images: { 'guest:': 'busybox:1' } }), 'guest:', 'test')).toBe('busybox:1');
    for (const name of ['guest:', 'oci:image.tar', 'name:', undefined])
      expect(() => imageOf(worldWith(), name, 'test')).toThrow(expect.objectContaining({ code: 'SF-SITE-IMAGE' }));
  });

  it('is run by the RuntimeClass of its unit, else of its environment', () => {
    const runtimeClasses = {
      environments: { container: 'gvisor', unikernel: 'urunc' },
      units: { 'video/server': 'kata' },
    };
    const named = (path: string, environment: 'pod' | 'container' | 'unikernel') =>
      pod(unit({ environment }, { path }), { runtimeClasses }).spec['runtimeClassName'];
    expect(named('video/server', 'container')).toBe('kata');
    expect(named('video/other', 'container')).toBe('gvisor');
    expect(named('video/other', 'pod')).toBeUndefined();
    const unikernel = unit({ environment: 'unikernel' });
    expect(() => checkSpec(worldWith({ runtimeClasses }), unikernel, 'test')).not.toThrow();
    expect(() => checkSpec(worldWith(), unikernel, 'test')).toThrow(
      expect.objectContaining({ code: 'SF-SITE-ENVIRONMENT' }),
    );
  });

  it('that is nested in a virtual machine is bound to nodes that are this machine', () => {
    const nested = (parent: string, parentMandatory: boolean, config: object = {}) =>
      pod(unit({ nested: { parent, parentMandatory } }), config).spec;
    const inside = nested('core/vm', true);
    expect(inside['nodeSelector']).toEqual({ [LABELS.parent]: labelValue('core/vm') });
    expect(JSON.stringify(inside['affinity'])).toContain('"values":["node1"]');
    const parents = { 'core/vm': { 'kubernetes.io/hostname': 'vm-1' } };
    expect(nested('core/vm', true, { parents })['nodeSelector']).toEqual(parents['core/vm']);
    const rather = nested('core/vm', false, { parents });
    expect(rather).not.toHaveProperty('nodeSelector');
    expect(rather).toHaveProperty(
      ['affinity', 'nodeAffinity', 'preferredDuringSchedulingIgnoredDuringExecution', 0, 'preference'],
      { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['vm-1'] }] },
    );
    interface Affinity {
      readonly nodeAffinity: {
        readonly requiredDuringSchedulingIgnoredDuringExecution: {
          readonly nodeSelectorTerms: readonly Readonly<Record<string, unknown>>[];
        };
      };
    }
    const terms = (nesting: UnitSpec['execution']['nested']) => {
      const affinity = pod(unit(nesting === undefined ? {} : { nested: nesting })).spec['affinity'] as Affinity;
      return affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms;
    };
    const values = ['nested-vlan', 'nested-macvlan'];
    const [metal, ...others] = terms({ parent: 'none', parentMandatory: true });
    expect(others).toEqual([]);
    expect(metal).toMatchObject({
      matchExpressions: [
        { key: LABELS.parent, operator: 'DoesNotExist' },
        { key: LABELS.vif, operator: 'NotIn', values },
      ],
    });
    // Whichever it is: each term alone is enough.
    expect(terms({ parentMandatory: true })).toMatchObject([
      { matchFields: metal!['matchFields'], matchExpressions: [{ key: LABELS.parent, operator: 'Exists' }] },
      { matchFields: metal!['matchFields'], matchExpressions: [{ key: LABELS.vif, operator: 'In', values }] },
    ]);
    expect(terms(undefined)).toEqual([{ matchFields: metal!['matchFields'] }]);
  });

  it('knows nodes that are virtual machines by their labels', () => {
    const machine = (labels: Readonly<Record<string, string>>) => isMachine({ metadata: { name: 'n', labels } });
    expect(machine({ [LABELS.parent]: 'core.vm' })).toBe(true);
    expect(machine({ [LABELS.vif]: 'nested-vlan' })).toBe(true);
    expect(machine({ [LABELS.vif]: 'neutron-vif' })).toBe(false);
    expect(isMachine({ metadata: { name: 'n' } })).toBe(false);
  });
});

describe('policies', () => {
  const world = worldWith({ policies: true });
  const network = {
    id: 'net-1',
    service: 'svc-1',
    name: 'data',
    prefix: '10.1.0.0/24',
    supernet: '10.1.0.0/16',
    mtu: 1400,
  };

  it('let units of a network hear each other, and leave those with rules to these', () => {
    const { spec } = networkPolicyOf(world, network);
    expect(spec.podSelector.matchLabels).toMatchObject({ [LABELS.network]: 'net-1', [LABELS.site]: 'site-1' });
    expect(spec.podSelector.matchExpressions).toEqual([{ key: LABELS.ruled, operator: 'DoesNotExist' }]);
    expect(spec.ingress).toEqual([{ from: [{ podSelector: { matchLabels: spec.podSelector.matchLabels } }] }]);
    const ruled = podOf(world, unit({}, { ports: [{ ...port, allow: [] }] }), { image: 'video:1' });
    expect(ruled.metadata.labels).toHaveProperty([LABELS.ruled], 'true');
  });

  it('say what units allow, and nothing more', () => {
    const ingress = (allow: PortSpec['allow']) => unitPolicyOf(world, unit(), { id: 'net-1' }, allow!).spec.ingress;
    expect(ingress([])).toEqual([]);
    expect(ingress([{ protocol: 'tcp', from: '10.9.0.0/16', ports: [80, 443] }])).toEqual([
      {
        from: [{ ipBlock: { cidr: '10.9.0.0/16' } }],
        ports: [
          { protocol: 'TCP', port: 80 },
          { protocol: 'TCP', port: 443 },
        ],
      },
    ]);
    expect(ingress([{ ports: [53] }])[0]!.ports).toEqual([
      { protocol: 'TCP', port: 53 },
      { protocol: 'UDP', port: 53 },
    ]);
    expect(ingress([{}])[0]).not.toHaveProperty('ports');
  });

  it('let in whoever is in a network that is one of a cloud', () => {
    const joined = worldWith({ policies: true, kuryr: { site: 'cloud1' } });
    const all = [
      { podSelector: { matchLabels: expect.objectContaining({ [LABELS.network]: 'net-1' }) } },
      { ipBlock: { cidr: network.supernet } },
    ];
    expect(networkPolicyOf(joined, network).spec.ingress).toEqual([{ from: all }]);
    const ruled = (world: ReturnType<typeof worldWith>, from?: string) =>
      unitPolicyOf(world, unit(), network, [{ protocol: 'tcp', ...(from === undefined ? {} : { from }) }]).spec.ingress;
    expect(ruled(joined)).toMatchObject([{ from: all }]);
    expect(ruled(joined, '10.9.0.0/16')).toMatchObject([{ from: [{ ipBlock: { cidr: '10.9.0.0/16' } }] }]);
    expect(ruled(world)).toMatchObject([{ from: [all[0]] }]);
  });

  it('are refused for ICMP, which they cannot say', () => {
    const spec = unit({}, { ports: [{ ...port, allow: [{ protocol: 'icmp' }] }] });
    expect(() => checkSpec(world, spec, 'test')).toThrow(expect.objectContaining({ code: 'SF-KUBE-POLICY' }));
  });
});

it.each([
  ['1500m', 1.5],
  ['2', 2],
  ['64Mi', 67_108_864],
  ['12e6', 12_000_000],
  ['1k', 1_000],
  ['3E', 3e18],
  [undefined, 0],
])('reads the quantity %s', (text, value) => {
  expect(quantity(text)).toBe(value);
});

it('reads quantities of bytes as MiB, and no nonsense as a number', () => {
  expect(mebibytes('1Gi')).toBe(1_024);
  expect(quantity('many')).toBeNaN();
});

it('takes a kubeconfig as a file or as text, not both', () => {
  const both = { kubeconfig: '/a', content: 'b' };
  expect(() => readConfig('cluster', both)).toThrow(expect.objectContaining({ code: 'SF-SITE-CONFIG' }));
});
