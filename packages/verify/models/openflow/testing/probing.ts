import { expect } from 'vitest';
import { explore, type Start } from '../../../engine/explore.ts';
import { type ConcretePath, interpret } from '../../../engine/interpret.ts';
import { compare, constant, read, type Condition } from '../../../ir/expression.ts';
import { field } from '../../../ir/fields.ts';
import { assign, block, forward, type Instruction } from '../../../ir/instruction.ts';
import { layout } from '../../../ir/layouts.ts';
import type { Network } from '../../../network.ts';
import { ipv4, mac } from '../../../readers/netfilter/addresses.ts';
import { readFlows } from '../../../readers/openflow/flows.ts';
import { readGroups } from '../../../readers/openflow/groups.ts';
import { readPorts } from '../../../readers/openflow/ports.ts';
import type { SwitchPort } from '../../../readers/openflow/vswitch.ts';
import { tagFrom } from '../frame.ts';
import { openflowModel } from '../model.ts';
import type { OvsLab } from './ovs.ts';
import type { Probe } from './random.ts';
import { cookiesOf, type Frame, frameAt, type Sent, sentBy, told } from './trace.ts';

const tci = { kind: 'meta', name: 'test.tci' } as const;

/** The bridge as OVS lists it, and a host that puts the VLAN tag on the frames that it sends. */
export function bridge(flows: string, ports: string, configured: readonly SwitchPort[] = [], groups = ''): Network {
  const read_ = readFlows({ path: 'flows', text: flows });
  expect(read_.reading.remarks.filter(({ fate }) => fate === 'not understood')).toEqual([]);
  const known = readPorts({ path: 'ports', text: ports }).value;
  const listed = readGroups({ path: 'groups', text: groups });
  expect(listed.reading.lines['not understood']).toBe(0);
  const model = openflowModel('br0', { flows: read_.value, ports: known, configured, groups: listed.value });
  const hosts = [1, 2, 3, 4].map((n): [string, Instruction] => [`host:${n}`, block(tagFrom(tci), forward(`br0:${n}`))]);
  return {
    name: 'ovs',
    boxes: new Map([['br0', model.box]]),
    programs: new Map([...model.programs, ...hosts]),
    links: new Map(),
    routines: model.routines ?? new Map(),
    unknown: model.unknown ?? new Map(),
  };
}

export const setupOf = (one: Probe): Instruction =>
  block(layout(`ether/ipv4/${one.protocol}`)!.setup, assign(tci, constant(one.tci, 16)));

export const valuesOf = (one: Probe): Readonly<Record<string, bigint>> => ({
  'Ether.src': mac(one.src)!,
  'Ether.dst': mac(one.dst)!,
  'IPv4.src': ipv4(one.ipSrc)!,
  'IPv4.dst': ipv4(one.ipDst)!,
  'IPv4.dscp': BigInt(one.tos >> 2),
  'IPv4.ecn': BigInt(one.tos & 3),
  'IPv4.ttl': BigInt(one.ttl),
  'IPv4.flags': one.frag === 'first' ? 1n : 0n,
  'IPv4.fragment': one.frag === 'later' ? 100n : 0n,
  [`${one.protocol.toUpperCase()}.sport`]: BigInt(one.sport),
  [`${one.protocol.toUpperCase()}.dport`]: BigInt(one.dport),
});

/** In the words of ovs-fields(7). Fragments but the first have no ports there. */
export function flowOf(one: Probe): string {
  const ports = one.frag === 'later' ? '' : `,${one.protocol}_src=${one.sport},${one.protocol}_dst=${one.dport}`;
  const head = `in_port=${one.port},vlan_tci=${one.tci},dl_src=${one.src},dl_dst=${one.dst},${one.protocol}`;
  const ip = `nw_src=${one.ipSrc},nw_dst=${one.ipDst},nw_tos=${one.tos & 0xfc},nw_ecn=${one.tos & 3},nw_ttl=${one.ttl}`;
  return `${head},${ip},nw_frag=${one.frag}${ports}`;
}

export function frameOf(one: Probe): Frame {
  return {
    tci: one.tci,
    inner: 0,
    labels: [],
    src: mac(one.src)!,
    dst: mac(one.dst)!,
    ipSrc: ipv4(one.ipSrc)!,
    ipDst: ipv4(one.ipDst)!,
    tos: one.tos,
    ttl: one.ttl,
    sport: one.sport,
    dport: one.dport,
  };
}

export const portNumber = (port: string) => ({ p1: 1, p2: 2, p3: 3, g4: 4, br0: 65_534 })[port.split(':')[1]!]!;
/** Ports of dummies have the number in their name, those of bridges 100 and more. */
export const ofDummy = (datapath: number) => (datapath === 100 ? 65_534 : datapath);
export function interpreted(network: Network, one: Probe): readonly ConcretePath[] {
  const known = valuesOf(one);
  const fresh = (name: string, _width: number, ranges: readonly (readonly [bigint, bigint])[]) =>
    known[name] ?? ranges[0]![0];
  return interpret(network, `host:${one.port}`, setupOf(one), { fresh });
}

export function startOf(one: Probe): Start {
  const assume: Condition = {
    kind: 'all',
    of: Object.entries(valuesOf(one)).map(([name, value]) =>
      compare(read(field(name)), '==', constant(value, field(name).width)),
    ),
  };
  const layouts = [layout(`ether/ipv4/${one.protocol}`)!];
  const setup = assign(tci, constant(one.tci, 16));
  return { port: `host:${one.port}`, layouts, assume, setup };
}

export function explored(network: Network, one: Probe): readonly Sent[] {
  const { paths, bound } = explore(network, startOf(one));
  expect(bound).toBeUndefined();
  return paths
    .filter(({ outcome }) => outcome === 'delivered')
    .map((path) => ({
      port: portNumber(path.port),
      frame: frameAt((at) => {
        const ranges = path.ranges(at);
        if (ranges === undefined) return undefined;
        expect(ranges.length === 1 && ranges[0]![0] === ranges[0]![1]).toBe(true);
        return ranges[0]![0];
      }),
    }));
}

export function exploredPorts(network: Network, one: Probe): readonly number[] {
  const { paths } = explore(network, startOf(one));
  return paths.filter(({ outcome }) => outcome === 'delivered').map(({ port }) => portNumber(port));
}

/** Both interpreters of the model send what Open vSwitch sends, by the same flows where their cookies are known. */
export async function agree(
  lab: OvsLab,
  network: Network,
  one: Probe,
  cookies: ReadonlyMap<number, number> | undefined,
): Promise<'the same' | 'in doubt'> {
  const trace = await lab.trace(flowOf(one));
  const expected = told(sentBy(trace, frameOf(one), ofDummy));
  const paths = interpreted(network, one);
  // What the model says it does not know (a third VLAN tag) it need not get right.
  if (paths.some(({ doubts }) => doubts.length > 0)) return 'in doubt';
  const out = paths.filter(({ outcome }) => outcome === 'delivered');
  expect(told(out.map((path) => ({ port: portNumber(path.port), frame: frameAt(path.read) }))), trace).toEqual(
    expected,
  );
  expect(told(explored(network, one)), trace).toEqual(expected);
  if (cookies === undefined) return 'the same';
  const lines = paths
    .flatMap(({ hops }) => hops.flatMap(({ because }) => because))
    .filter(({ file }) => file === 'flows');
  expect(new Set(lines.map(({ line }) => cookies.get(line))), trace).toEqual(cookiesOf(trace));
  return 'the same';
}

/** Line of the listing to cookie. */
export const cookiesIn = (listing: string) =>
  new Map(
    listing.split('\n').flatMap((text, i) => {
      const cookie = /cookie=0x([0-9a-f]+)/.exec(text)?.[1];
      return cookie === undefined ? [] : [[i + 1, Number.parseInt(cookie, 16)] as const];
    }),
  );
