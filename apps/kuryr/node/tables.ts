import { isSuperfluidityError, type Logger, reportError, SuperfluidityError, systemClock } from '@superfluidity/core';
import type { KuryrPort } from '@superfluidity/driver-kubernetes/kuryr';
import { type NamespaceName, writeSysctl } from '@superfluidity/netlink';
import type { KuryrLoadBalancer } from '../api/load-balancer.ts';
import type { KuryrNetworkPolicy } from '../api/network-policy.ts';
import './errors.ts';
import { removeStaleFlows } from './flows.ts';
import { LIMITS } from './limits.ts';
import { applyNft, namesIn } from './nft.ts';
import { type Met, planPolicies, POLICIES } from './policies.ts';
import { KEPT, planServices, SERVICES, type Trouble } from './services.ts';
import { planSources, SOURCES } from './sources.ts';
import { difference, removal, replacement, type Skeleton, takeover, type TableContent } from './table.ts';

/** Ports of the pods of this node, as its daemon knows them. */
export interface NodePorts {
  /** Whether all that there are have been told once. */
  readonly isKnown: boolean;
  entries(): Iterable<readonly [key: string, port: KuryrPort]>;
  /** Called after each change. */
  onChange(listener: () => void): void;
  onKnown(listener: () => void): void;
}

export interface TablesOptions {
  /** The network of the node, where it is not that of this process. */
  readonly namespace: NamespaceName;
  readonly ports: NodePorts;
  readonly log: Logger;
  readonly onSync?: (table: TableKind, seconds: number, isDone: boolean) => void;
  readonly resyncMs?: number;
}

export type ObjectKind = 'services' | 'policies';
/** `sources`: what pods may send as. */
export type TableKind = ObjectKind | 'sources';

/** Told when an object cannot be carried out here, or the node cannot carry out any (`key` is undefined). */
export type TroubleListener = (kind: TableKind, key: string | undefined, reason: string) => void;

interface Plan {
  readonly content: TableContent;
  readonly troubles: readonly Trouble[];
}

/**
 * Services and policies in the kernel of the node: what is wanted is known whole and compared with what was put there, and the
 * difference is one transaction. What was put there stays when this ends, so that traffic goes on until the next daemon takes over.
 */
export class NodeTables {
  readonly #options: TablesOptions;
  readonly #balancers = new Map<string, KuryrLoadBalancer>();
  readonly #policies = new Map<string, KuryrNetworkPolicy>();
  readonly #known = { services: false, policies: false };
  readonly #listeners: TroubleListener[] = [];
  readonly #services: Table;
  readonly #rules: Table;
  readonly #sources: Table;
  #datagrams: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  #met: Met = new Set();
  #counts = { services: 0, endpoints: 0, policies: 0 };

  constructor(options: TablesOptions) {
    this.#options = options;
    const { namespace, ports, log } = options;
    const shared = {
      namespace,
      log,
      resyncMs: options.resyncMs ?? LIMITS.resyncMs,
      onTrouble: (kind: TableKind, key: string | undefined, reason: string) => {
        for (const listener of this.#listeners) listener(kind, key, reason);
      },
    };
    this.#services = new Table({
      ...shared,
      kind: 'services',
      skeleton: SERVICES,
      kept: KEPT,
      plan: () => (this.#known.services ? this.#planServices() : undefined),
      after: () => removeStaleFlows(namespace, this.#datagrams).then(() => {}),
      onSync: (seconds, isDone) => options.onSync?.('services', seconds, isDone),
    });
    this.#rules = new Table({
      ...shared,
      kind: 'policies',
      skeleton: POLICIES,
      kept: [],
      plan: () => (this.#isPlanned ? this.#planPolicies() : undefined),
      onSync: (seconds, isDone) => options.onSync?.('policies', seconds, isDone),
    });
    this.#sources = new Table({
      ...shared,
      kind: 'sources',
      skeleton: SOURCES,
      kept: [],
      plan: () => (ports.isKnown ? { content: planSources(ports.entries()), troubles: [] } : undefined),
      onSync: (seconds, isDone) => options.onSync?.('sources', seconds, isDone),
    });
    const changed = () => {
      this.#rules.changed();
      this.#sources.changed();
    };
    ports.onChange(changed);
    ports.onKnown(changed);
  }

  get counts(): Readonly<{ services: number; endpoints: number; policies: number }> {
    return this.#counts;
  }

  /** Why what is wanted is not in the kernel; undefined when it is. */
  get trouble(): string | undefined {
    return this.#services.trouble ?? this.#rules.trouble ?? this.#sources.trouble;
  }

  onTrouble(listener: TroubleListener): void {
    this.#listeners.push(listener);
  }

  /** One that a cloud balances, or that is not ready yet, is none of the node's. */
  putBalancer(key: string, balancer: KuryrLoadBalancer | undefined): void {
    const isOurs = balancer?.status?.provider === 'linux' && balancer.metadata.deletionTimestamp === undefined;
    this.#put(this.#balancers, key, isOurs ? balancer : undefined);
    this.#services.changed();
  }

  /** One that is a group of a cloud is none of the node's. */
  putPolicy(key: string, policy: KuryrNetworkPolicy | undefined): void {
    const isOurs = policy?.status?.groupId === '' && policy.metadata.deletionTimestamp === undefined;
    this.#put(this.#policies, key, isOurs ? policy : undefined);
    this.#rules.changed();
  }

  /** All that there are have been told once: from then on what the kernel has beside them is removed. */
  setKnown(kind: ObjectKind): void {
    this.#known[kind] = true;
    this.changed();
  }

  changed(): void {
    this.#services.changed();
    this.#rules.changed();
    this.#sources.changed();
  }

  /** What was told until now is in the kernel, or was refused. */
  async settled(): Promise<void> {
    await Promise.all([this.#services, this.#rules, this.#sources].map((table) => table.settled()));
  }

  /** What policies close of the pods that are known by now is closed in the kernel. Rejects when the signal fires. */
  async untilIsolated(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#rules.settled();
      if (this.#isPlanned && this.#rules.trouble === undefined) return;
      await systemClock.sleep(LIMITS.retryFirstMs, signal);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#services, this.#rules, this.#sources].map((table) => table.close()));
  }

  #put<T>(objects: Map<string, T>, key: string, now: T | undefined): void {
    if (now === undefined) objects.delete(key);
    else if (objects.has(key) || objects.size < LIMITS.objects) objects.set(key, now);
    else this.#options.log.warn({ key }, 'there are more than a node can carry out');
  }

  #planServices(): Plan {
    const plan = planServices(this.#balancers);
    this.#datagrams = plan.datagrams;
    this.#counts = { ...this.#counts, services: plan.services, endpoints: plan.endpoints };
    return plan;
  }

  get #isPlanned(): boolean {
    return this.#known.policies && this.#options.ports.isKnown;
  }

  #planPolicies(): Plan {
    const ports = new Map(this.#options.ports.entries());
    const plan = planPolicies(this.#policies, ports, this.#met);
    this.#met = plan.met;
    this.#counts = { ...this.#counts, policies: plan.policies };
    return plan;
  }
}

interface TableOptions {
  readonly kind: TableKind;
  readonly skeleton: Skeleton;
  readonly kept: readonly string[];
  readonly namespace: NamespaceName;
  readonly log: Logger;
  readonly resyncMs: number;
  /** Undefined while not all is known. */
  readonly plan: () => Plan | undefined;
  /** Once the kernel has it. */
  readonly after?: () => Promise<void>;
  readonly onTrouble: TroubleListener;
  readonly onSync: (seconds: number, isDone: boolean) => void;
}

/** One table: at most one transaction at a time, and after each change one more. */
class Table {
  readonly #options: TableOptions;
  #applied: TableContent | undefined;
  /** There is no table, and none is needed. */
  #isAbsent = false;
  #isChanged = false;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #dueMs = 0;
  #retryMs: number = LIMITS.retryFirstMs;
  #isClosed = false;
  readonly #waiting: (() => void)[] = [];
  #told = new Set<string>();
  trouble: string | undefined;

  constructor(options: TableOptions) {
    this.#options = options;
  }

  changed(): void {
    this.#isChanged = true;
    this.#wake(LIMITS.gatherMs);
  }

  async settled(): Promise<void> {
    if (this.#isChanged && !this.#isClosed) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else await this.#running;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#running;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #wake(ms: number): void {
    if (this.#isClosed || this.#running !== undefined) return;
    const dueMs = performance.now() + ms;
    // What is due before is not put off: while pods come without a pause, they are told of all the same.
    if (this.#timer !== undefined && this.#dueMs <= dueMs) return;
    this.#dueMs = dueMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#running = this.#sync().finally(() => {
        this.#running = undefined;
        if (this.#isChanged) this.#wake(this.trouble === undefined ? LIMITS.gatherMs : this.#retryMs);
        else this.#wake(this.#options.resyncMs);
      });
    }, ms);
  }

  async #sync(): Promise<void> {
    const { kind, plan: planned, after, log, onSync, onTrouble, resyncMs } = this.#options;
    // Nothing has changed: somebody else may have changed what the kernel has.
    if (!this.#isChanged && resyncMs > 0) [this.#applied, this.#isAbsent] = [undefined, false];
    this.#isChanged = false;
    const waiting = this.#waiting.splice(0);
    const startMs = performance.now();
    try {
      const plan = planned();
      if (plan === undefined) return;
      await this.#apply(plan.content);
      this.#tell(plan.troubles);
      await after?.();
      this.trouble = undefined;
      this.#retryMs = LIMITS.retryFirstMs;
    } catch (error) {
      const { code, message } = reportError(error);
      this.trouble = `${kind}: ${message} [${code}]`;
      this.#isChanged = true;
      this.#retryMs = Math.min(this.#retryMs * LIMITS.retryFactor, LIMITS.retryLastMs);
      log.warn({ error: reportError(error) }, `${kind} are not carried out`);
      onTrouble(kind, undefined, `${message} [${code}]`);
    } finally {
      onSync((performance.now() - startMs) / 1_000, this.trouble === undefined);
      for (const resolve of waiting) resolve();
    }
  }

  async #apply(content: TableContent): Promise<void> {
    const { namespace, skeleton, kept } = this.#options;
    const before = this.#applied;
    const isEmpty =
      content.chains.size === 0 && [...content.sets.values()].every(({ elements }) => elements.size === 0);
    if (isEmpty && this.#isAbsent) return;
    // Whatever happens now, it is not known any more what is there.
    [this.#applied, this.#isAbsent] = [undefined, false];
    if (before !== undefined) {
      try {
        await applyNft(namespace, difference(skeleton, before, content));
        this.#applied = content;
        return;
      } catch (error) {
        // Somebody has changed it: as at the start.
        if (!isSuperfluidityError(error, 'SF-KURYR-NFT')) throw error;
      }
    }
    const left = await namesIn(namespace, skeleton);
    // A node that is to do nothing needs nothing.
    this.#isAbsent = left === undefined && isEmpty;
    if (this.#isAbsent) return;
    if (!isEmpty && skeleton.family === 'ip') seeBridged(namespace);
    try {
      if (left === undefined) throw new SuperfluidityError('SF-KURYR-NFT', { reason: 'there is none' });
      await applyNft(namespace, takeover(skeleton, content, left, kept));
    } catch (error) {
      if (!isSuperfluidityError(error, 'SF-KURYR-NFT')) throw error;
      // Of a daemon of another version.
      await applyNft(namespace, replacement(skeleton, content));
    }
    this.#applied = content;
  }

  #tell(troubles: readonly Trouble[]): void {
    const told = new Set(troubles.map(({ key, reason }) => `${key} ${reason}`));
    for (const { key, reason } of troubles)
      if (!this.#told.has(`${key} ${reason}`)) this.#options.onTrouble(this.#options.kind, key, reason);
    this.#told = told;
  }
}

/** What a bridge carries from pod to pod passes the chains of IPv4, too, and their connections are known. Throws `SF-KURYR-BRIDGED`. */
function seeBridged(namespace: NamespaceName): void {
  try {
    writeSysctl(namespace, 'net.bridge.bridge-nf-call-iptables', 1);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SuperfluidityError('SF-KURYR-BRIDGED', { doing: 'have bridged packets filtered', reason, cause });
  }
}

/** All of it, for who takes Kuryr off the node. Throws `SF-KURYR-NFT`. */
export async function removeTables(namespace: NamespaceName): Promise<void> {
  await applyNft(namespace, [SERVICES, POLICIES, SOURCES].map(removal).join(''));
}
