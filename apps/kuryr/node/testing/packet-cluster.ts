import { silentLogger, systemClock } from '@superfluidity/core';
import { Cluster, type Pod, readClusterConfig } from '@superfluidity/driver-kubernetes';
import type { Lab } from '../../../../lab/kubernetes/lab.ts';
import { TestNode } from '../../cni/testing/node.ts';
import { watchPorts } from '../../cni/watch.ts';
import { TestCluster } from '../../controller/testing/cluster.ts';
import { watchTables } from '../watch.ts';
import { wire } from './fleet.ts';

/** A pod as packets see it. */
export interface PacketPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Which node. */
  readonly at: number;
  readonly netns: string;
  readonly address: string;
}

interface PodWish {
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: object;
}

interface Watching {
  readonly stop: AbortController;
  readonly done: Promise<unknown>;
}

/**
 * Objects of a real API server, with a controller and a daemon for each of two nodes, which are network namespaces of this machine, as
 * pods are: the whole way of a pod but its kubelet and its containers, which the test plays.
 */
export class PacketCluster {
  readonly cluster: TestCluster;
  readonly nodes: readonly { readonly name: string; readonly node: TestNode }[];
  readonly #lab: Lab;
  readonly #watching: (Watching | undefined)[] = [];

  /** `prefixes`: of the pods of each node; with several nodes, there is a wire between them. */
  static async open(lab: Lab, prefix: string, prefixes: readonly string[]): Promise<PacketCluster> {
    const cluster = await TestCluster.open(lab, prefix);
    const nodes: { readonly name: string; readonly node: TestNode }[] = [];
    const packets = new PacketCluster(lab, cluster, nodes);
    for (const [at, cidr] of prefixes.entries()) {
      const name = await cluster.addNode(`n${at}`, cidr);
      nodes.push({ name, node: await TestNode.open() });
      await packets.startDaemon(at);
    }
    const [one, two] = nodes;
    if (two !== undefined) wire([one!.node.name, two.node.name], [prefixes[0]!, prefixes[1]!]);
    return packets;
  }

  private constructor(lab: Lab, cluster: TestCluster, nodes: PacketCluster['nodes']) {
    this.#lab = lab;
    this.cluster = cluster;
    this.nodes = nodes;
  }

  async startDaemon(at: number): Promise<void> {
    const { name, node } = this.nodes[at]!;
    const { ports, tables } = await node.startDaemon({ node: name, makesBridges: true });
    const config = readClusterConfig('kuryr', { kubeconfig: this.#lab.paths.adminConfig });
    const shared = { cluster: Cluster.open('kuryr', config, systemClock), node: name, clock: systemClock };
    const stop = new AbortController();
    const log = silentLogger;
    const done = Promise.all([
      watchPorts({ ...shared, sink: ports, log }, stop.signal),
      watchTables({ ...shared, tables, log }, stop.signal),
    ]);
    this.#watching[at] = { stop, done };
  }

  async stopDaemon(at: number): Promise<void> {
    const watching = this.#watching[at];
    this.#watching[at] = undefined;
    watching?.stop.abort();
    await watching?.done;
    await this.nodes[at]!.node.stopDaemon();
  }

  /** The object alone: nobody has asked for its network yet. */
  podObject(name: string, at: number, wish: PodWish = {}): object {
    const { namespace = this.cluster.namespace, labels = {}, annotations = {}, spec = {} } = wish;
    const made = this.cluster.pod(name, this.nodes[at]!.name, spec) as object;
    return { ...made, metadata: { name, namespace, labels, annotations } };
  }

  async start(name: string, at: number, wish: PodWish = {}): Promise<PacketPod> {
    const { namespace = this.cluster.namespace } = wish;
    await this.cluster.apply(this.podObject(name, at, wish));
    const object = await this.cluster.json<Pod>('-n', namespace, 'get', 'pod', name);
    return this.plug(object, at);
  }

  /** As the runtime does it when the kubelet has seen the pod. */
  async plug({ metadata: { namespace = '', name, uid = '' } }: Pod, at: number): Promise<PacketPod> {
    const { node } = this.nodes[at]!;
    const netns = node.sandbox();
    const { code, output } = await node.call('ADD', name, { netns, ...callOf({ namespace, name, uid }) });
    if (code !== 0) throw new Error(`ADD of ${namespace}/${name}: ${JSON.stringify(output)}`);
    const [first] = output!.ips!;
    return { namespace, name, uid, at, netns, address: first!.address.split('/')[0]! };
  }

  /** As the runtime does it when the containers have ended. */
  async unplug(pod: PacketPod): Promise<void> {
    const { code, output } = await this.nodes[pod.at]!.node.call('DEL', pod.name, callOf(pod));
    if (code !== 0) throw new Error(`DEL of ${pod.namespace}/${pod.name}: ${JSON.stringify(output)}`);
  }

  /** Out of the API at once, and out of the node. */
  async remove(...pods: readonly PacketPod[]): Promise<void> {
    for (const namespace of new Set(pods.map((pod) => pod.namespace))) {
      const names = pods.filter((pod) => pod.namespace === namespace).map(({ name }) => name);
      const forced = ['--force', '--grace-period=0', '--wait=false', '--ignore-not-found'];
      await this.cluster.kubectl('-n', namespace, 'delete', 'pod', ...names, ...forced);
    }
    await Promise.all(pods.map((pod) => this.unplug(pod)));
  }

  /** As the kubelet tells it, from which Kubernetes makes EndpointSlices. */
  async setReady({ namespace, name, address }: PacketPod, isReady = true): Promise<void> {
    const status = isReady ? 'True' : 'False';
    const conditions = ['Initialized', 'ContainersReady', 'Ready'].map((type) => ({ type, status }));
    const told = { phase: 'Running', podIP: address, podIPs: [{ ip: address }], conditions };
    const patch = JSON.stringify({ status: told });
    const how = ['--subresource=status', '--type=merge', '--patch', patch];
    await this.cluster.kubectl('-n', namespace, 'patch', 'pod', name, ...how);
  }

  async clusterIp(name: string, namespace = this.cluster.namespace): Promise<string> {
    const path = 'jsonpath={.spec.clusterIP}';
    return (await this.cluster.kubectl('-n', namespace, 'get', 'service', name, '--output', path)).trim();
  }

  async close(): Promise<void> {
    for (const at of this.nodes.keys()) {
      this.#watching[at]?.stop.abort();
      await this.#watching[at]?.done;
    }
    await this.cluster.close();
    for (const { node } of this.nodes) await node[Symbol.asyncDispose]();
  }
}

/** Of a container that is called like its pod, in whichever namespace. */
function callOf({ namespace, name, uid }: Pick<PacketPod, 'namespace' | 'name' | 'uid'>) {
  const env = { CNI_ARGS: `K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${name};K8S_POD_UID=${uid}` };
  return { container: `${namespace}-${name}`, env };
}
