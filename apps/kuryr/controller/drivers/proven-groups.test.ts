import { type ClusterState, type InputFile, provePolicies } from '@superfluidity/verify';
import { clusters } from '@superfluidity/verify/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { podOf, policyOf, resolvedPolicies } from '../../node/testing/resolved.ts';
import { namedKey } from '../translate/policies.ts';
import type { World } from '../world.ts';
import { policyGroups } from './groups.ts';
import { groupRuleOf } from './policy-neutron.ts';
import type { PolicyDriver } from './types.ts';

const OPEN = { direction: 'egress', ethertype: 'IPv4' } as const;
const policies: PolicyDriver = {
  ensure: () => Promise.reject(new Error('nothing is made here')),
  remove: () => Promise.reject(new Error('nothing is made here')),
  open: async (_project, direction) => `open-${direction}`,
};
const signal = AbortSignal.timeout(60_000);

type GroupRules = readonly object[];

/** The lists of Networking that the controller would make of a cluster; `change` alters rules of groups. */
async function neutronOf(
  cluster: ClusterState,
  change = (_group: string, rules: GroupRules): GroupRules => rules,
): Promise<InputFile> {
  const resolved = resolvedPolicies(cluster);
  const world = {
    policies: { all: () => cluster.policies.map(policyOf) },
    rules: {
      get: (key: string) => {
        const { spec } = resolved.get(key) ?? {};
        const named = (spec?.named ?? []).map(namedKey).map((one) => [one, `${key} ${one}`]);
        return spec === undefined ? undefined : { spec, status: { groupId: key, named: Object.fromEntries(named) } };
      },
    },
  } as unknown as World;
  const groups = policyGroups(world, policies, ['default']);
  const subjects = cluster.pods.filter((pod) => !pod.hostNetwork && !pod.isOver);
  const ports = await Promise.all(
    subjects.map(async (pod, at) => ({
      id: `port-${at}`,
      name: pod.name,
      network_id: 'net',
      mac_address: `fa:16:3e:00:00:0${at}`,
      fixed_ips: [{ subnet_id: 'subnet', ip_address: pod.addresses[0] }],
      security_groups: await groups.of(podOf(pod), '', signal),
      port_security_enabled: true,
    })),
  );
  const all: readonly (readonly [string, GroupRules])[] = [
    ['default', [OPEN, { ...OPEN, direction: 'ingress' }]],
    ['open-egress', [OPEN]],
    ['open-ingress', [{ ...OPEN, direction: 'ingress' }]],
    ...[...resolved].flatMap(([key, { spec }]) => [
      [key, spec.rules.map(groupRuleOf)] as const,
      ...(spec.named ?? []).map((one) => [`${key} ${namedKey(one)}`, one.rules.map(groupRuleOf)] as const),
    ]),
  ];
  const security_groups = all.map(([id, rules]) => ({
    id,
    name: id,
    security_group_rules: change(id, rules).map((rule, at) => ({ id: `${id}-${at}`, security_group_id: id, ...rule })),
  }));
  return { path: 'neutron.json', text: JSON.stringify({ ports, security_groups }, undefined, 1) };
}

describe('security groups of a cloud', () => {
  test('are proven to be what policies mean, and a rule less or a wider one is found', async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(clusters, async (cluster) => {
        const [whole, answers] = provePolicies(cluster, [await neutronOf(cluster)]).verdicts;
        if (whole!.answer !== 'holds') throw new Error(`${whole!.answer}: ${whole!.dependsOn.join('; ')}`);
        expect(answers!.answer).toBe('holds');
        const named = cluster.policies.map(({ namespace, name }) => `${namespace}/${name}`);
        const open = (group: string, rules: GroupRules) =>
          group === named[0] ? [...rules, OPEN, { ...OPEN, direction: 'ingress' }] : rules;
        const [wider] = provePolicies(cluster, [await neutronOf(cluster, open)]).verdicts;
        for (const { installed, rules } of wider!.differences) {
          found += 1;
          expect([installed, rules.length > 0]).toEqual(['passes', true]);
        }
      }),
      { numRuns: 40 },
    );
    expect(found).toBeGreaterThan(0);
  });

  test('of a port without port security let everything pass; rules for a group are for the addresses of its ports', async () => {
    const pod = (name: string, at: number) => ({
      namespace: 'red',
      name,
      labels: { app: name },
      node: 'n1',
      addresses: [`10.0.0.${at}`],
      hostNetwork: false,
      isOver: false,
      ports: [],
    });
    const cluster: ClusterState = {
      pods: [pod('web', 5), pod('db', 6)],
      namespaces: new Map([['red', {}]]),
      policies: [
        {
          namespace: 'red',
          name: 'db',
          podSelector: { matchLabels: { app: 'db' } },
          ingress: [{ peers: [{ podSelector: { matchLabels: { app: 'web' } } }], ports: [{ port: 5_432 }] }],
        },
      ],
      nodes: [{ name: 'n1', addresses: ['192.0.2.1'] }],
    };
    const port = (name: string, address: string, group: string, more: object = {}) => ({
      id: name,
      name,
      network_id: 'net',
      mac_address: 'fa:16:3e:00:00:01',
      fixed_ips: [{ subnet_id: 'subnet', ip_address: address }],
      security_groups: [group],
      ...more,
    });
    const rule = { id: 'r', direction: 'ingress', ethertype: 'IPv4', protocol: 'tcp', remote_group_id: 'web' };
    const lists = (from: number, more: object = {}) => ({
      path: 'neutron.json',
      text: JSON.stringify({
        ports: [port('web', '10.0.0.5', 'web'), port('db', '10.0.0.6', 'db', more)],
        security_groups: [
          {
            id: 'web',
            name: 'web',
            security_group_rules: [OPEN, { ...OPEN, direction: 'ingress' }].map((one, id) => ({ id: `${id}`, ...one })),
          },
          {
            id: 'db',
            name: 'db',
            security_group_rules: [
              { id: 'o', ...OPEN },
              { ...rule, port_range_min: from, port_range_max: 5_432 },
            ],
          },
        ],
      }),
    });
    const proven = (file: InputFile) => provePolicies(cluster, [file]).verdicts;
    expect(proven(lists(5_432)).map(({ answer }) => answer)).toEqual(['holds', 'holds', 'violated']);
    expect(proven(lists(5_431))[0]!.differences).toMatchObject([
      { from: 'red/web', to: 'red/db', installed: 'passes', connection: { port: 5_431n } },
    ]);
    const twice = { ...port('other', '10.0.0.6', 'web'), network_id: 'elsewhere' };
    const { ports, ...rest } = JSON.parse(lists(5_432).text) as { readonly ports: readonly object[] };
    const text = JSON.stringify({ ports: [...ports, twice], ...rest });
    const unclear = provePolicies(cluster, [{ path: 'neutron.json', text }]);
    expect(unclear.notCompared).toEqual(['red/db: several ports of the cloud have its address']);
    expect(unclear.verdicts[0]!.answer).toBe('unknown');
    const bare = proven(lists(5_432, { port_security_enabled: false, security_groups: [] }));
    expect(bare.map(({ answer }) => answer)).toEqual(['violated', 'holds', 'holds']);
  });
});
