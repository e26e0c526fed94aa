import { type Node, TRUE } from '../diagram/diagrams.ts';
import type { SourceRef } from '../ir/source.ts';
import type { NeutronDeployment, NeutronPort, Prefix, SecurityRule } from '../readers/neutron/deployment.ts';
import type { Connection, Connections, ConnectionState } from './connections.ts';
import type { Direction } from './objects.ts';
import type { Treatment } from './packet-filter.ts';

/**
 * Security groups of the ports that pods have (Networking API v2.0): what a rule of one of its groups lets pass, passes, and answers
 * of it; a port without port security lets everything pass.
 */
export class SecurityGroups {
  readonly #space: Connections;
  readonly #neutron: NeutronDeployment;
  /** By address of IPv4. */
  readonly #ports: ReadonlyMap<bigint, NeutronPort>;
  /** Addresses that several ports have, of networks that have nothing to do with each other: nobody knows which is the pod's. */
  readonly ambiguous: ReadonlySet<bigint>;

  /** Of pods with these addresses. */
  constructor(neutron: NeutronDeployment, addresses: ReadonlySet<bigint>, space: Connections) {
    this.#space = space;
    this.#neutron = neutron;
    const ports = new Map<bigint, NeutronPort>();
    const ambiguous = new Set<bigint>();
    for (const port of neutron.ports)
      for (const { family, address } of port.addresses) {
        if (family !== 'ip' || !addresses.has(address)) continue;
        if (ports.has(address) && ports.get(address)!.id !== port.id) ambiguous.add(address);
        ports.set(address, port);
      }
    for (const address of ambiguous) ports.delete(address);
    this.#ports = ports;
    this.ambiguous = ambiguous;
  }

  /** Addresses of pods that have a port. */
  get addresses(): ReadonlySet<bigint> {
    return new Set(this.#ports.keys());
  }

  treatment(state: ConnectionState): Treatment {
    const { diagrams } = this.#space;
    const doubts = new Set<string>();
    const parts: Node[] = [];
    for (const direction of ['ingress', 'egress'] as const) {
      const own = direction === 'ingress' ? 'destination' : 'source';
      for (const { addresses, groups } of this.#classes()) {
        const its = this.#groups(groups);
        const isKept = its.every(({ stateful }) => stateful);
        if (state === 'established' && !isKept) doubts.add('a security group that keeps no state');
        const allowed =
          state === 'established' && isKept
            ? TRUE
            : this.#space.any(
                its
                  .flatMap(({ rules }) => rules)
                  .filter((rule) => rule.direction === direction && rule.family === 'ip')
                  .map((rule) => this.#rule(rule)),
              );
        parts.push(this.#space.where(this.#space.oneOf(own, addresses), allowed));
      }
    }
    if (this.#neutron.firewallGroups.length > 0) doubts.add('firewall groups (FWaaS), which are not looked at');
    const passes = this.#space.all(parts);
    return { passes, stopped: diagrams.not(passes), doubts: [...doubts] };
  }

  /** Of each port that the connection passes, the rule that lets it pass, or the port. */
  rulesFor(one: Connection): readonly SourceRef[] {
    return (['egress', 'ingress'] as const).flatMap((direction) => {
      const port = this.#ports.get(direction === 'ingress' ? one.destination : one.source);
      if (port === undefined || !port.portSecurity) return [];
      const rule = this.#groups(port.securityGroups)
        .flatMap(({ rules }) => rules)
        .find((each) => this.#isFor(each, direction) && this.#space.has(this.#rule(each), one));
      return [rule?.source ?? port.source];
    });
  }

  #isFor({ direction, family }: SecurityRule, towards: Direction): boolean {
    return direction === towards && family === 'ip';
  }

  /** Ports with the same groups. */
  #classes(): readonly { readonly addresses: readonly bigint[]; readonly groups: readonly string[] }[] {
    const classes = new Map<string, { readonly addresses: bigint[]; readonly groups: readonly string[] }>();
    for (const [address, { portSecurity, securityGroups }] of this.#ports) {
      if (!portSecurity) continue;
      const key = securityGroups.toSorted().join(' ');
      const known = classes.get(key) ?? { addresses: [], groups: securityGroups };
      classes.set(key, known);
      known.addresses.push(address);
    }
    return [...classes.values()];
  }

  #groups(ids: readonly string[]) {
    return this.#neutron.securityGroups.filter(({ id }) => ids.includes(id));
  }

  #rule(rule: SecurityRule): Node {
    const space = this.#space;
    const other = rule.direction === 'ingress' ? 'source' : 'destination';
    const parts: Node[] = [];
    if (rule.protocol !== undefined) parts.push(space.equals('protocol', BigInt(rule.protocol)));
    if (rule.ports !== undefined) parts.push(space.between('port', ...rule.ports));
    if (rule.remote !== undefined) parts.push(this.#prefixes(other, [rule.remote]));
    if (rule.remoteAddressGroup !== undefined) {
      const groups = this.#neutron.addressGroups.filter(({ id }) => id === rule.remoteAddressGroup);
      parts.push(
        this.#prefixes(
          other,
          groups.flatMap(({ addresses }) => addresses),
        ),
      );
    }
    if (rule.remoteGroup !== undefined) {
      const members = this.#neutron.ports.filter(({ securityGroups }) => securityGroups.includes(rule.remoteGroup!));
      const own = members.flatMap(({ addresses }) =>
        addresses.map(({ family, address }): Prefix => ({ family, address, length: family === 'ip' ? 32 : 128 })),
      );
      const pairs = members.flatMap(({ allowed }) => allowed.map(({ prefix }) => prefix));
      parts.push(this.#prefixes(other, [...own, ...pairs]));
    }
    return space.all(parts);
  }

  #prefixes(end: 'source' | 'destination', prefixes: readonly Prefix[]): Node {
    return this.#space.any(
      prefixes
        .filter(({ family }) => family === 'ip')
        .map(({ address, length }) => this.#space.matches(end, { kind: 'prefix', value: address, length })),
    );
  }
}
