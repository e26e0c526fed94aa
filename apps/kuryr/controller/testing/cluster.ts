import { fileURLToPath } from 'node:url';
import { type Clock, silentLogger, systemClock } from '@superfluidity/core';
import { Cluster, readClusterConfig } from '@superfluidity/driver-kubernetes';
import { KURYR_CONFIG_KEY, KURYR_NAME, type KuryrPort } from '@superfluidity/driver-kubernetes/kuryr';
import { run } from '../../../../lab/command.ts';
import { kubectl, type Lab } from '../../../../lab/kubernetes/lab.ts';
import { dropOldPaths } from '../../install/definitions.ts';
import { labelsOf } from '../../install/spec.ts';
import { readKuryrConfig, runController } from '../index.ts';

const RESOURCES = fileURLToPath(new URL('../../../../docs/schemas/kuryr-resources.json', import.meta.url));
const LABEL = 'superfluidity.test/run';
const API_MS = 20_000;

interface Listed<T> {
  readonly items: readonly T[];
}

export interface SeenEvent {
  readonly reason: string;
  readonly message: string;
  readonly type: string;
  readonly count: number;
  readonly involvedObject: { readonly kind: string; readonly name: string };
}

export interface Replica {
  /** Of health and metrics. */
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * The part of the laboratory that one test has: namespaces with a label of its own, which alone its controllers serve, and nodes
 * that are objects of the API server only, so that pods bound to them stay as they are until the test changes them.
 */
export class TestCluster {
  readonly run: string;
  readonly namespace: string;
  readonly #lab: Lab;
  readonly #namespaces: string[] = [];
  readonly #nodes: string[] = [];
  readonly #replicas = new Set<Replica>();

  static async open(lab: Lab, prefix: string): Promise<TestCluster> {
    await run(kubectl(lab, 'apply', '--server-side', '--force-conflicts', '-f', RESOURCES));
    await run(kubectl(lab, 'wait', '--for', 'condition=Established', '--timeout=20s', '-f', RESOURCES));
    const api = Cluster.open('test', readClusterConfig('test', { kubeconfig: lab.paths.adminConfig }), systemClock);
    await dropOldPaths(api, AbortSignal.timeout(API_MS));
    const cluster = new TestCluster(lab, `${prefix}-${Date.now().toString(36)}`);
    await cluster.addNamespace();
    return cluster;
  }

  constructor(lab: Lab, name: string) {
    this.#lab = lab;
    this.run = name;
    this.namespace = name;
  }

  kubectl(...args: readonly string[]): Promise<string> {
    return run(kubectl(this.#lab, ...args), { timeoutMs: 120_000 });
  }

  /** In the namespace of the test. */
  inside(...args: readonly string[]): Promise<string> {
    return this.kubectl('--namespace', this.namespace, ...args);
  }

  async json<T>(...args: readonly string[]): Promise<T> {
    return JSON.parse(await this.kubectl(...args, '--output', 'json')) as T;
  }

  async apply(...objects: readonly unknown[]): Promise<void> {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
    await run(kubectl(this.#lab, 'apply', '--server-side', '--force-conflicts', '-f', '-'), { input });
  }

  async addNamespace(suffix = '', more: object = {}): Promise<string> {
    const name = this.run + suffix;
    this.#namespaces.push(name);
    await this.apply({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { [LABEL]: this.run }, ...more },
    });
    return name;
  }

  async addNode(suffix: string, podCIDR?: string, labels: Readonly<Record<string, string>> = {}): Promise<string> {
    const name = `${this.run}-${suffix}`;
    this.#nodes.push(name);
    await this.apply({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels },
      spec: podCIDR === undefined ? {} : { podCIDR, podCIDRs: [podCIDR] },
    });
    return name;
  }

  pod(name: string, node: string | undefined, more: object = {}, labels: object = {}): unknown {
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: this.namespace, labels },
      spec: {
        ...(node === undefined ? { schedulerName: 'nobody' } : { nodeName: node }),
        containers: [{ name: 'c', image: 'superfluidity.test/none:1', imagePullPolicy: 'Never' }],
        terminationGracePeriodSeconds: 0,
        ...more,
      },
    };
  }

  /** As a kubelet does it when containers have ended. */
  async setPhase(name: string, phase: string, namespace = this.namespace): Promise<void> {
    const patch = JSON.stringify({ status: { phase } });
    await this.kubectl('-n', namespace, 'patch', 'pod', name, '--subresource=status', '--type=merge', '--patch', patch);
  }

  async deletePods(...names: readonly string[]): Promise<void> {
    const wanted = names.length === 0 ? ['--all'] : names;
    await this.kubectl('-n', this.namespace, 'delete', 'pod', ...wanted, '--force', '--grace-period=0', '--wait=false');
  }

  async ports(namespace = this.namespace): Promise<readonly KuryrPort[]> {
    return (await this.json<Listed<KuryrPort>>('-n', namespace, 'get', 'kuryrports')).items;
  }

  async port(name: string): Promise<KuryrPort | undefined> {
    return (await this.ports()).find(({ metadata }) => metadata.name === name);
  }

  async events(name: string, namespace = this.namespace): Promise<readonly SeenEvent[]> {
    const { items } = await this.json<Listed<SeenEvent>>('-n', namespace, 'get', 'events');
    return items.filter(({ involvedObject }) => involvedObject.name === name);
  }

  /** Configuration with the built-in fabric, over which `more` is laid. */
  config(more: Readonly<Record<string, unknown>> = {}) {
    const base = {
      cluster: this.run,
      kubeconfig: this.#lab.paths.adminConfig,
      namespaces: { [LABEL]: this.run },
      drivers: { vif: 'linux' },
      linux: { cidr: 'node' },
      pool: { minimum: 2, batch: 4, foresees: false },
      lease: { namespace: this.namespace, name: 'kuryr', seconds: 3 },
      listen: { port: 0 },
    };
    return readKuryrConfig({ ...base, ...more }, 'a test');
  }

  /** As `kuryr install` writes it: whoever looks at the cluster learns which namespaces are served. */
  async tellConfig(): Promise<void> {
    await this.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: KURYR_NAME, namespace: this.namespace, labels: labelsOf() },
      data: { [KURYR_CONFIG_KEY]: JSON.stringify(this.config()) },
    });
  }

  async start(
    more: Readonly<Record<string, unknown>> = {},
    identity?: string,
    clock: Clock = systemClock,
  ): Promise<Replica> {
    const stop = new AbortController();
    const config = this.config(more);
    const listening = Promise.withResolvers<number>();
    const named = identity === undefined ? {} : { identity };
    const running = runController(
      { config, clock, log: silentLogger, onListen: listening.resolve, ...named },
      stop.signal,
    );
    running.catch(listening.reject);
    const port = await listening.promise;
    const replica = {
      port,
      stop: async () => {
        this.#replicas.delete(replica);
        stop.abort();
        await running;
      },
    };
    this.#replicas.add(replica);
    return replica;
  }

  async ask(replica: Replica, path: string): Promise<{ readonly status: number; readonly text: string }> {
    const answer = await fetch(`http://127.0.0.1:${replica.port}${path}`);
    return { status: answer.status, text: await answer.text() };
  }

  async close(): Promise<void> {
    // Finalizers want a controller.
    if (this.#replicas.size === 0) await this.start();
    await this.kubectl(
      'delete',
      'namespace',
      ...this.#namespaces,
      '--ignore-not-found',
      '--wait=true',
      '--timeout=60s',
    );
    for (const replica of this.#replicas) await replica.stop();
    if (this.#nodes.length > 0) await this.kubectl('delete', 'node', ...this.#nodes, '--ignore-not-found');
  }
}
