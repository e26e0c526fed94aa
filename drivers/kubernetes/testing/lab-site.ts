import { newId, silentLogger, systemClock } from '@superfluidity/core';
import type { FabricCall } from '@superfluidity/fabric';
import type { Execution } from '@superfluidity/model';
import type { SiteDriver, SiteEvent, UnitSpec } from '@superfluidity/site';
import { run } from '../../../lab/command.ts';
import { IMAGES } from '../../../lab/kubernetes/images.ts';
import { kubectl, type Lab, USER } from '../../../lab/kubernetes/lab.ts';
import { TestNamespace } from '../../../lab/kubernetes/testing.ts';
import { kubernetesDriver } from '../index.ts';

/** A program that ends when it is asked to. */
export const RUN = 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done';
/** `admin` of a namespace, and what else there is to be allowed. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}
/** What docs/guides/kubernetes.md asks for balancers. */
export const MEMBERS: Rule = {
  apiGroups: ['discovery.k8s.io'],
  resources: ['endpointslices'],
  verbs: ['get', 'list', 'create', 'patch', 'delete'],
};

export interface LabSiteOptions {
  readonly config?: Readonly<Record<string, unknown>>;
  /** In the namespace. */
  readonly rules?: readonly Rule[];
  /** In the whole cluster. */
  readonly everywhere?: readonly Rule[];
}

/** A site of the laboratory's ordinary user in a namespace of its own, which goes with everything in it. */
export class LabSite {
  readonly namespace: TestNamespace;
  readonly site: SiteDriver;
  readonly #lab: Lab;
  readonly #id: string;
  readonly #config: Readonly<Record<string, unknown>>;
  #made = 0;

  static async open(lab: Lab, { config = {}, rules = [], everywhere = [] }: LabSiteOptions = {}): Promise<LabSite> {
    const namespace = await TestNamespace.open(lab, 'sf-driver');
    try {
      for (const object of rightsIn(namespace.name, rules, everywhere)) await namespace.apply(object);
      // The API server reads who may do what a moment later.
      await eventually(() => namespace.kubectl('auth', 'can-i', 'create', 'pods', `--as=${USER}`));
      for (const { apiGroups, resources, verbs } of rules) {
        const group = apiGroups[0] === '' ? '' : `.${apiGroups[0]}`;
        await eventually(() =>
          namespace.kubectl('auth', 'can-i', verbs.at(-1)!, `${resources[0]}${group}`, `--as=${USER}`),
        );
      }
      const id = newId('site');
      const all = { kubeconfig: lab.paths.userConfig, namespace: namespace.name, ...config };
      return new LabSite(lab, namespace, id, all, await openSite(id, all));
    } catch (error) {
      await dropRights(lab, namespace.name);
      await namespace.close();
      throw error;
    }
  }

  constructor(
    lab: Lab,
    namespace: TestNamespace,
    id: string,
    config: Readonly<Record<string, unknown>>,
    site: SiteDriver,
  ) {
    this.#lab = lab;
    this.namespace = namespace;
    this.#id = id;
    this.#config = config;
    this.site = site;
  }

  /** The same site, as another server or the next one has it. */
  again(changes: Readonly<Record<string, unknown>> = {}): Promise<SiteDriver> {
    return openSite(this.#id, { ...this.#config, ...changes });
  }

  call(): FabricCall {
    return { key: 'test', fence: 1, signal: AbortSignal.timeout(150_000) };
  }

  unit(script: string, execution: Partial<Execution> = {}, changes: Partial<UnitSpec> = {}): UnitSpec {
    this.#made += 1;
    return {
      id: `unit-${this.#made}`,
      service: 'svc-1',
      path: 'video/server',
      index: 0,
      host: 'node1',
      execution: {
        environment: 'pod',
        image: `name:${IMAGES.busybox}`,
        command: ['sh', '-c', script],
        health: { kind: 'running', timeoutMs: 30_000 },
        ...execution,
      },
      cpu: 0.02,
      memoryMiB: 16,
      storageMiB: 0,
      ports: [],
      facts: {},
      ...changes,
    };
  }

  async output(id: string): Promise<readonly string[]> {
    return (await this.site.readOutput(id, 0)).lines;
  }

  /** Everything that is told from now on. */
  listen(): { readonly seen: SiteEvent[]; readonly stop: () => Promise<void> } {
    const stop = new AbortController();
    const seen: SiteEvent[] = [];
    const over = (async () => {
      for await (const event of this.site.watch(stop.signal)) seen.push(event);
    })();
    return { seen, stop: () => (stop.abort(), over) };
  }

  /** Names of what is there of a kind, of this site or not. */
  async names(kind: string): Promise<readonly string[]> {
    const text = await this.namespace.kubectl('get', kind, '--output', 'jsonpath={.items[*].metadata.name}');
    return text.split(' ').filter((name) => name !== '');
  }

  async get<T>(kind: string, name: string): Promise<T> {
    return JSON.parse(await this.namespace.kubectl('get', kind, name, '--output', 'json')) as T;
  }

  async removeUnits(): Promise<void> {
    const units = await this.site.listUnits();
    const ids = units.map(({ id }) => id);
    await this.site.removeUnits(ids, this.call());
  }

  async close(): Promise<void> {
    try {
      await this.site.purge();
      await this.site.close();
    } finally {
      await dropRights(this.#lab, this.namespace.name);
      await this.namespace.close();
    }
  }
}

function openSite(id: string, config: Readonly<Record<string, unknown>>): Promise<SiteDriver> {
  return kubernetesDriver.open({
    id,
    name: 'cluster',
    config,
    stateFolder: '/nonexistent',
    clock: systemClock,
    log: silentLogger,
  });
}

function rightsIn(namespace: string, rules: readonly Rule[], everywhere: readonly Rule[]): readonly unknown[] {
  const apiGroup = 'rbac.authorization.k8s.io';
  const rbac = { apiVersion: `${apiGroup}/v1` };
  const subjects = [{ apiGroup, kind: 'User', name: USER }];
  const binding = (name: string, kind: string, role: string) => ({
    ...rbac,
    kind: 'RoleBinding',
    metadata: { name, namespace },
    roleRef: { apiGroup, kind, name: role },
    subjects,
  });
  const more = { ...rbac, kind: 'Role', metadata: { name: 'more', namespace }, rules };
  const cluster = [
    { ...rbac, kind: 'ClusterRole', metadata: { name: namespace }, rules: everywhere },
    {
      ...rbac,
      kind: 'ClusterRoleBinding',
      metadata: { name: namespace },
      roleRef: { apiGroup, kind: 'ClusterRole', name: namespace },
      subjects,
    },
  ];
  return [
    binding('admin', 'ClusterRole', 'admin'),
    ...(rules.length === 0 ? [] : [more, binding('more', 'Role', 'more')]),
    ...(everywhere.length === 0 ? [] : cluster),
  ];
}

async function dropRights(lab: Lab, name: string): Promise<void> {
  for (const kind of ['clusterrolebinding', 'clusterrole'])
    await run(kubectl(lab, 'delete', kind, name, '--ignore-not-found'));
}

/** Until it does not fail any more. */
export async function eventually<T>(work: () => Promise<T>, timeoutMs = 20_000): Promise<T> {
  const until = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
