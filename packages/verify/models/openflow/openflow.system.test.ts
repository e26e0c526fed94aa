import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explore, type Start } from '../../engine/explore.ts';
import { interpret } from '../../engine/interpret.ts';
import { combined } from '../../equivalence/possibilities.ts';
import { compare, constant, read, type Condition } from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { assign, block, forward, type Instruction } from '../../ir/instruction.ts';
import { layout } from '../../ir/layouts.ts';
import type { Network } from '../../network.ts';
import { ipv4, mac } from '../../readers/netfilter/addresses.ts';
import { readFlows } from '../../readers/openflow/flows.ts';
import { readGroups } from '../../readers/openflow/groups.ts';
import { readPorts } from '../../readers/openflow/ports.ts';
import type { SwitchPort } from '../../readers/openflow/vswitch.ts';
import { tagFrom } from './frame.ts';
import { openflowModel } from './model.ts';
import { missing, OvsLab } from './testing/ovs.ts';
import { flowTables, PORTS, probe, type Probe } from './testing/random.ts';
import { cookiesOf, type Frame, frameAt, sentBy, type Sent, told } from './testing/trace.ts';

const reason = missing();
const RUNS = { numRuns: 18, interruptAfterTimeLimit: 15_000, endOnFailure: true };

const tci = { kind: 'meta', name: 'test.tci' } as const;

/** The bridge as OVS lists it, and a host that puts the VLAN tag on the frames that it sends. */
function bridge(flows: string, ports: string, configured: readonly SwitchPort[] = [], groups = ''): Network {
  const read_ = readFlows({ path: 'flows', text: flows });
  expect(read_.reading.remarks.filter(({ fate }) => fate === 'not understood')).toEqual([]);
  const known = readPorts({ path: 'ports', text: ports }).value;
  const listed = readGroups({ path: 'groups', text: groups });
  expect(listed.reading.lines['not understood']).toBe(0);
  const model = openflowModel('br0', { flows: read_.value, ports: known, configured, groups: listed.value });
  const hosts = [1, 2, 3].map((n): [string, Instruction] => [`host:${n}`, block(tagFrom(tci), forward(`br0:${n}`))]);
  return {
    name: 'ovs',
    boxes: new Map([['br0', model.box]]),
    programs: new Map([...model.programs, ...hosts]),
    links: new Map(),
    routines: model.routines ?? new Map(),
    unknown: model.unknown ?? new Map(),
  };
}

const setupOf = (one: Probe): Instruction =>
  block(layout(`ether/ipv4/${one.protocol}`)!.setup, assign(tci, constant(one.tci, 16)));

const valuesOf = (one: Probe): Readonly<Record<string, bigint>> => ({
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
function flowOf(one: Probe): string {
  const ports = one.frag === 'later' ? '' : `,${one.protocol}_src=${one.sport},${one.protocol}_dst=${one.dport}`;
  const head = `in_port=${one.port},vlan_tci=${one.tci},dl_src=${one.src},dl_dst=${one.dst},${one.protocol}`;
  const ip = `nw_src=${one.ipSrc},nw_dst=${one.ipDst},nw_tos=${one.tos & 0xfc},nw_ecn=${one.tos & 3},nw_ttl=${one.ttl}`;
  return `${head},${ip},nw_frag=${one.frag}${ports}`;
}

function frameOf(one: Probe): Frame {
  return {
    tci: one.tci,
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

const portNumber = (port: string) => ({ p1: 1, p2: 2, p3: 3, br0: 65_534 })[port.split(':')[1]!]!;
/** Ports of dummies have the number in their name, those of bridges 100 and more. */
const ofDummy = (datapath: number) => (datapath === 100 ? 65_534 : datapath);
function interpreted(network: Network, one: Probe) {
  const known = valuesOf(one);
  const fresh = (name: string, _width: number, ranges: readonly (readonly [bigint, bigint])[]) =>
    known[name] ?? ranges[0]![0];
  return interpret(network, `host:${one.port}`, setupOf(one), { fresh });
}

function startOf(one: Probe): Start {
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

function explored(network: Network, one: Probe): readonly Sent[] {
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

function exploredPorts(network: Network, one: Probe): readonly number[] {
  const { paths } = explore(network, startOf(one));
  return paths.filter(({ outcome }) => outcome === 'delivered').map(({ port }) => portNumber(port));
}

describe.skipIf(reason !== undefined)(
  `the model against Open vSwitch${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    const lab = new OvsLab();
    let ports = '';
    beforeAll(async () => {
      await lab.start([{ name: 'br0', ports: PORTS.map((name, i) => ({ name, number: i + 1 })) }]);
      ports = lab.ports();
    }, 30_000);
    afterAll(() => lab[Symbol.asyncDispose]());

    async function agree(
      network: Network,
      one: Probe,
      cookies: ReadonlyMap<number, number> | undefined,
    ): Promise<void> {
      const trace = await lab.trace(flowOf(one));
      const expected = told(sentBy(trace, frameOf(one), ofDummy));
      const paths = interpreted(network, one);
      // What the model says it does not know (a second VLAN tag) it need not get right.
      if (paths.some(({ doubts }) => doubts.length > 0)) return;
      const out = paths.filter(({ outcome }) => outcome === 'delivered');
      expect(told(out.map((path) => ({ port: portNumber(path.port), frame: frameAt(path.read) }))), trace).toEqual(
        expected,
      );
      expect(told(explored(network, one)), trace).toEqual(expected);
      if (cookies === undefined) return;
      const lines = paths
        .flatMap(({ hops }) => hops.flatMap(({ because }) => because))
        .filter(({ file }) => file === 'flows');
      expect(new Set(lines.map(({ line }) => cookies.get(line))), trace).toEqual(cookiesOf(trace));
    }

    /** Line of the listing to cookie. */
    const cookiesIn = (listing: string) =>
      new Map(
        listing.split('\n').flatMap((text, i) => {
          const cookie = /cookie=0x([0-9a-f]+)/.exec(text)?.[1];
          return cookie === undefined ? [] : [[i + 1, Number.parseInt(cookie, 16)] as const];
        }),
      );

    it('sends the same packets out of the same ports by the same flows', { timeout: 30_000 }, async () => {
      let compared = 0;
      await fc.assert(
        fc.asyncProperty(flowTables, fc.array(probe, { minLength: 12, maxLength: 12 }), async (flows, packets) => {
          lab.load(flows);
          const listing = lab.dump();
          const network = bridge(listing, ports);
          for (const one of packets) await agree(network, one, cookiesIn(listing));
          compared += packets.length;
        }),
        RUNS,
      );
      expect(compared).toBeGreaterThan(0);
    });

    it('meets a conjunction when all its clauses are met', { timeout: 30_000 }, async () => {
      lab.load([
        'priority=20,ip,nw_src=10.0.0.0/24,actions=conjunction(1,1/2)',
        'priority=20,ip,nw_src=192.0.2.1,actions=conjunction(1,1/2),conjunction(2,1/2)',
        'priority=20,tcp,tp_dst=80,actions=conjunction(1,2/2)',
        'priority=20,udp,tp_dst=80/0xfff0,actions=conjunction(1,2/2)',
        'priority=20,dl_vlan=5,actions=conjunction(2,2/2)',
        'priority=30,ip,nw_ecn=1,actions=drop',
        'priority=10,conj_id=1,ip,actions=2,resubmit(,1)',
        'priority=10,conj_id=2,actions=1,3',
        'priority=5,ip,nw_dst=10.0.1.1,actions=LOCAL',
        'table=1,udp,actions=LOCAL',
      ]);
      const network = bridge(lab.dump(), ports);
      for (const one of fc.sample(probe, { numRuns: 150, seed: 1 })) await agree(network, one, undefined);
    });

    it('sends by NORMAL where OVS sends, and perhaps elsewhere', { timeout: 30_000 }, async () => {
      lab.load(['priority=1,actions=NORMAL', 'priority=3,in_port=1,vlan_tci=0,actions=mod_vlan_vid:3,NORMAL']);
      const configured = [...PORTS, 'br0'].map((name) => ({ name }));
      const network = bridge(lab.dump(), ports, configured);
      // What comes from a station is no more for it: OVS learns before it asks, but not from what is described only.
      const back = await lab.trace('in_port=1', { bytes: `${'020000000001'.repeat(2)}9999${'00'.repeat(46)}` });
      expect(back).toMatch(/^Datapath actions: drop$/m);
      await lab.appctl('fdb/flush', 'br0');
      for (const one of fc.sample(probe, { numRuns: 50, seed: 2 })) {
        if (one.src === one.dst) {
          expect(interpreted(network, one).every(({ outcome }) => outcome === 'dropped')).toBe(true);
          continue;
        }
        const trace = await lab.trace(flowOf(one));
        const possible = interpreted(network, one).filter(({ outcome }) => outcome === 'delivered');
        const frames = told(possible.map((path) => ({ port: portNumber(path.port), frame: frameAt(path.read) })));
        const sent = told(sentBy(trace, frameOf(one), ofDummy));
        expect(sent.length).toBe(3);
        for (const each of sent) expect(frames, trace).toContain(each);
      }
    });

    it('does what a bucket of a group does, or all of them', { timeout: 30_000 }, async () => {
      const groups = lab.loadGroups([
        'group_id=1,type=all,bucket=actions=set_field:02:00:00:00:00:02->eth_dst,output:2,bucket=actions=output:3',
        'group_id=2,type=select,selection_method=hash,fields(ip_src,tcp_src),bucket=weight:1,actions=output:1,bucket=weight:0,actions=output:2,bucket=weight:5,actions=output:3',
        // Executed as a set: the way out comes last, and of two the second counts.
        'group_id=3,type=indirect,bucket=actions=output:2,set_field:81->tcp_src,output:3',
        'group_id=4,type=ff,bucket=watch_port:2,actions=output:2,bucket=watch_port:3,actions=output:3',
        'group_id=5,type=all,bucket=actions=group:1,bucket=actions=resubmit(,1)',
      ]);
      lab.load([
        'priority=9,tcp,tp_dst=80,actions=group:1,output:LOCAL',
        'priority=8,tcp,tp_dst=81,actions=group:2,output:LOCAL',
        'priority=7,tcp,actions=group:3',
        'priority=6,udp,tp_dst=80,actions=group:4',
        'priority=5,udp,actions=group:5,output:LOCAL',
        'table=1,actions=set_field:02:00:00:00:00:01->eth_src,output:1',
      ]);
      const network = bridge(lab.dump(), ports, [], groups);
      const some = fc.sample(probe, { numRuns: 120, seed: 5 });
      const seen = new Set<number>();
      for (const one of some) {
        const trace = await lab.trace(flowOf(one));
        const expected = told(sentBy(trace, frameOf(one), ofDummy));
        const paths = interpreted(network, one);
        const ways = combined(paths.map((end) => ({ end, splits: end.splits })))!.map((way) =>
          told(way.map((path) => ({ port: portNumber(path.port), frame: frameAt(path.read) }))),
        );
        expect(ways, trace).toContainEqual(expected);
        seen.add(ways.length);
        expect(new Set(exploredPorts(network, one))).toEqual(
          new Set(paths.flatMap(({ outcome, port }) => (outcome === 'delivered' ? [portNumber(port)] : []))),
        );
      }
      expect(seen).toEqual(new Set([1, 2, 3]));
    });

    it('tracks connections into one of the states that OVS may be told', { timeout: 30_000 }, async () => {
      lab.load([
        'priority=2,ct_state=-trk,tcp,actions=ct(table=1,zone=5)',
        'table=1,ct_state=+trk+new,tcp,tp_dst=80,actions=ct(commit,zone=5),2',
        'table=1,ct_state=+trk+est,actions=3',
      ]);
      const network = bridge(lab.dump(), ports);
      for (const one of fc.sample(probe, { numRuns: 30, seed: 3 })) {
        const expected = one.protocol !== 'tcp' || one.frag !== 'no' ? [] : one.dport === 80 ? [2, 3] : [3];
        if (one.frag !== 'no' && one.protocol === 'tcp') continue;
        const outs = new Set(exploredPorts(network, one));
        expect([...outs].toSorted((a, b) => a - b)).toEqual(expected.filter((port) => port !== one.port));
        for (const [state, port] of [
          ['trk,new', 2],
          ['trk,est', 3],
        ] as const) {
          const trace = await lab.trace(flowOf(one), { state });
          const sends = [...trace.matchAll(/^Datapath actions: (\d)$/gm)].map(([, number]) => Number(number));
          for (const sent of sends) expect(sent).toBe(port);
          if (sends.length > 0) expect(outs).toContain(port);
        }
      }
    });
  },
);
