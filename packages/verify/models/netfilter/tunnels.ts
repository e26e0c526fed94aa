import { compare, constant, type Condition, fresh, meta, read } from '../../ir/expression.ts';
import { etherTypes, field, protocols } from '../../ir/fields.ts';
import { assign, block, branch, drop, forward, type Instruction, nothing } from '../../ir/instruction.ts';
import type { Encapsulation } from '../../readers/linux/encapsulation.ts';
import { frame, unframed } from '../frame.ts';
import { families, type IpFamily, type NetfilterInterface, NO_INTERFACE, THIS_HOST } from './box.ts';
import { untracked } from './conntrack.ts';
import type { Surroundings } from './cubes.ts';
import type { Rules } from './hooks.ts';
import { usesIpsec } from './ipsec.ts';
import type { Routes } from './policies.ts';
import { type Hop, hopOf, soughtAddress } from './route-tables.ts';
import { oneHopLess } from './routing.ts';
import { advance, decapsulate, encapsulate, hasSrh, listsTooFew, segmentsLeft, tunnelSource } from './segments.ts';
import { fits } from './wires.ts';

/** What a box does with packets of one version of IP. */
export interface Side {
  readonly around: Surroundings;
  readonly rules: Rules;
  readonly routes: Routes;
}

/** Where a packet is that went into a tunnel, or came out of it, and has found its next route. */
export const routed = (name: string, family: IpFamily): string => `${name}:tunnel:${family}`;

/** Where a packet is that has a routing header and an address of the box as its destination. */
export const ownSegment = (name: string): string => `${name}:tunnel:own`;
/** Where what was in a tunnel comes in, with the mark of the tunnel's packet. */
export const received = (name: string): string => `${name}:tunnel:received`;
/** Where the outer packet of a local one is, behind OUTPUT. */
export const outerSent = (name: string): string => `${name}:tunnel:outer`;

type Seg6 = Extract<Encapsulation, { kind: 'seg6' }>;
type Seg6Local = Extract<Encapsulation, { kind: 'seg6local' }>;

/**
 * Routes with a lightweight tunnel, as Linux executes them (net/ipv6/seg6_iptunnel.c, seg6_local.c): they take packets off
 * before FORWARD, and off the way of local packets behind OUTPUT. With `nf_hooks_lwtunnel`, what goes in passes POSTROUTING,
 * the outer packet OUTPUT, a segment's packet INPUT, and what comes out of End.DX4 and End.DX6 PREROUTING.
 */
export class Tunnels {
  readonly #name: string;
  readonly #sides: Readonly<Record<IpFamily, Side>>;
  readonly #hooks: boolean;

  constructor(name: string, sides: Readonly<Record<IpFamily, Side>>) {
    this.#name = name;
    this.#sides = sides;
    this.#hooks = sides.ip.around.box.tunnelHooks === true;
  }

  get any(): boolean {
    const { interfaces } = this.#sides.ip.around.box;
    return (
      families.some((family) =>
        this.#sides[family].routes.hops.some(({ encapsulation }) => encapsulation !== undefined),
      ) ||
      interfaces.some(({ vxlan }) => vxlan !== undefined) ||
      usesIpsec(this.#sides.ip.around.box) ||
      this.#sides.ip.around.box.segments !== undefined
    );
  }

  /** Metadata that tunnels need to have noted on entry. */
  get looksAt(): readonly string[] {
    const framed = families.some((family) =>
      this.#sides[family].routes.hops.some(
        ({ encapsulation }) => encapsulation?.kind === 'seg6' && encapsulation.mode === 'l2encap',
      ),
    );
    return framed ? ['ether.saddr', 'ether.daddr'] : [];
  }

  /** For a packet that is not for the box itself. */
  incoming(family: IpFamily, otherwise: Instruction): Instruction {
    return this.#byHop(family, otherwise, (encapsulation) =>
      encapsulation.kind === 'seg6'
        ? this.#enter(encapsulation, family, 'incoming')
        : block(this.#hooks ? this.#sides.ip6.rules.hook('input') : nothing, this.#visit(encapsulation)),
    );
  }

  /** For a packet of the box. Segments are visited by what comes in alone. */
  outgoing(family: IpFamily, otherwise: Instruction): Instruction {
    return this.#byHop(family, otherwise, (encapsulation) =>
      encapsulation.kind === 'seg6' ? this.#enter(encapsulation, family, 'outgoing') : undefined,
    );
  }

  /** A routing header of a packet for an address of the box (ipv6_srh_rcv), which is no segment of a route. */
  own(otherwise: Instruction): Instruction {
    const { box, interfaces } = this.#sides.ip6.around;
    const { segments, withoutSegments = [] } = box;
    if (segments === undefined) {
      const doubt: Instruction = {
        op: 'doubt',
        what: `what ${this.#name} makes of a segment routing header for itself`,
      };
      return block(branch(hasSrh, doubt, nothing), otherwise);
    }
    const refused = drop('segment routing headers are not heeded');
    const off = withoutSegments.map((device) => interfaces.number(device)).filter((one) => one !== NO_INTERFACE);
    const heeded = off.reduce<Instruction>(
      (rest, one) => branch(compare(read(meta('iif', this.#name)), '==', constant(one, 16)), refused, rest),
      forward(ownSegment(this.#name)),
    );
    return branch(hasSrh, segments ? heeded : refused, otherwise);
  }

  /** At `ownSegment`. */
  get visitOwn(): Instruction {
    const inner = (protocol: number) =>
      branch(
        compare(read(field('SRH.nextHeader')), '==', constant(protocol, 8)),
        decapsulate(protocol, forward(received(this.#name))),
        forward(`${this.#name}:local:out`),
      );
    const last = branch(
      compare(read(field('SRH.nextHeader')), '==', constant(protocols.ipv6, 8)),
      inner(protocols.ipv6),
      inner(protocols.ipip),
    );
    const { around } = this.#sides.ip6;
    const again = block(oneHopLess(around), forward(ownSegment(this.#name)));
    return branch(
      compare(segmentsLeft, '==', constant(0, 8)),
      last,
      branch(
        listsTooFew,
        drop('the header lists fewer segments than are left'),
        block(
          advance,
          this.#seek('ip6', read(field('IPv6.dst'))),
          this.#route('ip6'),
          branch(compare(read(meta('oif', this.#name)), '==', constant(THIS_HOST, 16)), again, this.#goOn('ip6')),
        ),
      ),
    );
  }

  #byHop(
    family: IpFamily,
    otherwise: Instruction,
    of: (encapsulation: Encapsulation, hop: Hop) => Instruction | undefined,
  ): Instruction {
    const { hops } = this.#sides[family].routes;
    const behaviours: Instruction[] = [];
    const values: number[] = [];
    for (const [i, hop] of hops.entries()) {
      const made = hop.encapsulation === undefined ? undefined : of(hop.encapsulation, hop);
      if (made === undefined) continue;
      behaviours.push(made);
      values.push(i);
    }
    if (values.length === 0) return otherwise;
    return {
      op: 'table',
      table: {
        name: `${this.#name} tunnels`,
        keys: [{ of: read(hopOf(this.#name)), width: 16, absent: 'fail' }],
        entries: {
          kind: 'exact',
          values: Float64Array.from(values),
          behaviour: Uint32Array.from(values.keys()),
        },
        behaviours,
        miss: otherwise,
      },
    };
  }

  #enter(encapsulation: Seg6, family: IpFamily, way: 'incoming' | 'outgoing'): Instruction {
    const isFramed = encapsulation.mode === 'l2encap';
    const into = block(
      this.#hooks ? this.#withoutInput(this.#sides[family].rules.hook('postrouting')) : nothing,
      isFramed ? this.#frameAgain(family) : nothing,
      encapsulate(encapsulation, family, tunnelSource(this.#addresses())),
      this.#seek('ip6', read(field('IPv6.dst'))),
      this.#route('ip6'),
    );
    if (way === 'incoming') {
      // Linux has no next header at hand for the outer packet (`IP6CB(skb)->nhoff`) of one of IPv4, and finds no protocol.
      const kept = family === 'ip' ? this.#notHere('the first segment is the box itself') : nothing;
      return block(into, kept, this.#withoutInput(this.#tracked('ip6', 'output')), forward(routed(this.#name, 'ip6')));
    }
    return block(into, this.#tracked('ip6', 'output'), forward(outerSent(this.#name)));
  }

  /** A hook that a tunnel brings the packet to: there it is of another connection than before. */
  #tracked(family: IpFamily, at: 'output' | 'prerouting'): Instruction {
    const { rules } = this.#sides[family];
    const hook = this.#hooks ? rules.hook(at) : nothing;
    return hook === nothing ? nothing : block(untracked(rules.tracking), hook);
  }

  /** RFC 8986, section 4: what the owner of a segment does. */
  #visit({ action, argument }: Seg6Local): Instruction {
    const next = (route: Instruction) =>
      block(route, this.#notHere('the next segment is the box itself'), this.#goOn('ip6'));
    const toDestination = this.#seek('ip6', read(field('IPv6.dst')));
    switch (action) {
      case 'End':
        return block(advance, toDestination, next(this.#route('ip6')));
      case 'End.X':
        return block(advance, this.#seek('ip6', constant(argument.via!, 128)), next(this.#route('ip6')));
      case 'End.T':
        return block(advance, toDestination, next(this.#sides.ip6.routes.inTable(argument.table!)));
      case 'End.DX4':
        return this.#unwrap('ip', block(this.#seek('ip', constant(argument.via!, 32)), this.#route('ip')));
      case 'End.DX6':
        return this.#unwrap(
          'ip6',
          block(
            this.#seek('ip6', constant(argument.via!, 128)),
            this.#route('ip6'),
            this.#notHere('it is for the box itself'),
          ),
        );
      case 'End.DT4':
        return this.#toTable('ip', argument.table!);
      case 'End.DT6':
        return this.#toTable('ip6', argument.table!);
      case 'End.DT46':
        return branch(
          compare(read(field('SRH.nextHeader')), '==', constant(protocols.ipip, 8)),
          this.#toTable('ip', argument.table!),
          this.#toTable('ip6', argument.table!),
        );
      case 'End.DX2':
        return decapsulate(protocols.ethernet, this.#outBy(argument.device!));
      case 'End.B6.Encaps':
        return block(
          advance,
          encapsulate(
            { kind: 'seg6', mode: 'encap', segments: argument.segments! },
            'ip6',
            tunnelSource(this.#addresses()),
          ),
          toDestination,
          next(this.#route('ip6')),
        );
      case 'End.B6':
        return block(
          encapsulate({ kind: 'seg6', mode: 'inline', segments: argument.segments! }, 'ip6', tunnelSource([])),
          toDestination,
          next(this.#route('ip6')),
        );
    }
  }

  /** The packet inside, from its PREROUTING on. */
  #unwrap(family: IpFamily, route: Instruction): Instruction {
    return decapsulate(
      family === 'ip' ? protocols.ipip : protocols.ipv6,
      block(this.#tracked(family, 'prerouting'), route, this.#goOn(family)),
    );
  }

  #toTable(family: IpFamily, table: string): Instruction {
    const { routes } = this.#sides[family];
    const to = read(field(family === 'ip' ? 'IPv4.dst' : 'IPv6.dst'));
    return decapsulate(
      family === 'ip' ? protocols.ipip : protocols.ipv6,
      block(this.#seek(family, to), routes.inTable(table), this.#goOn(family)),
    );
  }

  #outBy(device: string): Instruction {
    const known: NetfilterInterface | undefined = this.#sides.ip.around.box.interfaces.find(
      ({ name }) => name === device,
    );
    if (known === undefined) return drop(`there is no interface ${device}`);
    const isIp6 = compare(read(field('IPv6.version')), '==', constant(6, 4));
    const size = branch(isIp6, fits({ family: 'ip6' }, known), fits({ family: 'ip' }, known));
    return block(size, forward(`${this.#name}:${device}:out`));
  }

  /** Frames go into a tunnel of layer 2 as they came. */
  #frameAgain(family: IpFamily): Instruction {
    const noted = (key: string) => meta(key, this.#name);
    const type = family === 'ip' ? etherTypes.ipv4 : etherTypes.ipv6;
    const isNoted: Condition = { kind: 'exists', at: noted('ether.saddr') };
    return block(
      unframed(),
      branch(
        isNoted,
        frame(read(noted('ether.daddr')), read(noted('ether.saddr')), type),
        frame(fresh('Ether.dst', 48), fresh('Ether.src', 48), type),
      ),
    );
  }

  /** Hooks of a tunnel see no input interface. */
  #withoutInput(hook: Instruction): Instruction {
    const [iif, kept] = [meta('iif', this.#name), meta('iif.kept', this.#name)];
    if (hook === nothing) return nothing;
    return block(assign(kept, read(iif)), assign(iif, constant(NO_INTERFACE, 16)), hook, assign(iif, read(kept)));
  }

  #seek(family: IpFamily, address: Parameters<typeof assign>[1]): Instruction {
    return assign(soughtAddress(this.#sides[family].around, this.#name), address);
  }

  #route(family: IpFamily): Instruction {
    return { op: 'call', routine: `${this.#name}/route/${family}` };
  }

  #goOn(family: IpFamily): Instruction {
    return forward(routed(this.#name, family));
  }

  /** Routes to the loopback device are no next hops (seg6_lookup_any_nexthop). */
  #notHere(why: string): Instruction {
    return branch(compare(read(meta('oif', this.#name)), '==', constant(THIS_HOST, 16)), drop(why), nothing);
  }

  /** Addresses that outer headers may have as their source: global ones of IPv6. */
  #addresses(): readonly bigint[] {
    const all = this.#sides.ip6.around.box.interfaces.flatMap(({ addresses }) => addresses);
    const LINK_LOCAL = 0xfe80n >> 6n;
    const isGlobal = (address: bigint) => address >> 118n !== LINK_LOCAL && address !== 1n;
    return [
      ...new Set(
        all.filter(({ family, address }) => family === 'ip6' && isGlobal(address)).map(({ address }) => address),
      ),
    ];
  }
}
