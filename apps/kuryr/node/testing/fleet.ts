import { addAddress, changeLink, createVeth, replaceRoute, transact, writeSysctl } from '@superfluidity/netlink';
import { TestNode } from '../../cni/testing/node.ts';
import type { KuryrLoadBalancer } from '../../api/load-balancer.ts';
import type { KuryrNetworkPolicy } from '../../api/network-policy.ts';

export interface TestPod {
  readonly name: string;
  readonly netns: string;
  readonly address: string;
}

/** A wire between two nodes, each with a prefix of pods: what a network between nodes would do. */
export function wire(nodes: readonly [string, string], prefixes: readonly [string, string]): void {
  const [a, b] = nodes;
  transact(a, [
    createVeth({ name: 'wire', index: 40, up: true }, { name: 'wire', index: 41, namespace: b }),
    addAddress(40, { address: '192.0.2.1/24' }),
    replaceRoute({ destination: prefixes[1], via: '192.0.2.2', device: 40 }),
  ]);
  transact(b, [
    changeLink(41, { up: true }),
    addAddress(41, { address: '192.0.2.2/24' }),
    replaceRoute({ destination: prefixes[0], via: '192.0.2.1', device: 41 }),
  ]);
  // As each node has one: processes of the node itself ask by it.
  for (const [node, via, device] of [
    [a, '192.0.2.2', 40],
    [b, '192.0.2.1', 41],
  ] as const) {
    transact(node, [replaceRoute({ destination: 'default', via, device })]);
    writeSysctl(node, 'net.ipv4.ip_forward', 1);
  }
}

/** Two nodes with a daemon each, and pods of 10.90.N.0/24 on them. */
export class Fleet {
  readonly nodes: readonly TestNode[];
  readonly #daemons: boolean[] = [];

  static async open(): Promise<Fleet> {
    const nodes = [await TestNode.open(), await TestNode.open()];
    const fleet = new Fleet(nodes);
    for (const at of nodes.keys()) await fleet.startDaemon(at);
    wire([nodes[0]!.name, nodes[1]!.name], ['10.90.0.0/24', '10.90.1.0/24']);
    return fleet;
  }

  private constructor(nodes: readonly TestNode[]) {
    this.nodes = nodes;
  }

  async startDaemon(at: number): Promise<void> {
    const daemon = await this.nodes[at]!.startDaemon({ makesBridges: true });
    daemon.ports.setKnown(true);
    this.#daemons[at] = true;
  }

  /** All daemons know of all that there is, and have carried it out. */
  async put(balancers: readonly KuryrLoadBalancer[], policies: readonly KuryrNetworkPolicy[] = []): Promise<void> {
    for (const { daemon } of this.nodes) {
      for (const one of balancers) daemon.tables.putBalancer(keyOf(one), one);
      for (const one of policies) daemon.tables.putPolicy(keyOf(one), one);
      daemon.tables.setKnown('services');
      daemon.tables.setKnown('policies');
    }
    await this.settled();
  }

  async remove(kind: 'putBalancer' | 'putPolicy', ...names: readonly string[]): Promise<void> {
    for (const { daemon } of this.nodes) for (const name of names) daemon.tables[kind](`default/${name}`, undefined);
    await this.settled();
  }

  async settled(): Promise<void> {
    for (const { daemon } of this.nodes) await daemon.tables.settled();
  }

  async pod(name: string, at: number, number: number): Promise<TestPod> {
    const node = this.nodes[at]!;
    const netns = node.sandbox();
    const address = `10.90.${at}.${number}`;
    const eth0 = { addresses: [`${address}/24`], gateway: `10.90.${at}.1` };
    node.daemon.ports.put(node.port(name, { interfaces: { eth0 } }));
    const { code, output } = await node.call('ADD', name, { netns });
    if (code !== 0) throw new Error(JSON.stringify(output));
    return { name, netns, address };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) await node[Symbol.asyncDispose]();
  }
}

const keyOf = ({ metadata: { namespace, name } }: KuryrLoadBalancer | KuryrNetworkPolicy) => `${namespace}/${name}`;

export interface BalancerWish {
  readonly affinitySeconds?: number;
  readonly external?: string;
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP';
  readonly port?: number;
}

/** What the controller would write for a Service of one port. */
export function balancer(
  name: string,
  address: string,
  members: readonly { readonly address: string; readonly port?: number }[],
  { affinitySeconds, external, protocol = 'TCP', port = 80 }: BalancerWish = {},
): KuryrLoadBalancer {
  return {
    metadata: { namespace: 'default', name },
    spec: {
      address,
      type: external === undefined ? 'ClusterIP' : 'LoadBalancer',
      project: '',
      ...(affinitySeconds === undefined ? {} : { affinitySeconds }),
      ports: [
        {
          name: '',
          protocol,
          port,
          members: members.map((one) => ({ address: one.address, port: one.port ?? 8_080 })),
        },
      ],
    },
    status: {
      balancerId: '',
      provider: 'linux',
      address,
      ...(external === undefined ? {} : { external: { id: '', address: external, isOurs: false } }),
      observed: '',
      members: members.length,
    },
  };
}

export const policy = (
  name: string,
  pods: readonly string[],
  isolates: KuryrNetworkPolicy['spec']['isolates'],
  rules: KuryrNetworkPolicy['spec']['rules'] = [],
  named: NonNullable<KuryrNetworkPolicy['spec']['named']> = [],
): KuryrNetworkPolicy => ({
  metadata: { namespace: 'default', name },
  spec: { isolates, rules, pods: [...pods], named },
  status: { groupId: '', observed: '' },
});
