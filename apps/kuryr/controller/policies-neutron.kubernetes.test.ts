import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Port, ports, type SecurityGroup, securityGroupRules, securityGroups } from '@superfluidity/openstack';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { findLab as findKubernetes } from '../../../lab/kubernetes/testing.ts';
import { findLab } from '../../../lab/openstack/testing.ts';
import { CloudsFile } from '../testing/clouds-file.ts';
import { OwnNetwork } from '../testing/own-network.ts';
import { verifyPolicies } from '../testing/verify-policies.ts';
import { type Replica, TestCluster } from './testing/cluster.ts';

/**
 * Policies of a real API server are groups of a real Neutron, and `verify policies` asks both whether these are what is meant. What
 * somebody changes in the cloud is found, and the next controller mends it. Nodes and pods are objects only: no packet is sent.
 */

const kubernetes = findKubernetes();
const openstack = findLab({ services: ['ovs'], network: 'ovs' });
const reason = kubernetes.reason ?? openstack.reason;
const never = new AbortController().signal;
const WAIT = { timeout: 90_000, interval: 500 } as const;
const HOST_LABEL = 'superfluidity.dev/host';
const CIDR = '10.92.0.0/24';
const title = `NetworkPolicies in a cloud${reason === undefined ? '' : ` (${reason})`}`;

describe.skipIf(reason !== undefined)(title, () => {
  let network: OwnNetwork;
  let clouds: CloudsFile;
  let cluster: TestCluster;
  let replica: Replica;
  let node: string;
  let tools: string;

  const start = async () => {
    replica = await cluster.start({
      drivers: { vif: 'neutron-vif', groups: 'policy' },
      neutron: { cloud: CloudsFile.cloud, subnet: network.subnet, groups: [network.group] },
      pool: { minimum: 1, batch: 2, foresees: false },
      lease: { namespace: cluster.namespace, name: 'kuryr', seconds: 15 },
    });
  };
  /** With the next controller, which compares all. */
  const restart = async () => {
    await replica.stop();
    await start();
  };
  const proven = (...more: readonly string[]) =>
    verifyPolicies(
      '--kubeconfig',
      kubernetes.lab!.paths.adminConfig,
      '--namespace',
      cluster.namespace,
      '--cloud',
      CloudsFile.cloud,
      ...more,
    );
  const HOLDS = { code: 0, answers: { policies: 'holds', 'policies/answers': 'holds' } };
  const holds = () => expect.poll(() => proven(), WAIT).toMatchObject(HOLDS);
  const named = (name: string, namespace = cluster.namespace) => `${namespace}/${name}`;
  const addressOf = async (name: string, namespace = cluster.namespace) =>
    (await cluster.ports(namespace))
      .find(({ metadata }) => metadata.name === name)
      ?.status?.interfaces['eth0']?.addresses[0]?.split('/')[0];
  const portOf = async (name: string): Promise<Port> =>
    ports.show(network.cloud, (await cluster.port(name))!.status!.interfaces['eth0']!.id, never);
  /** Of a policy; `of` says which, where names of ports have some of their own. */
  const groupOf = async (policy: string, of = ''): Promise<SecurityGroup> => {
    const all = await securityGroups.list(network.cloud, { project_id: network.project.id }, never);
    const wanted = `kuryr.${cluster.run}.${cluster.namespace}.${policy} ${of}`.trimEnd();
    const found = all.find(({ name }) => name === wanted);
    if (found === undefined) throw new Error(`no group ${wanted} among ${all.map(({ name }) => name).join(', ')}`);
    return found;
  };

  const policy = (name: string, app: string, spec: object) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace: cluster.namespace },
    spec: { podSelector: { matchLabels: { app } }, ...spec },
  });
  const podIs = (app: string) => ({ podSelector: { matchLabels: { app } } });
  /** Of pods by label, of another namespace, of addresses but for some; at a name, a range and a number. */
  const DATABASE = [
    { from: [podIs('web')], ports: [{ port: 'sql' }] },
    {
      from: [{ namespaceSelector: { matchLabels: { team: 'tools' } }, ...podIs('scraper') }],
      ports: [{ port: 9_100, endPort: 9_110 }],
    },
    {
      from: [{ ipBlock: { cidr: '203.0.113.0/24', except: ['203.0.113.64/26'] } }],
      ports: [{ protocol: 'UDP', port: 53 }],
    },
  ];

  beforeAll(async () => {
    network = await OwnNetwork.open('sf-kuryr-proofs', CIDR);
    clouds = new CloudsFile(network);
    cluster = await TestCluster.open(kubernetes.lab!, 'kuryr-proofs');
    tools = await cluster.addNamespace('-tools');
    await cluster.kubectl('label', 'namespace', tools, 'team=tools');
    node = await cluster.addNode('metal', undefined, { [HOST_LABEL]: network.host });
    await cluster.tellConfig();
    await start();
    const containers = (sql: number) => ({
      containers: [
        {
          name: 'c',
          image: 'superfluidity.test/none:1',
          imagePullPolicy: 'Never',
          ports: [{ name: 'sql', containerPort: sql }],
        },
      ],
    });
    const pod = (name: string, app: string, more: object = {}) => cluster.pod(name, node, more, { app });
    const scraper = pod('scraper', 'scraper') as { readonly metadata: object };
    await cluster.apply(
      pod('web', 'web'),
      pod('db-0', 'db', containers(5_432)),
      // The same name is another number here.
      pod('db-1', 'db', containers(5_433)),
      pod('job', 'job'),
      { ...scraper, metadata: { ...scraper.metadata, namespace: tools } },
    );
    const all = [...['web', 'db-0', 'db-1', 'job'].map((name) => [name, cluster.namespace]), ['scraper', tools]];
    for (const [name, namespace] of all as [string, string][]) {
      const podIP = await vi.waitUntil(() => addressOf(name, namespace), WAIT);
      // As a kubelet tells it.
      const status = JSON.stringify({ status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }] } });
      const how = ['--subresource=status', '--type=merge', '--patch', status];
      await cluster.kubectl('-n', namespace, 'patch', 'pod', name, ...how);
    }
    await cluster.apply(
      policy('db', 'db', { ingress: DATABASE }),
      policy('web', 'web', {
        policyTypes: ['Egress'],
        egress: [
          { to: [podIs('db')], ports: [{ port: 'sql' }] },
          { to: [{ ipBlock: { cidr: '0.0.0.0/0', except: [CIDR] } }], ports: [{ port: 443 }] },
        ],
      }),
      policy('job', 'job', { policyTypes: ['Ingress', 'Egress'] }),
    );
  }, 300_000);
  afterAll(async () => {
    await cluster?.close();
    clouds?.[Symbol.dispose]();
    await network?.close();
  }, 300_000);

  it('what is installed is proven to be what is meant, by pods, namespaces, ports, names, blocks and directions', async () => {
    await holds();
    const whole = await proven();
    // Both databases have groups of their own for what the name means in them, and scrapers no policy.
    expect(whole).toMatchObject({ pods: 5, nodes: 0, notCompared: [] });
    expect(whole.classes).toBe(4);
    expect(whole.read).toEqual(expect.arrayContaining(['ports.json', 'security_groups.json']));
    const [first, second] = await Promise.all(['TCP/sql/5432', 'TCP/sql/5433'].map((of) => groupOf('db', of)));
    const common = await groupOf('db');
    const groupsOf = async (name: string) => new Set((await portOf(name)).security_groups);
    const open = (await groupsOf('db-0')).size - 2;
    // What a policy leaves open has a group too.
    expect(open).toBe(1);
    expect(await groupsOf('db-0')).toEqual(
      expect.toSatisfy((of: Set<string>) => of.has(common.id) && of.has(first!.id)),
    );
    expect(await groupsOf('db-1')).toEqual(
      expect.toSatisfy((of: Set<string>) => of.has(common.id) && of.has(second!.id)),
    );
    // Of a block with an exception, addresses that are left.
    const blocks = common.security_group_rules.filter(({ protocol }) => protocol === 'udp');
    expect(new Set(blocks.map(({ remote_ip_prefix: prefix }) => prefix))).toEqual(
      new Set(['203.0.113.0/26', '203.0.113.128/25']),
    );
  }, 200_000);

  it('what was asked for once can be asked again of files', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'superfluidity-proofs-'));
    try {
      const asked = await proven('--to', folder);
      expect(asked).toMatchObject(HOLDS);
      const read = expect.arrayContaining([...asked.read]);
      expect(await verifyPolicies(folder)).toEqual({ ...asked, read, notes: '' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 200_000);

  it('a rule that somebody removes is found, with what does not get through; the next controller makes it anew', async () => {
    const group = await groupOf('db', 'TCP/sql/5433');
    const [rule] = group.security_group_rules.filter(({ direction }) => direction === 'ingress');
    expect(rule).toMatchObject({ port_range_min: 5_433, remote_ip_prefix: `${await addressOf('web')}/32` });
    await securityGroupRules.delete(network.cloud, rule!.id, never);
    const found = await proven();
    expect(found).toMatchObject({ code: 1, answers: { policies: 'violated', 'policies/answers': 'holds' } });
    expect(found.differences).toEqual([
      {
        from: { address: await addressOf('web'), pod: named('web') },
        to: { address: await addressOf('db-1'), pod: named('db-1') },
        protocol: 'TCP',
        port: 5_433,
        sourcePort: expect.any(Number),
        installed: 'is stopped',
        meant: [
          `egress of ${named('web')}: allowed by policy ${named('web')}, egress rule 1`,
          `ingress of ${named('db-1')}: allowed by policy ${named('db')}, ingress rule 1`,
        ],
        // The rule by which it leaves the one, and the port of the other, whose groups have none.
        rules: [expect.stringMatching(/^security_groups\.json:\d+$/), expect.stringMatching(/^ports\.json:\d+$/)],
      },
    ]);
    await restart();
    await holds();
  }, 300_000);

  it('a rule that somebody adds is found, with a packet that gets through; the next controller takes it away', async () => {
    const group = await groupOf('job');
    const rule = { security_group_id: group.id, direction: 'ingress', ethertype: 'IPv4', protocol: 'tcp' } as const;
    const { id } = await securityGroupRules.create(
      network.cloud,
      { ...rule, port_range_min: 22, port_range_max: 22 },
      never,
    );
    const found = await proven();
    expect(found).toMatchObject({ code: 1, answers: { policies: 'violated' } });
    for (const { to, protocol, port, installed } of found.differences)
      expect([to.pod, protocol, port, installed]).toEqual([named('job'), 'TCP', 22, 'passes']);
    // From pods that may send anything, and from everybody outside at once.
    expect(new Set(found.differences.map(({ from }) => from.pod))).toEqual(
      new Set([undefined, named('scraper', tools), named('db-0'), named('db-1')]),
    );
    expect(found.differences[0]!.meant).toContain(`ingress of ${named('job')}: no rule of ${named('job')} allows it`);
    await restart();
    await holds();
    expect((await groupOf('job')).security_group_rules.map((one) => one.id)).not.toContain(id);
  }, 300_000);

  it('a port that somebody gives other groups is found, as one without port security is', async () => {
    const { id, security_groups: before } = await portOf('job');
    await ports.update(network.cloud, id, { security_groups: [network.group] }, never);
    const opened = await proven();
    expect(opened).toMatchObject({ code: 1, answers: { policies: 'violated' } });
    const pairs = opened.differences.map(({ from, to, installed }) => [from.pod, to.pod, installed]);
    expect(pairs).toContainEqual([undefined, named('job'), 'passes']);
    expect(pairs).toContainEqual([named('job'), named('scraper', tools), 'passes']);
    await restart();
    await holds();
    expect(new Set((await portOf('job')).security_groups)).toEqual(new Set(before));
    await ports.update(network.cloud, id, { security_groups: [], port_security_enabled: false }, never);
    expect((await proven()).code).toBe(1);
    await ports.update(network.cloud, id, { port_security_enabled: true, security_groups: before }, never);
    await holds();
  }, 300_000);

  it('a rule for a group is for the addresses of its ports, which the cloud is asked for', async () => {
    const [common, opened] = [await groupOf('db'), await groupOf('web')];
    const rule = { security_group_id: common.id, direction: 'ingress', ethertype: 'IPv4', protocol: 'sctp' } as const;
    const { id } = await securityGroupRules.create(network.cloud, { ...rule, remote_group_id: opened.id }, never);
    // Pods with that group may not send it anyway: what is installed is still what is meant.
    expect(await proven()).toMatchObject(HOLDS);
    await securityGroupRules.delete(network.cloud, id, never);
    const strangers = await securityGroups.create(network.cloud, { name: 'strangers' }, never);
    const stranger = await network.port('stranger', { security_groups: [strangers.id] }, false);
    const added = await securityGroupRules.create(network.cloud, { ...rule, remote_group_id: strangers.id }, never);
    const found = await proven();
    expect(found.code).toBe(1);
    const from = found.differences.map((one) => [one.from.address, one.protocol, one.to.pod]);
    const member = stranger.fixed_ips[0]!.ip_address;
    expect(from).toContainEqual([member, 'SCTP', named('db-0')]);
    await securityGroupRules.delete(network.cloud, added.id, never);
    await ports.delete(network.cloud, stranger.id, never);
    await securityGroups.delete(network.cloud, strangers.id, never);
    await holds();
  }, 300_000);

  it('policies and labels that change are followed, and what was meant before is then a difference', async () => {
    await cluster.apply(policy('db', 'db', { ingress: DATABASE.slice(0, 1) }));
    await cluster.inside('label', 'pod', 'job', 'app=web', '--overwrite');
    await holds();
    expect((await proven()).classes).toBe(3);
    await cluster.inside('label', 'pod', 'job', 'app=job', '--overwrite');
    await cluster.inside('delete', 'networkpolicy', 'db', 'web', 'job');
    await expect.poll(async () => (await proven()).classes, WAIT).toBe(1);
    await holds();
  }, 300_000);

  it('without the cloud it says that nothing is known of these pods, and which option is lacking', async () => {
    const { paths } = kubernetes.lab!;
    const blind = await verifyPolicies('--kubeconfig', paths.adminConfig, '--namespace', cluster.namespace);
    expect(blind).toMatchObject({ code: 3, answers: { policies: 'unknown' } });
    expect(blind.notCompared).toHaveLength(5);
    expect(blind.notes).toContain('5 pods have ports in a cloud, which was not asked: name it with --cloud');
  }, 60_000);
});
