import { all, constant, meta, read, type Condition } from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { assign, block, branch, drop, forward, nothing, type Instruction } from '../../ir/instruction.ts';
import type { Rule } from '../../ir/table.ts';
import type { PortId } from '../../network.ts';
import type { IpFamily, NeutronPort, NeutronRouter, Route } from '../../readers/neutron/deployment.ts';
import { exactly, setOf, widthOf } from '../../readers/netfilter/addresses.ts';
import { ctStatus } from '../../readers/netfilter/ruleset.ts';
import { broadcastRanges, multicastRanges } from '../netfilter/addresses-of-box.ts';
import { type NetfilterBox, numberInterfaces } from '../netfilter/box.ts';
import { applyEntry, confirm, ifFirst, track, untracked } from '../netfilter/conntrack.ts';
import type { Surroundings } from '../netfilter/cubes.ts';
import { tableKey } from '../netfilter/keys.ts';
import { dropMartians, linkLocalStays, oneHopLess } from '../netfilter/routing.ts';
import { isGroupAddress } from '../group-addresses.ts';
import { isMetadata } from './agents.ts';
import { firewallOf } from './firewall.ts';
import { sentBy } from './flood.ts';
import { addressField, byFamily, isFrame, isGateway, isServed, nextHop, type Plan, prefixMatch } from './plan.ts';
import { trackingOf } from './security.ts';
import { longestFirst, table } from './table.ts';

/** A router between the subnets of its ports: routes, the firewall groups of its ports, and addresses of the outside. */
export function routerPrograms(router: NeutronRouter, plan: Plan): ReadonlyMap<PortId, Instruction> {
  const programs = new Map<PortId, Instruction>();
  const ports = plan.portsOfRouter.get(router.id) ?? [];
  for (const [i, port] of ports.entries()) {
    const name = `${plan.name(router.id)}:${plan.name(port.id)}`;
    const parts = new Parts(router, ports, plan);
    const receive = byFamily((family) => parts.receive(family, i));
    programs.set(`${name}:in`, router.up ? receive : drop('the router is down', router.source));
    programs.set(`${name}:send`, parts.send(port));
  }
  return programs;
}

const forEverybody = all(isFrame, isGroupAddress(read(field('Ether.dst'))));

class Parts {
  readonly #router: NeutronRouter;
  readonly #ports: readonly NeutronPort[];
  readonly #plan: Plan;
  readonly #name: string;
  readonly #gateway: NeutronPort | undefined;

  constructor(router: NeutronRouter, ports: readonly NeutronPort[], plan: Plan) {
    this.#router = router;
    this.#ports = ports;
    this.#plan = plan;
    this.#name = plan.name(router.id);
    this.#gateway = ports.find(isGateway);
  }

  /** What happens to a packet that came in by the port of that number. */
  receive(family: IpFamily, from: number): Instruction {
    const tracking = { ...trackingOf(this.#name, family), translates: family === 'ip' && this.#gateway !== undefined };
    const isAsked = family === 'ip' && this.#ports[from] !== this.#gateway;
    const toAgent = forward(`${this.#name}:metadata:out`);
    const firewalls = this.#ports.map((port) => firewallOf(port, this.#plan, family, this.#name));
    const tracks = tracking.translates || isAsked || firewalls.some((each) => each !== undefined);
    const around = this.#surroundings(family);
    const nat = (side: 'destination' | 'source', first: Instruction) =>
      tracking.translates ? ifFirst(tracking, first, applyEntry(side, tracking)) : nothing;
    const leave = (to: number): Instruction =>
      block(
        branch(forEverybody, drop('what a frame brings to everybody is not sent on'), nothing),
        linkLocalStays(around),
        oneHopLess(around),
        firewalls[from]?.egress ?? nothing,
        firewalls[to]?.ingress ?? nothing,
        nat('source', this.#toOutside(from, to)),
        tracks ? confirm(tracking) : nothing,
        forward(`${this.#name}:${this.#plan.name(this.#ports[to]!.id)}:send`),
      );
    const routes = this.#routes(family, leave);
    return block(
      family === 'ip6' ? dropMartians(around, constant(0n, 1), field('IPv6.dst')) : nothing,
      tracks ? block(untracked(tracking), track(tracking)) : nothing,
      nat('destination', this.#toInside()),
      family === 'ip' ? dropMartians(around, constant(0n, 1), field('IPv4.dst')) : nothing,
      isAsked ? ifFirst(tracking, branch(isMetadata, toAgent, routes), routes) : routes,
    );
  }

  /** The frame to the next hop. */
  send(port: NeutronPort): Instruction {
    const { network, mac } = port;
    const framed = branch(isFrame, assign(field('Ether.src'), constant(mac, 48)), nothing);
    if (!port.up) return drop('the port of the router is down', port.source);
    const name = this.#plan.name(network);
    return block(
      framed,
      sentBy(port, this.#plan),
      byFamily((family) => ({ op: 'call', routine: `${name}/neighbours/${family}` })),
      forward(`${name}:in`),
    );
  }

  #routes(family: IpFamily, leave: (to: number) => Instruction): Instruction {
    const destination = read(addressField(family, 'dst'));
    const behaviours: Instruction[] = [forward(`${this.#name}:local:out`), drop('multicast is not routed')];
    const [HERE, NOWHERE] = [0, 1];
    const box = this.#surroundings(family).box;
    const rules: Rule[] = [];
    const broadcast = broadcastRanges(box, family);
    if (broadcast.length > 0) rules.push({ match: [setOf(broadcast)], behaviour: HERE });
    rules.push({ match: [setOf(multicastRanges(family))], behaviour: NOWHERE });
    const routes: Rule[] = [];
    const hop = nextHop(family);
    const via = (to: number, address?: bigint) => {
      const next = address === undefined ? destination : constant(address, widthOf(family));
      return behaviours.push(block(assign(hop, next), leave(to))) - 1;
    };
    for (const [i, port] of this.#ports.entries()) {
      const own = port.addresses.filter((one) => one.family === family);
      const behaviour = own.length === 0 ? NOWHERE : via(i);
      for (const { address, subnet } of own) {
        rules.push({ match: [exactly(address)], behaviour: HERE, source: port.source });
        const cidr = this.#plan.subnets.get(subnet)?.cidr;
        if (cidr !== undefined) routes.push({ match: [prefixMatch(cidr)], behaviour, source: port.source });
      }
    }
    // The gateway has the floating addresses too: what is not translated (no first packet, no answer) stays here.
    for (const { address, source } of family === 'ip' ? this.#served() : []) {
      rules.push({ match: [exactly(address)], behaviour: HERE, source });
    }
    for (const route of this.#staticRoutes(family)) {
      const to = this.#portTowards(route.through, family);
      if (to < 0) continue;
      routes.push({ match: [prefixMatch(route.to)], behaviour: via(to, route.through), source: route.source });
    }
    return table(`${this.#name} routes`, destination, widthOf(family), {
      rules: [...rules, ...longestFirst(routes)],
      behaviours,
      miss: drop('the router has no route there', this.#router.source),
    });
  }

  /** Extra routes, and the default route to the gateway of the external subnet. */
  #staticRoutes(family: IpFamily): readonly Route[] {
    const extra = this.#router.routes.filter(({ to }) => to.family === family);
    const everything = { family, address: 0n, length: 0 };
    const outside = (this.#gateway?.addresses ?? [])
      .filter((one) => one.family === family)
      .flatMap(({ subnet }) => this.#plan.subnets.get(subnet) ?? [])
      .flatMap(({ gateway: through, source }) => (through === undefined ? [] : [{ to: everything, through, source }]));
    return [...extra, ...outside];
  }

  #portTowards(address: bigint, family: IpFamily): number {
    return this.#ports.findIndex(({ addresses }) =>
      addresses.some(({ subnet }) => {
        const cidr = this.#plan.subnets.get(subnet)?.cidr;
        if (cidr?.family !== family) return false;
        const rest = BigInt(widthOf(family) - cidr.length);
        return address >> rest === cidr.address >> rest;
      }),
    );
  }

  #surroundings(family: IpFamily): Surroundings {
    const floating = this.#served().map(({ address }) => ({ family: 'ip', address, length: 32 }) as const);
    const interfaces = this.#ports.map((port) => ({
      name: this.#plan.name(port.id),
      addresses: [
        ...port.addresses.map((one) => ({
          ...one,
          length: this.#plan.subnets.get(one.subnet)?.cidr.length ?? widthOf(one.family),
        })),
        ...(port === this.#gateway ? floating : []),
      ],
    }));
    const box: NetfilterBox = { rulesets: [], interfaces, routes: [] };
    return { family, box, interfaces: numberInterfaces(interfaces), ipsets: new Map() };
  }

  #served() {
    return this.#plan.deployment.floatingIps.filter((one) => one.router === this.#router.id && isServed(one));
  }

  #floating() {
    return this.#plan.deployment.floatingIps.flatMap(({ address, fixed, router, source }) =>
      fixed === undefined || router !== this.#router.id ? [] : [{ address, fixed, source }],
    );
  }

  /** Floating addresses stand for fixed ones, from whatever side they are asked for. */
  #toInside(): Instruction {
    const floating = this.#floating();
    const forwarded = this.#forwarded();
    if (floating.length === 0) return forwarded;
    const at = addressField('ip', 'dst');
    return table(`${this.#name} floating addresses`, read(at), 32, {
      rules: floating.map(({ address, source }, i) => ({ match: [exactly(address)], behaviour: i, source })),
      behaviours: floating.map(({ fixed }) => block(this.#mark(ctStatus.dnat), assign(at, constant(fixed, 32)))),
      miss: forwarded,
    });
  }

  /** Ports of a floating address that stand for ports of servers. */
  #forwarded(): Instruction {
    const all = this.#served().flatMap(({ address, forwardings }) => forwardings.map((one) => ({ address, ...one })));
    if (all.length === 0) return nothing;
    const port = field('TCP.dport');
    const moved = (by: bigint): Instruction =>
      by === 0n
        ? nothing
        : assign(port, {
            kind: 'binary',
            op: 'add',
            left: read(port),
            right: constant(BigInt.asUintN(16, by), 16),
          });
    const keys = (['l4proto', 'ip.daddr', 'dport'] as const).map((key) => tableKey(key, 'ip', this.#name));
    return {
      op: 'table',
      table: {
        name: `${this.#name} port forwardings`,
        keys,
        entries: {
          kind: 'rules',
          rules: all.map(({ address, protocol, outside: [low, high], source }, behaviour) => ({
            match: [exactly(BigInt(protocol)), exactly(address), { kind: 'range', low, high }],
            behaviour,
            source,
          })),
        },
        behaviours: all.map(({ to, outside, inside }) =>
          block(
            this.#mark(ctStatus.dnat),
            assign(addressField('ip', 'dst'), constant(to, 32)),
            moved(inside[0] - outside[0]),
          ),
        ),
        miss: nothing,
      },
    };
  }

  /**
   * What leaves by the gateway gets the floating address of its sender, or that of the gateway. So does what was sent from
   * the inside to a floating address, so that answers come back this way.
   */
  #toOutside(from: number, to: number): Instruction {
    const gateway = this.#gateway;
    const [enters, leaves] = [this.#ports[from] === gateway, this.#ports[to] === gateway];
    const at = addressField('ip', 'src');
    const put = (address: bigint) => block(this.#mark(ctStatus.snat), assign(at, constant(address, 32)));
    const own = gateway?.addresses.find(({ family }) => family === 'ip')?.address;
    const isMasked = this.#router.gateway?.snat !== false && own !== undefined;
    const floating = this.#floating();
    const translated = table(`${this.#name} addresses outside`, read(at), 32, {
      rules: floating.map(({ fixed, source }, i) => ({ match: [exactly(fixed)], behaviour: i, source })),
      behaviours: floating.map(({ address }) => put(address)),
      miss: isMasked && (leaves || !enters) ? put(own) : nothing,
    });
    return leaves ? translated : enters ? nothing : branch(this.#isTranslated(), translated, nothing);
  }

  #isTranslated(): Condition {
    return { kind: 'masked', of: read(this.#status()), value: ctStatus.dnat, mask: ctStatus.dnat };
  }

  #status() {
    return meta('ct.status', this.#name);
  }

  #mark(bit: bigint): Instruction {
    const status = this.#status();
    return assign(status, { kind: 'binary', op: 'or', left: read(status), right: constant(bit, 16) });
  }
}
