import { constant, read } from '../../../ir/expression.ts';
import { field } from '../../../ir/fields.ts';
import { assign, block, forward, type Instruction } from '../../../ir/instruction.ts';
import { layout } from '../../../ir/layouts.ts';
import { interpret, type ConcretePath } from '../../../engine/interpret.ts';
import type { Network, PortId } from '../../../network.ts';
import type { IpSet, Ruleset } from '../../../readers/netfilter/ruleset.ts';
import type { NetfilterBox } from '../box.ts';
import { netfilterModel } from '../model.ts';
import { outsideMac, PORTS, routerMac } from './lab.ts';
import { protocolNumber, type Probe } from './packets.ts';

const ipv4 = (text: string) => text.split('.').reduce((all, part) => all * 256n + BigInt(part), 0n);
const mac = (text: string) => BigInt(`0x${text.replaceAll(':', '')}`);

/** The router of the lab. */
export function labBox(rulesets: readonly Ruleset[], ipsets: ReadonlyMap<string, IpSet> = new Map()): NetfilterBox {
  const route = (address: string, length: number, ...interfaces: string[]) =>
    ({ family: 'ip', address: ipv4(address), length, interfaces }) as const;
  return {
    rulesets,
    ipsets,
    flows: 'first',
    interfaces: PORTS.map((port) => ({
      name: `eth${port}`,
      addresses: [{ family: 'ip', address: ipv4(`10.0.${port}.1`), length: 24 }],
    })),
    routes: [
      route('0.0.0.0', 0, 'eth0'),
      route('10.2.128.0', 17),
      ...PORTS.flatMap((port) => [
        route(`10.0.${port}.0`, 24, `eth${port}`),
        route(`10.${port + 1}.0.0`, 16, `eth${port}`),
      ]),
    ],
  };
}

/** The lab as a network; with `mirrors`, what leaves comes back once as an answer. */
export function labNetwork(box: NetfilterBox): Network {
  const model = netfilterModel('r', box);
  return {
    name: 'lab',
    boxes: new Map([['r', model.box]]),
    programs: model.programs,
    links: new Map(),
    routines: model.routines ?? new Map(),
  };
}

export interface Predicted {
  /** The port it leaves by, -1 for the router itself, undefined when it is dropped. */
  readonly port: number | undefined;
  readonly packet: Pick<Probe, 'src' | 'dst' | 'ttl' | 'tos' | 'sport' | 'dport'>;
  readonly path: ConcretePath;
  /** Lines of rules that it hit. */
  readonly lines: readonly number[];
  /** Ranges out of which values were chosen, by the name of the symbol. */
  readonly chosen: ReadonlyMap<string, readonly (readonly [bigint, bigint])[]>;
}

/** What the model says of one packet. */
export function predict(network: Network, probe: Probe): Predicted[] {
  const known: Readonly<Record<string, bigint>> = {
    'Ether.src': mac(outsideMac(probe.port)),
    'Ether.dst': mac(routerMac(probe.port)),
    'IPv4.dscp': BigInt(probe.tos >> 2),
    'IPv4.ecn': BigInt(probe.tos & 3),
    'IPv4.length': BigInt(20 + { tcp: 20, udp: 8, icmp: 8 }[probe.protocol] + 8),
    'IPv4.ttl': BigInt(probe.ttl),
    'IPv4.src': BigInt(probe.src),
    'IPv4.dst': BigInt(probe.dst),
    'TCP.sport': BigInt(probe.sport),
    'TCP.dport': BigInt(probe.dport),
    'UDP.sport': BigInt(probe.sport),
    'UDP.dport': BigInt(probe.dport),
    'TCP.flags': BigInt(probe.flags),
    'TCP.dataOffset': 5n,
    'ICMP.type': BigInt(probe.type),
  };
  const chosen = new Map<string, readonly (readonly [bigint, bigint])[]>();
  const fresh = (name: string, _width: number, ranges: readonly (readonly [bigint, bigint])[]) => {
    if (Object.hasOwn(known, name)) return known[name]!;
    if (!/^(?:Ether|IPv4|TCP|UDP|ICMP)\./.test(name)) chosen.set(name, ranges);
    return ranges[0]![0];
  };
  const setup = layout(`ether/ipv4/${probe.protocol}`)!.setup;
  return interpret(network, `r:eth${probe.port}:in`, setup, { fresh }).map((path) => ({
    port: portOf(path.outcome === 'delivered' ? path.port : undefined),
    packet: packetAt(path),
    path,
    lines: path.hops.flatMap(({ because }) => because.filter(({ file }) => file === 'rules').map(({ line }) => line)),
    chosen,
  }));
}

function portOf(port: PortId | undefined): number | undefined {
  if (port === undefined) return undefined;
  return port === 'r:local:out' ? -1 : Number(/^r:eth([0-9]):out$/.exec(port)?.[1]);
}

function packetAt(path: ConcretePath): Predicted['packet'] {
  const at = (name: string) => Number(path.read(field(name)) ?? 0n);
  const ports = at('IPv4.proto') !== protocolNumber.icmp;
  return {
    src: at('IPv4.src'),
    dst: at('IPv4.dst'),
    ttl: at('IPv4.ttl'),
    tos: at('IPv4.dscp') * 4 + at('IPv4.ecn'),
    sport: ports ? at('TCP.sport') : 0,
    dport: ports ? at('TCP.dport') : 0,
  };
}

/** Answers to what comes out of a port: addresses and ports change places, and it goes back in by the same port. */
export function mirror(box: string, name: string): Instruction {
  const swap = (a: string, b: string) => {
    const kept = { kind: 'meta', name: `mirror ${a}` } as const;
    return [assign(kept, read(field(a))), assign(field(a), read(field(b))), assign(field(b), read(kept))];
  };
  return block(
    ...swap('IPv4.src', 'IPv4.dst'),
    ...swap('TCP.sport', 'TCP.dport'),
    assign(field('IPv4.ttl'), constant(64n, 8)),
    forward(`${box}:${name}:in`),
  );
}
