import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explore } from '../../engine/explore.ts';
import { interpret, type Read } from '../../engine/interpret.ts';
import { compare, constant, read, type Condition } from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { assign, block, forward, type Instruction } from '../../ir/instruction.ts';
import { layout } from '../../ir/layouts.ts';
import type { Network } from '../../network.ts';
import { ipv4, mac } from '../../readers/netfilter/addresses.ts';
import { readFlows } from '../../readers/openflow/flows.ts';
import { readPorts } from '../../readers/openflow/ports.ts';
import { tagFrom } from './frame.ts';
import { openflowModel } from './model.ts';
import { missing, OvsLab } from './testing/ovs.ts';
import { flowTables, PORTS, probe, type Probe } from './testing/random.ts';
import { cookiesOf, type Frame, sentBy, type Sent } from './testing/trace.ts';

const reason = missing();
const RUNS = { numRuns: 40, interruptAfterTimeLimit: 15_000, endOnFailure: true };

const tci = { kind: 'meta', name: 'test.tci' } as const;

/** The bridge as OVS lists it, and a host that puts the VLAN tag on the frames that it sends. */
function bridge(flows: string, ports: string): Network {
  const read_ = readFlows({ path: 'flows', text: flows });
  expect(read_.reading.remarks.filter(({ fate }) => fate === 'not understood')).toEqual([]);
  const model = openflowModel('br0', { flows: read_.value, ports: readPorts({ path: 'ports', text: ports }).value });
  const hosts = [1, 2, 3].map((n): [string, Instruction] => [`host:${n}`, block(tagFrom(tci), forward(`br0:${n}`))]);
  return {
    name: 'ovs',
    boxes: new Map([['br0', model.box]]),
    programs: new Map([...model.programs, ...hosts]),
    links: new Map(),
    routines: model.routines ?? new Map(),
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

function frameAt(at: Read): Frame {
  const value = (name: string) => at(field(name)) ?? 0n;
  const tag = () => (value('Vlan.pcp') << 13n) | 0x1000n | value('Vlan.id');
  return {
    tci: value('Ether.type') === 0x8100n ? Number(tag()) : 0,
    src: value('Ether.src'),
    dst: value('Ether.dst'),
    ipSrc: value('IPv4.src'),
    ipDst: value('IPv4.dst'),
    tos: Number(value('IPv4.dscp') * 4n + value('IPv4.ecn')),
    ttl: Number(value('IPv4.ttl')),
    sport: Number(value('TCP.sport')),
    dport: Number(value('TCP.dport')),
  };
}

const portNumber = (port: string) => ({ p1: 1, p2: 2, p3: 3, br0: 65_534 })[port.split(':')[1]!]!;
const told = (sent: readonly Sent[]) =>
  sent
    .map((each) => JSON.stringify(each, (_key, part: unknown) => (typeof part === 'bigint' ? part.toString(16) : part)))
    .toSorted();

function interpreted(network: Network, one: Probe) {
  const known = valuesOf(one);
  const fresh = (name: string, _width: number, ranges: readonly (readonly [bigint, bigint])[]) =>
    known[name] ?? ranges[0]![0];
  return interpret(network, `host:${one.port}`, setupOf(one), { fresh });
}

function explored(network: Network, one: Probe): readonly Sent[] {
  const assume: Condition = {
    kind: 'all',
    of: Object.entries(valuesOf(one)).map(([name, value]) =>
      compare(read(field(name)), '==', constant(value, field(name).width)),
    ),
  };
  const layouts = [layout(`ether/ipv4/${one.protocol}`)!];
  const setup = assign(tci, constant(one.tci, 16));
  const { paths, bound } = explore(network, { port: `host:${one.port}`, layouts, assume, setup });
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

describe.skipIf(reason !== undefined)(
  `the model against Open vSwitch${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    const lab = new OvsLab();
    let ports = '';
    beforeAll(async () => {
      await lab.start(PORTS);
      ports = lab.ports();
    }, 30_000);
    afterAll(() => lab[Symbol.asyncDispose]());

    async function agree(
      network: Network,
      one: Probe,
      cookies: ReadonlyMap<number, number> | undefined,
    ): Promise<void> {
      const trace = await lab.trace(flowOf(one));
      const expected = told(sentBy(trace, frameOf(one)));
      const paths = interpreted(network, one);
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
  },
);
