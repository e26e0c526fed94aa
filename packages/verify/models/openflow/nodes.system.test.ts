import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assemble } from '../../assemble/assemble.ts';
import { explore } from '../../engine/explore.ts';
import { type ConcretePath, interpret } from '../../engine/interpret.ts';
import type { Path } from '../../engine/path.ts';
import { combined } from '../../equivalence/possibilities.ts';
import { any, compare, constant, fresh, meta, read } from '../../ir/expression.ts';
import { assign, block, constrain, forward, type Instruction } from '../../ir/instruction.ts';
import { layouts, type Layout } from '../../ir/layouts.ts';
import type { Network } from '../../network.ts';
import { mac } from '../../readers/netfilter/addresses.ts';
import { tagFrom } from './frame.ts';
import { tunnelKey } from './run.ts';
import { readVswitch, type SwitchPort } from '../../readers/openflow/vswitch.ts';
import { missing, OvsLab } from './testing/ovs.ts';
import { frameAt, type Sent, sentBy, told } from './testing/trace.ts';

const dumps = fileURLToPath(
  new URL('../../../../../shared/data/verification/calincru+iptables-sefl/data/dumps/', import.meta.url),
);
const reason = missing() ?? (existsSync(dumps) ? undefined : 'the data is not there');

/** Where the other node is; the dumps have it in the name of the tunnel, in hexadecimal. */
const OVERLAY = { compute1: '172.16.0.31', controller: '172.16.0.11' };
type Node = keyof typeof OVERLAY;

const filesOf = (node: Node) =>
  readdirSync(dumps)
    .filter((name) => new RegExp(`^(?:flows|ports|ovs)-.*${node}\\.txt$`).test(name))
    .map((path) => ({ path, text: readFileSync(`${dumps}${path}`, 'utf8') }));

const NOWHERE: Network = { name: '', boxes: new Map(), programs: new Map(), links: new Map(), routines: new Map() };

const tci = meta('test.tci');
const target = meta('openflow.nd_target');

/** A port of a bridge to which no other bridge of the node is patched. */
interface Edge {
  readonly bridge: string;
  readonly port: SwitchPort;
}

/** A packet as it is sent: values of its layout by name, and what is not in the layout. */
interface Probe {
  readonly edge: Edge;
  readonly layout: Layout;
  readonly values: ReadonlyMap<string, bigint>;
}

/** The flows tell no more kinds of packets apart than these. */
const frames = layouts.filter(({ name }) => /^ether\/(?:ipv4\/tcp|ipv6\/icmpv6|arp|other)$/.test(name));
/** A tag as OVS keeps it, or none; for what comes out of a tunnel its key; for ICMPv6 the target of neighbour discovery. */
function setupOf({ name }: Layout, { port }: Edge): Instruction {
  const tag = { kind: 'slice', of: read(tci), high: 12, low: 12 } as const;
  return block(
    assign(tci, fresh('tci', 16)),
    constrain(any(compare(tag, '==', constant(1, 1)), compare(read(tci), '==', constant(0, 16)))),
    ...(port.type === 'vxlan' ? [assign(tunnelKey, fresh('tunnel key', 64, [[0n, 0xff_ffffn]]))] : []),
    ...(name === 'ether/ipv6/icmpv6' ? [assign(target, fresh('nd_target', 128))] : []),
  );
}

class NodeOfDump {
  readonly lab = new OvsLab();
  readonly network: Network;
  readonly edges: readonly Edge[];
  readonly #name: Node;
  readonly #remote: string;
  readonly #bridges;
  #datapath: Awaited<ReturnType<OvsLab['datapathPorts']>> = new Map();

  constructor(name: Node) {
    this.#name = name;
    this.#remote = name === 'compute1' ? OVERLAY.controller : OVERLAY.compute1;
    const files = filesOf(name);
    this.network = this.model([]);
    this.#bridges = readVswitch(files.find(({ path }) => path.startsWith('ovs-'))!).value;
    this.edges = [...this.#bridges].flatMap(([bridge, ports]) =>
      ports.filter(({ type }) => type !== 'patch').map((port) => ({ bridge, port })),
    );
  }

  /** With what `fdb/show` of some of its bridges says. */
  model(stations: readonly { readonly bridge: string; readonly text: string }[]): Network {
    const fdb = stations.map(({ bridge, text }) => ({ path: `fdb-${bridge}-${this.#name}.txt`, text }));
    const { network, readings } = assemble(this.#name, [...filesOf(this.#name), ...fdb]);
    expect(readings.filter(({ lines }) => lines['not understood'] > 0)).toEqual([]);
    const programs = new Map(network.programs);
    for (const port of network.programs.keys()) {
      if (port.endsWith(':in')) programs.set(`from ${port}`, block(tagFrom(tci), forward(port)));
    }
    return { ...network, programs };
  }

  port({ bridge, port }: Edge): string {
    return `from ${bridge}-${this.#name}:${port.name}:in`;
  }

  async start(): Promise<void> {
    const bridges = [...this.#bridges].map(([name, ports]) => ({
      name,
      ports: ports
        .filter((port) => port.name !== name)
        .map(({ type, peer, number, ...port }) => ({
          ...port,
          number: number!,
          type: type === 'patch' || type === 'vxlan' ? type : 'dummy',
          options: {
            ...(peer === undefined ? {} : { peer }),
            ...(type === 'vxlan' ? { remote_ip: this.#remote, in_key: 'flow', out_key: 'flow' } : {}),
          },
        })),
    }));
    await this.lab.start(bridges);
    this.#datapath = await this.lab.datapathPorts();
    for (const [bridge] of this.#bridges) {
      const text = readFileSync(`${dumps}flows-${bridge}-${this.#name}.txt`, 'utf8');
      const flows = text.split('\n').filter((line) => line.includes('actions='));
      this.lab.load(flows.map(asAdded), bridge);
      // OVS refuses none of them.
      expect(this.lab.dump(bridge).match(/actions=/g)?.length).toBe(flows.length);
    }
  }

  /** Stations at every port, as OVS lists them; with one `astray`, where its VLAN is not. */
  async stations(astray: boolean): Promise<readonly { readonly bridge: string; readonly text: string }[]> {
    const texts: { bridge: string; text: string }[] = [];
    for (const [bridge, ports] of this.#bridges) {
      for (const { name, number, tag = number! % 3 } of ports) {
        for (const vlan of astray && number === 3 ? [tag, tag + 1] : [tag]) {
          await this.lab.appctl('fdb/add', bridge, name, String(vlan), stationAt(number!, vlan));
        }
      }
      texts.push({ bridge, text: await this.lab.appctl('fdb/show', bridge) });
    }
    return texts;
  }

  get probe(): fc.Arbitrary<Probe> {
    const numbers = (...values: readonly (bigint | number)[]) => fc.constantFrom(...values.map(BigInt));
    const macs = numbers(
      ...[1, 2, 3, 5, 65_534].flatMap((number) => [0, 1, 2, 3].map((vlan) => mac(stationAt(number, vlan))!)),
      0xfa163e425ded,
      0xfa163e26f6b8,
      0xfa163e56c64e,
      0xffffffffffff,
      0x01005e000001,
      0x0180c2000000,
    );
    const values: Readonly<Record<string, fc.Arbitrary<bigint>>> = {
      'Ether.dst': macs,
      'Ether.src': numbers(0x0200000000aa),
      'Arp.htype': numbers(1, 1, 6),
      'Arp.ptype': numbers(0x0800),
      'Arp.hlen': numbers(6),
      'Arp.plen': numbers(4),
      'Arp.op': numbers(1, 2),
      'Arp.spa': numbers(0xc0a80d03, 0xc0a80d04),
      'ICMPv6.type': numbers(135, 136),
      'ICMPv6.code': numbers(0, 0, 1),
      nd_target: numbers(0xfe80_0000_0000_0000_f816_3eff_fe42_5dedn, 5),
      'tunnel key': numbers(2, 0x51, 0x52),
      tci: numbers(0, 0, 0x1000, 0x1001, 0x1002, 0x1003, 0x7001),
    };
    const names = Object.keys(values);
    // Flows look at what they may send.
    const guarded = this.edges.filter(({ port }) => port.name.startsWith('tap'));
    return fc
      .record({
        edge: fc.constantFrom(...this.edges, ...guarded, ...guarded),
        layout: fc.constantFrom(...frames),
        drawn: fc.tuple(...Object.values(values)),
      })
      .map(({ edge, layout, drawn }) => ({ edge, layout, values: new Map(names.map((name, i) => [name, drawn[i]!])) }));
  }

  /** What Open vSwitch sends for the packet, as text. Traced as a flow: a packet would be learned from. */
  async sent(probe: Probe): Promise<readonly string[]> {
    const { bridge, port } = probe.edge;
    const inPort = port.name === bridge ? 'LOCAL' : String(port.number);
    const ends = `tun_src=${this.#remote},tun_dst=${OVERLAY[this.#name]}`;
    const tunnel = port.type === 'vxlan' ? `,tun_id=${probe.values.get('tunnel key')},${ends}` : '';
    const trace = await this.lab.trace(`in_port=${inPort}${tunnel},${flowOf(probe)}`, { bridge });
    const { layout, values } = probe;
    const [begun] = interpret(NOWHERE, '', layout.setup, { fresh: (name) => values.get(name) ?? 0n });
    const frame = { ...frameAt(begun!.read), tci: Number(values.get('tci')) };
    const at = (number: number) => this.#datapath.get(number)!;
    return told(
      sentBy(
        trace,
        frame,
        (number) => `${at(number).bridge}-${this.#name}:${at(number).port}:out`,
        (number) => at(number).type === 'vxlan',
      ),
    );
  }
}

/** In the words of ovs-fields(7). */
function flowOf({ layout, values }: Probe): string {
  const value = (name: string) => values.get(name) ?? 0n;
  const macText = (name: string) =>
    value(name)
      .toString(16)
      .padStart(12, '0')
      .replace(/..(?=.)/g, '$&:');
  const frame = `vlan_tci=${value('tci')},dl_src=${macText('Ether.src')},dl_dst=${macText('Ether.dst')}`;
  switch (layout.name) {
    case 'ether/arp': {
      const spa = value('Arp.spa');
      const octets = [24n, 16n, 8n, 0n].map((shift) => (spa >> shift) & 0xffn);
      const shape = ['htype', 'ptype', 'hlen', 'plen'].map((part) => value(`Arp.${part}`)).join();
      // Of addresses of other kinds OVS knows nothing.
      if (shape !== '1,2048,6,4') return `${frame},arp`;
      return `${frame},arp,arp_op=${value('Arp.op') & 0xffn},arp_spa=${octets.join('.')}`;
    }
    case 'ether/ipv6/icmpv6': {
      const [type, code] = [value('ICMPv6.type'), value('ICMPv6.code')];
      const groups = value('nd_target').toString(16).padStart(32, '0').match(/..../g)!.join(':');
      const hasTarget = (type === 135n || type === 136n) && code === 0n;
      return `${frame},icmp6,icmpv6_type=${type},icmpv6_code=${code}${hasTarget ? `,nd_target=${groups}` : ''}`;
    }
    case 'ether/other':
      return `${frame},dl_type=${value('Ether.type')}`;
    default:
      return `${frame},tcp`;
  }
}

const stationAt = (port: number, vlan: number) =>
  `02:00:00:0${vlan}:${[port >> 8, port & 0xff].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;

/** Without what `add-flow` does not take. */
function asAdded(line: string): string {
  return line
    .trim()
    .replace(/\b(?:duration|n_packets|n_bytes|idle_age|hard_age|hard_timeout)=[^,\s]+,?\s*/g, '')
    .replace(' actions=', ',actions=');
}

/** What the model says may come out, each possibility as text. */
function possible(network: Network, port: string, probe: Probe): readonly (readonly string[])[] {
  const { layout, edge, values } = probe;
  const setup = block(layout.setup, setupOf(layout, edge));
  const paths = interpret(network, port, setup, { fresh: (name, _, ranges) => values.get(name) ?? ranges[0]![0] });
  const known = paths.filter(({ outcome }) => outcome !== 'unfinished');
  const ways = combined(known.map((path) => ({ end: path, splits: path.splits })));
  return ways!.map((way) => told(way.map(sentOf)));
}

function sentOf(path: ConcretePath): Sent<string> {
  const key = path.read(tunnelKey);
  return { port: path.port, frame: frameAt(path.read), ...(key === undefined ? {} : { tunnel: { key, to: '' } }) };
}

describe.skipIf(reason !== undefined)(
  `the nodes of a real OpenStack in Open vSwitch${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    const nodes = (['compute1', 'controller'] as const).map((name) => new NodeOfDump(name));
    beforeAll(async () => {
      await Promise.all(nodes.map((node) => node.start()));
    }, 30_000);
    afterAll(async () => {
      for (const node of nodes) await node.lab[Symbol.asyncDispose]();
    });

    it('send a packet of every path where the model says', { timeout: 60_000 }, async () => {
      let compared = 0;
      for (const node of nodes) {
        const told_ = await node.stations(false);
        const [known, unknown] = [node.model(told_), node.model([])];
        for (const edge of node.edges) {
          const probes = frames.flatMap((layout) => probesOf(known, node.port(edge), { edge, layout }));
          const sent = await Promise.all(probes.map((probe) => node.sent(probe)));
          for (const [i, probe] of probes.entries()) {
            expect(possible(known, node.port(edge), probe), textOf(probe)).toEqual([sent[i]]);
            if (i % 4 === 0) expect(possible(unknown, node.port(edge), probe), textOf(probe)).toContainEqual(sent[i]);
          }
          compared += probes.length;
        }
      }
      expect(compared).toBeGreaterThan(100);
    });

    it('send packets at random where the model says', { timeout: 60_000 }, async () => {
      for (const node of nodes) {
        const known = node.model(await node.stations(true));
        await fc.assert(
          fc.asyncProperty(fc.array(node.probe, { minLength: 60, maxLength: 60 }), async (probes) => {
            const sent = await Promise.all(probes.map((probe) => node.sent(probe)));
            for (const [i, probe] of probes.entries()) {
              expect(possible(known, node.port(probe.edge), probe), textOf(probe)).toEqual([sent[i]]);
            }
          }),
          { numRuns: 5, endOnFailure: true },
        );
      }
    });
  },
);

const textOf = ({ edge, layout, values }: Probe) =>
  `${layout.name} at ${edge.port.name}: ${[...values].map(([name, value]) => `${name}=${value.toString(16)}`).join(' ')}`;

/** A packet for each way that packets of a layout go, each once. */
function probesOf(network: Network, port: string, at: Pick<Probe, 'edge' | 'layout'>): readonly Probe[] {
  const { paths, bound } = explore(network, { port, layouts: [at.layout], setup: setupOf(at.layout, at.edge) });
  expect(bound).toBeUndefined();
  const probes = paths.map((path) => probeOf(path, at));
  // A trace does not learn where the sender is, to whom a switch sends nothing back.
  const others = probes.filter(({ values }) => values.get('Ether.src') !== values.get('Ether.dst'));
  return [...new Map(others.map((probe) => [[...probe.values.values()].join(), probe])).values()];
}

/** The first packet that takes the path, with all values that it was given on its way. */
function probeOf(path: Path, at: Pick<Probe, 'edge' | 'layout'>): Probe {
  const { sent, drawn } = path.witness()!;
  const values = new Map(sent.values);
  // After those of the layout, in the order of `setupOf`.
  const names = ['tci', ...(at.edge.port.type === 'vxlan' ? ['tunnel key'] : []), 'nd_target'];
  const ofLayout = drawnNames(at.layout).length;
  names.forEach((name, i) => values.set(name, drawn[ofLayout + i] ?? 0n));
  return { ...at, values };
}

function drawnNames({ setup }: Layout): readonly string[] {
  const names: string[] = [];
  interpret(NOWHERE, '', setup, {
    fresh: (name) => {
      names.push(name);
      return 0n;
    },
  });
  return names;
}
