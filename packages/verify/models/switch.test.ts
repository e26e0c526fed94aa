import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  assemble,
  assign,
  block,
  constant,
  explore,
  field,
  type InputFile,
  type Instruction,
  interpret,
  layout,
  layouts,
} from '../index.ts';
import { readMacTable } from '../readers/mac.ts';

const cisco = `sw1>show mac address-table
          Mac Address Table
-------------------------------------------

Vlan    Mac Address       Type        Ports
----    -----------       --------    -----
 All    0100.0ccc.cccc    STATIC      CPU
   1    0019.e72a.77ea    DYNAMIC     Gi0/1
 302    0019.e72a.77eb    DYNAMIC     GigabitEthernet0/2
*  7    0019.e72a.77ec    dynamic ip,other  Po9
`;
const bridge = `33:33:00:00:00:01 dev eth0 self permanent
0c:c4:7a:01:02:03 dev eth1 vlan 7 master br0
0c:c4:7a:01:02:04 dev eth2 master br0 permanent
`;

const tagged = (vlan: number): Instruction =>
  block(
    layout('ether/ipv4/tcp')!.setup,
    // The header moves 32 bits towards the front, and the tag comes in between.
    ...(['Ether.dst', 'Ether.src', 'Ether.type'] as const).map(
      (name) => ({ op: 'deallocate', at: field(name), width: field(name).width }) as const,
    ),
    { op: 'createTag', tag: 'L2', relativeTo: 'L3', offset: -144 },
    ...(['Ether.dst', 'Ether.src', 'Ether.type', 'Vlan.pcp', 'Vlan.dei', 'Vlan.id', 'Vlan.type'] as const).flatMap(
      (name) =>
        [
          { op: 'allocate', at: field(name), width: field(name).width },
          assign(
            field(name),
            constant(name === 'Vlan.id' ? vlan : name === 'Ether.type' ? 0x8100 : 0, field(name).width),
          ),
        ] as const,
    ),
  );

function send(text: string, dst: number, vlan?: number): readonly string[] {
  const { network } = assemble('switch', [{ path: 'sw.macs.txt', text }]);
  const setup = block(
    vlan === undefined ? layout('ether/ipv4/tcp')!.setup : tagged(vlan),
    assign(field('Ether.dst'), constant(BigInt(dst), 48)),
  );
  return interpret(network, 'sw:in', setup).map(({ outcome, port }) => `${outcome} ${port}`);
}

describe('a switch', () => {
  it('is read as Cisco and Linux print it', () => {
    const { value, reading } = readMacTable({ path: 'sw', text: cisco });
    expect(value.ports).toEqual(['CPU', 'Gi0/1', 'Gi0/2', 'Po9']);
    expect([...value.vlans]).toEqual([-1, 1, 302, 7]);
    expect(value.addresses[1]).toBe(0x0019e72a77ea);
    expect(reading.lines).toMatchObject({ used: 4, 'without effect': 5, 'not understood': 0 });
    const linux = readMacTable({ path: 'br', text: bridge }).value;
    expect([...linux.vlans]).toEqual([0, 7, 0]);
    expect(linux.ports).toEqual(['eth0', 'eth1', 'eth2']);
    expect(readMacTable({ path: 'x', text: '5000 0019.e72a.77ea DYNAMIC Gi0/1' }).reading.remarks[0]).toMatchObject({
      line: 1,
      why: "'5000' is no VLAN",
    });
  });

  it('sends frames where it learned the address, in the VLAN of the frame', () => {
    expect(send(cisco, 0x0019e72a77ea, 1)).toEqual(['delivered sw:Gi0/1']);
    expect(send(cisco, 0x0019e72a77eb, 302)).toEqual(['delivered sw:Gi0/2']);
    expect(send(cisco, 0x01000ccccccc, 302)).toEqual(['delivered sw:cpu']);
    // Where frames are flooded to, nobody knows.
    expect(send(cisco, 0x0019e72a77eb, 1)).toEqual(['unfinished sw floods:vlan1']);
    expect(send(cisco, 0x0019e72a77eb, 99)).toEqual(['unfinished sw floods:other']);
    // A frame without a tag may be of any VLAN.
    expect([...send(cisco, 0x0019e72a77eb)].sort()).toEqual([
      'delivered sw:Gi0/2',
      'unfinished sw floods:vlan1',
      'unfinished sw floods:vlan7',
    ]);
    expect(send(bridge.replace(' vlan 7', ''), 0x0cc47a010204)).toEqual(['delivered sw:eth2']);
  });

  it('does what the lines of its table say, whatever they are', () => {
    const entry = fc.record({ vlan: fc.integer({ min: 1, max: 3 }), mac: fc.nat(7), port: fc.nat(3) });
    fc.assert(
      fc.property(
        fc.array(entry, { minLength: 1, maxLength: 12 }),
        fc.nat(7),
        fc.integer({ min: 1, max: 3 }),
        (table, mac, vlan) => {
          const text = table.map((each) => `${each.vlan} 0000.0000.000${each.mac} DYNAMIC Gi0/${each.port}`).join('\n');
          const found = table.find((each) => each.vlan === vlan && each.mac === mac);
          const known = table.some((each) => each.vlan === vlan);
          expect(send(text, mac, vlan)).toEqual([
            found === undefined
              ? `unfinished sw floods:${known ? `vlan${vlan}` : 'other'}`
              : `delivered sw:Gi0/${found.port}`,
          ]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('passes frames to a router, which makes new ones', () => {
    const files: readonly InputFile[] = [
      { path: 'sw.mac', text: '7 0000.0000.00aa DYNAMIC Gi0/1\n8 0000.0000.00bb DYNAMIC Gi0/2\n' },
      { path: 'r.rt', text: '10.0.0.0/8 attached Vlan8\n0.0.0.0/0 192.0.2.1 eth0\n' },
      { path: 'r.own', text: '0000.0000.00aa\n' },
      { path: 'wires.links', text: 'sw:Gi0/1 -> r:a\nr:Vlan8 -> sw:Gi0/1\n' },
    ];
    const { network } = assemble('lan', files);
    const start = (vlan: number, dst: bigint) =>
      block(
        tagged(vlan),
        assign(field('Ether.dst'), constant(0xaa, 48)),
        assign(field('IPv4.dst'), constant(dst, 32)),
        assign(field('IPv4.ttl'), constant(9, 8)),
      );
    const fresh = (name: string) => (name === 'neighbour' ? 0xbbn : 0n);
    const [inside] = interpret(network, 'sw:in', start(7, 0x0a000001n), { fresh });
    expect(inside!.hops.map(({ port }) => port)).toEqual(['sw:in', 'sw:Gi0/1', 'r:in', 'r:Vlan8', 'sw:in', 'sw:Gi0/2']);
    expect([inside!.read(field('Vlan.id')), inside!.read(field('Ether.src')), inside!.read(field('IPv4.ttl'))]).toEqual(
      [8n, 0xaan, 8n],
    );
    const [outside] = interpret(network, 'sw:in', start(7, 0x08080808n), { fresh });
    expect([outside!.port, outside!.read(field('Ether.type'))]).toEqual(['r:eth0', 0x800n]);
    const lost = interpret(
      network,
      'r:in',
      block(start(7, 0x08080808n), assign(field('Ether.dst'), constant(0xab, 48))),
      { fresh },
    );
    expect(lost.map(({ outcome, why }) => `${outcome}: ${why}`)).toEqual(['dropped: the frame is for another address']);
  });
});

const folder = fileURLToPath(
  new URL(
    '../../../../shared/data/verification/nets-cs-pub-ro+Symnet/src/main/resources/new_facultatea/',
    import.meta.url,
  ),
);
const reason = existsSync(folder) ? '' : ' (skipped: the data set is not there)';

describe(`the department network of Symnet${reason}`, () => {
  it.skipIf(reason !== '')(
    'is understood, and packets do in it what the interpreter does with them',
    () => {
      const files = readdirSync(folder)
        .filter((name) => !name.endsWith('.start') && !name.endsWith('.switch'))
        .map((path) => ({ path, text: readFileSync(folder + path, 'utf8') }));
      const { network, readings } = assemble('department', files);
      expect(readings).toHaveLength(24);
      expect(readings.reduce((sum, { lines }) => sum + lines['not understood'], 0)).toBeLessThan(10);
      for (const [port, family] of [
        ['acs-1-rt:in', 'ipv4/'],
        ['ec10:in', 'ether/ipv4/'],
      ] as const) {
        const some = layouts.filter(({ name }) => name.startsWith(family));
        const { paths, bound } = explore(network, { port, layouts: some });
        expect(bound).toBeUndefined();
        expect(paths.length).toBeGreaterThan(10);
        // Those are up to hundreds of a layout: every fourth of them is followed.
        for (const path of paths.filter((_, i) => i % 4 === 0)) {
          const witness = path.witness();
          if (witness === undefined) continue;
          const ends = interpret(network, port, layout(path.layout)!.setup, {
            fresh: (_name, _width, ranges, index) => witness.drawn[index] ?? ranges[0]![0],
            hops: path.hops.length,
          });
          const way = (hops: readonly { readonly port: string }[]) =>
            hops
              .slice(0, path.hops.length)
              .map((hop) => hop.port)
              .join(' ');
          expect(ends.map(({ hops }) => way(hops))).toContain(way(path.hops));
        }
      }
    },
    30_000,
  );
});
