import { canonicalJson, type Logger, reportError, shortName, SuperfluidityError } from '@superfluidity/core';
import { addressOf, type BalancerMember, type BalancerSpec, isProxied, refuseUnsupported } from '@superfluidity/fabric';
import { applyRuleset, Records, type Scope, TABLE } from '@superfluidity/router';
import type { Networks } from './networks.ts';
import type { Proxies } from './proxies.ts';
import type { SiteHost } from './topology.ts';

/**
 * Virtual addresses. Flows are spread in the kernel where it can: each host, and the router for those who come from other
 * sites, rewrites the destination of a new flow to one of the members and remembers it, so that a member that drains keeps
 * its flows. What the kernel cannot do (requests, health of members, persistence) does a proxy process.
 */
export class Balancers {
  readonly #namespaces: readonly string[];
  readonly #proxies: Proxies;
  readonly #networks: Networks;
  readonly #release: (network: string, address: string) => Promise<void>;
  readonly #records: Records<BalancerSpec>;
  readonly #log: Logger;
  #turn: Promise<unknown> = Promise.resolve();

  /** `release` makes the pools give up an address that they hold. */
  constructor(
    scope: Scope,
    hosts: ReadonlyMap<string, SiteHost>,
    proxies: Proxies,
    networks: Networks,
    release: (network: string, address: string) => Promise<void>,
    log: Logger,
  ) {
    this.#log = log;
    this.#networks = networks;
    this.#release = release;
    this.#namespaces = [scope.router, ...[...hosts.values()].map(({ namespace }) => namespace)];
    this.#proxies = proxies;
    this.#records = new Records(`${scope.folder}/balancers`, log);
    for (const { network, address } of this.#records.values()) networks.claim(network, address);
  }

  ensure(spec: BalancerSpec): Promise<void> {
    return this.#alone(async () => {
      const doing = `create balancer ${spec.name} of ${spec.service}`;
      const known = this.#records.get(spec.id);
      const same = known !== undefined && canonicalJson(known) === canonicalJson(spec);
      if (same && (!isProxied(spec) || this.#proxies.works(spec.id))) return;
      this.#refuseClash(doing, spec, known);
      if (known === undefined) await this.#takeAddress(spec);
      try {
        this.#records.put(spec.id, spec);
        // Another way of spreading: the old one would take the packets of the new one.
        if (known !== undefined && isProxied(known) !== isProxied(spec)) await this.#stop(known);
        await this.#run(spec);
      } catch (error) {
        if (known !== undefined) {
          this.#records.put(spec.id, known);
          if (isProxied(known) !== isProxied(spec)) await this.#restore(known, spec);
        } else await this.#drop(spec).catch(() => {});
        throw error;
      }
    });
  }

  remove(id: string): Promise<void> {
    return this.#alone(async () => {
      const known = this.#records.get(id);
      if (known !== undefined) await this.#drop(known);
    });
  }

  /** So that no unit gets it, when it lies among the addresses of units. Several ports of one address share it. */
  async #takeAddress({ id, network, address }: BalancerSpec): Promise<void> {
    const sharers = this.#sharers(id, address);
    if (!this.#networks.contains(network, address) || sharers > 0) return;
    await this.#release(network, address);
    this.#networks.takeAddress(network, address);
  }

  #sharers(id: string, address: string): number {
    return this.#records.values().filter((other) => other.id !== id && other.address === address).length;
  }

  /** A proxy that ended is started again: without it nobody answers. */
  look(): Promise<void> {
    return this.#alone(async () => {
      for (const spec of this.#records.values()) {
        if (!isProxied(spec) || this.#proxies.works(spec.id)) continue;
        this.#log.warn({ balancer: spec.id }, 'a proxy ended and is started again');
        await this.#proxies.ensure(spec);
      }
    });
  }

  async #run(spec: BalancerSpec): Promise<void> {
    if (isProxied(spec)) await this.#proxies.ensure(spec);
    else await this.#apply(flowsText(spec));
  }

  async #stop(spec: BalancerSpec): Promise<void> {
    if (isProxied(spec)) await this.#proxies.remove(spec.id);
    else await this.#apply(removeFlowsText(spec.id));
  }

  /** Back to what there was, as far as that works: the reason that counts is why the change did not. */
  async #restore(known: BalancerSpec, spec: BalancerSpec): Promise<void> {
    await this.#stop(spec).catch(() => {});
    await this.#run(known).catch((error: unknown) => {
      this.#log.error({ balancer: known.id, error: reportError(error) }, 'a balancer could not be put back');
    });
  }

  async #drop(spec: BalancerSpec): Promise<void> {
    await this.#stop(spec);
    this.#records.delete(spec.id);
    if (this.#sharers(spec.id, spec.address) === 0) this.#networks.giveBack(spec.network, spec.address);
  }

  #refuseClash(doing: string, spec: BalancerSpec, known: BalancerSpec | undefined): void {
    refuseUnsupported(doing, spec, ['linux']);
    addressOf(spec.address);
    const members = [spec, ...(spec.pools ?? [])].flatMap((one) => one.members);
    for (const member of members) addressOf(member.address);
    const ports = [spec.port, ...members.map(({ port }) => port)];
    const wrong = ports.find((port) => !Number.isInteger(port) || port < 1 || port > 65_535);
    if (wrong !== undefined)
      throw new SuperfluidityError('SF-SITE-CONFLICT', { doing, reason: `${wrong} is not a port` });
    if (known !== undefined && (known.address !== spec.address || known.port !== spec.port)) {
      throw new SuperfluidityError('SF-SITE-CONFLICT', { doing, reason: 'it exists with another address or port' });
    }
    // A proxy has the whole address.
    const clashes = (other: BalancerSpec) =>
      other.id !== spec.id &&
      other.address === spec.address &&
      ((other.port === spec.port && other.layer === spec.layer) || isProxied(other) || isProxied(spec));
    const other = this.#records.values().find(clashes);
    if (other === undefined) return;
    throw new SuperfluidityError('SF-SITE-ADDRESS-IN-USE', {
      doing,
      reason: `${spec.address}:${spec.port} is that of balancer ${other.name} of ${other.service}`,
    });
  }

  async #apply(text: string): Promise<void> {
    await Promise.all(this.#namespaces.map((namespace) => applyRuleset(namespace, text)));
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }
}

function chainName(id: string): string {
  return shortName('balance_', id, 18);
}

/** A table of its own for each balancer: replaced, and removed, as a whole. */
function removeFlowsText(id: string): string {
  const table = `${TABLE}_${chainName(id)}`;
  return `table ip ${table} {}\ndelete table ip ${table}\n`;
}

/** Without members that take new flows, new ones are refused at once instead of waiting for a time-out. */
export function flowsText(spec: BalancerSpec): string {
  const table = `${TABLE}_${chainName(spec.id)}`;
  const open = spec.members.filter(({ draining, weight = 1 }) => !draining && weight > 0);
  const protocol = spec.layer === 'udp' ? 'udp' : 'tcp';
  const match = `ip daddr ${spec.address} ${protocol} dport ${spec.port}`;
  const refusal = protocol === 'tcp' ? 'tcp reset' : 'icmp port-unreachable';
  const body =
    open.length === 0
      ? `  chain refuse {\n    type filter hook prerouting priority -99; policy accept;\n    ${match} ct state new reject with ${refusal}\n  }`
      : `  chain balance {\n    type nat hook prerouting priority -100; policy accept;\n    ${match} dnat ip to ${choice(spec, open, protocol)}\n  }`;
  return `${removeFlowsText(spec.id)}table ip ${table} {\n${body}\n}\n`;
}

/** Each member has as many of the numbers as its weight says. */
function choice({ algorithm }: BalancerSpec, open: readonly BalancerMember[], protocol: 'tcp' | 'udp'): string {
  const weights = open.map(({ weight = 1 }) => weight);
  const unit = weights.reduce(divisor);
  let next = 0;
  const targets = open.map(({ address, port }, i) => {
    const first = next;
    next += weights[i]! / unit;
    return `${first === next - 1 ? first : `${first}-${next - 1}`} : ${address} . ${port}`;
  });
  const by = {
    random: 'numgen random',
    'source-ip': 'jhash ip saddr',
    'source-ip-port': `jhash ip saddr . ${protocol} sport`,
  };
  const number = by[algorithm as keyof typeof by] ?? 'numgen inc';
  return `${number} mod ${next} map { ${targets.join(', ')} }`;
}

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
