import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findLab } from '../../../lab/kubernetes/testing.ts';
import { type Replica, TestCluster } from './testing/cluster.ts';
import { definition, NETWORK_ATTACHMENT_DEFINITIONS } from './testing/network-attachment-definitions.ts';
import { NETWORK_STATUS_ANNOTATION, NETWORKS_ANNOTATION } from './translate/attachments.ts';

/** Pods with further interfaces in the built-in fabric: against a real API server, with nodes that are objects only. */

const { lab, reason } = findLab();
const WAIT = { timeout: 30_000, interval: 100 } as const;
const CRD = NETWORK_ATTACHMENT_DEFINITIONS.metadata.name;

describe.skipIf(lab === undefined)(`further interfaces of pods${reason === undefined ? '' : ` (${reason})`}`, () => {
  let cluster: TestCluster;
  let replica: Replica;
  let node = '';
  let shared = '';
  const network = (cidr: string) => ({ cniVersion: '1.0.0', type: 'superfluidity-kuryr', cidr });
  const pod = (name: string, networks: string | object) => {
    const made = cluster.pod(name, node) as { readonly metadata: object };
    const text = typeof networks === 'string' ? networks : JSON.stringify(networks);
    return { ...made, metadata: { ...made.metadata, annotations: { [NETWORKS_ANNOTATION]: text } } };
  };
  const interfaces = async (name: string) => (await cluster.port(name))?.status?.interfaces;
  const told = async (name: string) => {
    const { metadata } = await cluster.json<{ metadata: { annotations?: Readonly<Record<string, string>> } }>(
      '-n',
      cluster.namespace,
      'get',
      'pod',
      name,
    );
    const text = metadata.annotations?.[NETWORK_STATUS_ANNOTATION];
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  };
  const said = async (name: string) => (await cluster.events(name)).map(({ message }) => message).join('\n');
  const inUse = async () => {
    const { text } = await cluster.ask(replica, '/metrics');
    return Number(/^kuryr_ports_in_use\{vif="linux"\} (\d+)$/m.exec(text)?.[1]);
  };
  const ready = () => expect.poll(async () => (await cluster.ask(replica, '/readyz')).status, WAIT).toBe(200);

  beforeAll(async () => {
    cluster = await TestCluster.open(lab!, 'kuryr-nad');
    node = await cluster.addNode('a', '10.209.1.0/24');
    shared = await cluster.addNamespace('-shared');
    // Where nobody else uses it: it is told as it is without the kind of object.
    const all = await cluster.kubectl('get', CRD.split('.')[0]!, '-A', '-o', 'name').catch(() => '');
    if (all.trim() === '') await cluster.kubectl('delete', 'crd', CRD, '--ignore-not-found', '--wait=true');
    replica = await cluster.start({
      drivers: { vif: 'linux', attachments: 'annotation' },
      attachments: { namespaces: [shared] },
    });
  });
  afterAll(async () => cluster.close());

  it('are waited for where the cluster does not have the kind of object yet, by pods that ask for them alone', async () => {
    await ready();
    await cluster.apply(cluster.pod('plain', node), pod('early', 'storage'));
    await expect.poll(() => interfaces('plain'), WAIT).toBeDefined();
    await expect
      .poll(() => said('early'), WAIT)
      .toMatch(/there is no NetworkAttachmentDefinition.*SF-KURYR-ATTACHMENT/);
    expect(await interfaces('early')).toBeUndefined();
    expect(await inUse()).toBe(1);

    await cluster.apply(NETWORK_ATTACHMENT_DEFINITIONS);
    await cluster.kubectl('wait', '--for', 'condition=Established', '--timeout=20s', `crd/${CRD}`);
    await cluster.apply(definition(cluster.namespace, 'storage', network('10.210.0.0/24')));
    await expect
      .poll(() => interfaces('early'), WAIT)
      .toMatchObject({
        eth0: { addresses: [expect.stringMatching(/^10\.209\.1\.\d+\/24$/)], isDefault: true, gateway: '10.209.1.1' },
        net1: {
          addresses: [expect.stringMatching(/^10\.210\.0\.\d+\/24$/)],
          isDefault: false,
          network: `${cluster.namespace}/storage`,
        },
      });
    const { eth0, net1 } = (await interfaces('early'))!;
    expect(net1).not.toHaveProperty('gateway');
    await expect
      .poll(() => told('early'), WAIT)
      .toEqual([
        {
          name: 'kuryr',
          interface: 'eth0',
          ips: [eth0!.addresses[0]!.split('/')[0]],
          mac: eth0!.mac,
          default: true,
          dns: {},
        },
        {
          name: `${cluster.namespace}/storage`,
          interface: 'net1',
          ips: [net1!.addresses[0]!.split('/')[0]],
          mac: net1!.mac,
          dns: {},
        },
      ]);
    expect(await told('plain')).toBeUndefined();
    await cluster.deletePods();
    await expect.poll(inUse, WAIT).toBe(0);
  });

  it('are several, of namespaces that share theirs, under the names that are asked for', async () => {
    await cluster.apply(
      definition(shared, 'common', network('10.210.1.0/24')),
      pod('short', `storage@data, ${shared}/common`),
      pod('list', [
        { name: 'common', namespace: shared, interface: 'a0' },
        { name: 'storage' },
        { name: 'storage', interface: 'net9' },
      ]),
    );
    await expect.poll(() => interfaces('list'), WAIT).toBeDefined();
    await expect.poll(() => interfaces('short'), WAIT).toBeDefined();
    expect(Object.keys((await interfaces('short'))!).toSorted()).toEqual(['data', 'eth0', 'net2']);
    expect(Object.keys((await interfaces('list'))!).toSorted()).toEqual(['a0', 'eth0', 'net2', 'net9']);
    const all = (await cluster.ports()).flatMap(({ status }) =>
      Object.values(status?.interfaces ?? {}).flatMap(({ addresses }) => addresses),
    );
    expect(new Set(all).size).toBe(7);
    await cluster.deletePods();
    await expect.poll(inUse, WAIT).toBe(0);
  });

  it('are kept over a restart, and told again where somebody took that away', async () => {
    await cluster.apply(pod('kept', 'storage'));
    await expect.poll(() => told('kept'), WAIT).toBeDefined();
    const before = await interfaces('kept');
    await replica.stop();
    await cluster.inside('annotate', 'pod', 'kept', `${NETWORK_STATUS_ANNOTATION}-`);
    expect(await told('kept')).toBeUndefined();
    replica = await cluster.start({
      drivers: { vif: 'linux', attachments: 'annotation' },
      attachments: { namespaces: [shared] },
    });
    await expect.poll(() => told('kept'), WAIT).toBeDefined();
    await cluster.apply(pod('next', 'storage'));
    await expect.poll(() => interfaces('next'), WAIT).toBeDefined();
    expect(await interfaces('kept')).toEqual(before);
    expect((await interfaces('next'))!['net1']!.addresses).not.toEqual(before!['net1']!.addresses);
    await expect.poll(inUse, WAIT).toBe(4);
    await cluster.deletePods();
    await expect.poll(inUse, WAIT).toBe(0);
  });

  it('that cannot be are refused on the pod, and it holds nothing', async () => {
    const foreign = await cluster.addNamespace('-foreign');
    await cluster.apply(
      definition(foreign, 'theirs', network('10.210.2.0/24')),
      definition(cluster.namespace, 'other', { cniVersion: '1.0.0', type: 'macvlan', master: 'eth0' }),
      definition(cluster.namespace, 'cloud', { type: 'superfluidity-kuryr', subnet: '3f2c' }),
      definition(cluster.namespace, 'pods', network('10.209.0.0/16')),
      definition(cluster.namespace, 'broken', '{"type": '),
      definition(cluster.namespace, 'tiny', network('10.210.3.0/30')),
    );
    const wrong: readonly (readonly [name: string, networks: string | object, reason: RegExp])[] = [
      ['w-theirs', `${foreign}/theirs`, /may name those of their own namespace/],
      ['w-other', 'other', /is no configuration of superfluidity-kuryr/],
      ['w-cloud', 'cloud', /it is in a cloud, and pods of node .* are not/],
      ['w-pods', 'pods', /10\.209\.0\.0\/16 overlaps 10\.209\.1\.0\/24/],
      ['w-broken', 'broken', /is no configuration/],
      ['w-eth0', 'storage@eth0', /"eth0", which is none that a pod can have/],
      ['w-ips', [{ name: 'storage', ips: ['10.210.0.9'] }], /ips/],
      ['w-many', Array.from({ length: 17 }, () => 'storage').join(), /asks for 17 interfaces/],
      ['w-text', '[[[[', /is no list/],
      ['w-full', 'storage, tiny, tiny', /10\.210\.3\.0\/30 has 1 addresses .*SF-KURYR-ADDRESSES/],
    ];
    await cluster.apply(...wrong.map(([name, networks]) => pod(name, networks)));
    for (const [name, , why] of wrong) await expect.poll(() => said(name), WAIT).toMatch(why);
    await expect.poll(inUse, WAIT).toBe(0);
    // One that is corrected is taken at once: its network, not the annotation, which is read as it is then too.
    await cluster.apply(definition(cluster.namespace, 'other', network('10.210.4.0/24')));
    await expect.poll(() => interfaces('w-other'), WAIT).toMatchObject({ net1: {} });
    await cluster.deletePods();
    await expect.poll(() => cluster.ports(), WAIT).toEqual([]);
    await expect.poll(inUse, WAIT).toBe(0);
  });
});
