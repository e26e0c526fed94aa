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
import { readBridgeVlans } from '../readers/vlans/bridge-vlan.ts';
import { readSwitchports } from '../readers/vlans/show-switchport.ts';
import { readShowVlan } from '../readers/vlans/show-vlan.ts';

/** A frame that comes, by hand: `undefined` is without a tag. */
function frame(dst: number, vlan: number | undefined): Instruction {
  const names = ['Ether.dst', 'Ether.src', 'Ether.type'] as const;
  const at = (name: string, value: number) =>
    block(
      { op: 'allocate', at: field(name), width: field(name).width },
      assign(field(name), constant(value, field(name).width)),
    );
  const tag =
    vlan === undefined
      ? []
      : [
          ...names.map((name): Instruction => ({ op: 'deallocate', at: field(name), width: field(name).width })),
          { op: 'createTag', tag: 'L2', relativeTo: 'L3', offset: -144 } as const,
          ...names.map((name) => at(name, name === 'Ether.type' ? 0x8100 : 0)),
          at('Vlan.pcp', 5),
          at('Vlan.dei', 0),
          at('Vlan.id', vlan),
          at('Vlan.type', 0x0800),
        ];
  return block(layout('ether/ipv4/tcp')!.setup, ...tag, assign(field('Ether.dst'), constant(dst, 48)));
}

/** Where copies go, and with which tag. */
function send(files: readonly InputFile[], port: string, dst: number, vlan: number | undefined): readonly string[] {
  const { network } = assemble('lan', files);
  return interpret(network, port, frame(dst, vlan))
    .filter(({ outcome }) => outcome === 'delivered')
    .map((end) => {
      const id = end.read(field('Ether.type')) === 0x8100n ? end.read(field('Vlan.id')) : undefined;
      const type = end.read(field(id === undefined ? 'Ether.type' : 'Vlan.type'));
      expect(type).toBe(0x0800n);
      if (id !== undefined && vlan !== undefined) expect(end.read(field('Vlan.pcp'))).toBe(5n);
      return `${end.port}${id === undefined ? '' : ` ${id}`}`;
    })
    .toSorted();
}

const config: InputFile = {
  path: 'sw_config.txt',
  text: [
    'interface GigabitEthernet0/1',
    ' switchport access vlan 10',
    ' switchport mode access',
    'interface GigabitEthernet0/2',
    ' switchport access vlan 10',
    ' switchport mode access',
    'interface GigabitEthernet0/3',
    ' switchport access vlan 20',
    ' switchport mode access',
    'interface GigabitEthernet0/24',
    ' switchport trunk native vlan 99',
    ' switchport trunk allowed vlan 10,20,99',
    ' switchport mode trunk',
    'interface GigabitEthernet0/4',
    ' switchport access vlan 10',
    ' shutdown',
    '',
  ].join('\n'),
};
const macs: InputFile = {
  path: 'sw.mac',
  text: '  10    0000.0000.00aa    DYNAMIC     Gi0/1\n  20    0000.0000.00bb    DYNAMIC     Gi0/24\n',
};

describe('a switch with access and trunk ports', () => {
  it('takes tags off and puts them on, floods a VLAN, and sends nothing back', () => {
    const files = [config, macs];
    const to = (port: string, dst: number, vlan?: number) => send(files, `sw:${port}:in`, dst, vlan);
    expect(to('Gi0/24', 0xaa, 10)).toEqual(['sw:Gi0/1:out']);
    expect(to('Gi0/3', 0xbb)).toEqual(['sw:Gi0/24:out 20']);
    expect(to('Gi0/1', 0xcc)).toEqual(['sw:Gi0/24:out 10', 'sw:Gi0/2:out']);
    expect(to('Gi0/1', 0xffff_ffff_ffff)).toEqual(['sw:Gi0/24:out 10', 'sw:Gi0/2:out']);
    expect(to('Gi0/1', 0xaa)).toEqual([]);
    // Of another VLAN, the same address is not known.
    expect(to('Gi0/24', 0xaa, 20)).toEqual(['sw:Gi0/3:out']);
    // Tagged frames on an access port, VLANs that a trunk does not allow, and native frames where nobody else is.
    expect(to('Gi0/1', 0xcc, 20)).toEqual([]);
    expect(to('Gi0/24', 0xcc, 30)).toEqual([]);
    expect(to('Gi0/24', 0xcc)).toEqual([]);
  });

  it('is known for all frames at once, without a flood that nobody knows', () => {
    const { network } = assemble('lan', [config, macs]);
    const some = layouts.filter(({ name }) => name === 'ether/ipv4/tcp');
    const { paths } = explore(network, { port: 'sw:Gi0/1:in', layouts: some });
    const ends = paths.filter(({ outcome }) => outcome === 'delivered').map(({ port }) => port);
    expect(ends.toSorted()).toEqual(['sw:Gi0/24:out', 'sw:Gi0/2:out']);
    expect(paths.some(({ outcome, doubts }) => outcome === 'unfinished' || doubts.length > 0)).toBe(false);
  });

  it('passes frames over a trunk between two switches, whatever the links call their ports', () => {
    const other = { path: 'two_config.txt', text: config.text };
    const links = { path: 'l.links', text: 'sw:GigabitEthernet0/24 -> two:gi0/24\ntwo:Gi0/24 -> sw:Gi0/24\n' };
    const empty = { path: 'two.mac', text: '  20    0000.0000.00bb    DYNAMIC     Gi0/3\n' };
    const files = [config, macs, other, empty, links];
    expect(send(files, 'sw:Gi0/3:in', 0xbb, undefined)).toEqual(['two:Gi0/3:out']);
    expect(send(files, 'sw:Gi0/1:in', 0xcc, undefined)).toEqual(['sw:Gi0/2:out', 'two:Gi0/1:out', 'two:Gi0/2:out']);
  });

  it('is refused when a table has learned an address where its VLAN is not', () => {
    const wrong = { path: 'sw.mac', text: '\n  20    0000.0000.00aa    DYNAMIC     Gi0/1\n' };
    expect(() => assemble('lan', [config, wrong])).toThrow(
      'sw.mac:2: an address of VLAN 20 is learned at Gi0/1, and the port is not in it (sw_config.txt:2)',
    );
    const nowhere = { path: 'sw.mac', text: '  10    0000.0000.00aa    DYNAMIC     Gi0/9\n' };
    expect(() => assemble('lan', [config, nowhere])).toThrow('sw.mac:1: an address of VLAN 10 is learned at Gi0/9');
  });

  it('does what its configuration says, whatever it is', () => {
    const ids = [1, 2, 3];
    const port = fc.record({ pvid: fc.option(fc.constantFrom(...ids), { nil: undefined }), tagged: fc.subarray(ids) });
    const learned = fc.array(fc.record({ vlan: fc.constantFrom(...ids), mac: fc.nat(3), port: fc.nat(3) }), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(
        fc.array(port, { minLength: 2, maxLength: 4 }),
        learned,
        fc.nat(3),
        fc.nat(4),
        fc.option(fc.nat(4), { nil: undefined }),
        (ports, table, from, mac, vlan) => {
          const carries = (at: number, id: number) =>
            ports[at] !== undefined && (ports[at].pvid === id || ports[at].tagged.includes(id));
          const lines = ports.map(({ pvid, tagged }, i) =>
            [
              `eth${i}\t${pvid === undefined ? 'None' : `${pvid} PVID Egress Untagged`}`,
              ...tagged.filter((id) => id !== pvid).map((id) => `\t${id}`),
            ].join('\n'),
          );
          const entries = table.filter((each) => carries(each.port, each.vlan));
          const files = [
            { path: 'br.vlans', text: `port\tvlan-id\n${lines.join('\n')}\n` },
            {
              path: 'br.fdb',
              text: entries
                .map((each) => `00:00:00:00:00:0${each.mac} dev eth${each.port} vlan ${each.vlan} master br0\n`)
                .join(''),
            },
          ].filter(({ text }) => text !== '');
          const at = from % ports.length;
          const id = vlan === undefined || vlan === 0 ? ports[at]!.pvid : vlan;
          const isIn = id !== undefined && carries(at, id);
          const known = entries.find((each) => each.vlan === id && each.mac === mac)?.port;
          const to = !isIn ? [] : known === undefined ? ports.keys().filter((i) => carries(i, id)) : [known];
          const wanted = [...to]
            .filter((i) => i !== at)
            .map((i) => `br:eth${i}:out${ports[i]!.pvid === id ? '' : ` ${id}`}`);
          expect(send(files, `br:eth${at}:in`, mac, vlan)).toEqual(wanted.toSorted());
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('ports with VLANs', () => {
  it('are read as Linux prints them', () => {
    const text =
      'port              vlan-id\neth1              1 PVID Egress Untagged\n                  10\neth2              20-22\nbr0               None\n';
    const { value, reading } = readBridgeVlans({ path: 'b', text });
    expect(value.map(({ name, pvid, untagged, tagged }) => [name, pvid, [...untagged], [...tagged]])).toEqual([
      ['eth1', 1, [1], [10]],
      ['eth2', undefined, [], [20, 21, 22]],
      ['br0', undefined, [], []],
    ]);
    expect(reading.lines).toMatchObject({ used: 4, 'without effect': 1, 'not understood': 0 });
    const twice = 'port vlan-id\neth1 1 PVID\n     2 PVID\n';
    expect(() => readBridgeVlans({ path: 'b', text: twice })).toThrow(
      'b:3: eth1 has two VLANs for frames without a tag',
    );
  });

  it('are read as Cisco prints them, by VLAN and by port', () => {
    const byVlan = [
      'sw1#show vlan brief',
      '',
      'VLAN Name                             Status    Ports',
      '---- -------------------------------- --------- -------------------------------',
      '1    default                          active    Gi0/1, Gi0/2',
      '10   users of the lab                 active    Fa0/1, Fa0/2,',
      '                                                Fa0/3',
      '1002 fddi-default                     act/unsup ',
      '',
    ].join('\n');
    const brief = readShowVlan({ path: 'v', text: byVlan });
    expect(brief.value.map(({ name, pvid }) => [name, pvid])).toEqual([
      ['Gi0/1', 1],
      ['Gi0/2', 1],
      ['Fa0/1', 10],
      ['Fa0/2', 10],
      ['Fa0/3', 10],
    ]);
    expect(brief.reading.lines).toMatchObject({ used: 4, 'without effect': 3, 'not understood': 0 });
    expect(() => readShowVlan({ path: 'v', text: `${byVlan}11   x    active    Gi0/1\n` })).toThrow(
      'v:9: Gi0/1 is in VLAN 11 here and in VLAN 1 above',
    );
    const byPort = [
      'Name: Gi0/1',
      'Switchport: Enabled',
      'Administrative Mode: static access',
      'Operational Mode: static access',
      'Access Mode VLAN: 10 (users)',
      'Trunking Native Mode VLAN: 1 (default)',
      'Trunking VLANs Enabled: ALL',
      '',
      'Name: Gi0/2',
      'Switchport: Enabled',
      'Administrative Mode: trunk',
      'Operational Mode: trunk',
      'Access Mode VLAN: 1 (default)',
      'Trunking Native Mode VLAN: 10 (users)',
      'Operational Native VLAN tagging: disabled',
      'Trunking VLANs Enabled: 10,20,',
      '     30-31',
      '',
      'Name: Gi0/3',
      'Switchport: Enabled',
      'Administrative Mode: dynamic auto',
      'Operational Mode: down',
      '',
    ].join('\n');
    const { value, reading } = readSwitchports({ path: 'p', text: byPort });
    expect(value.map(({ name, pvid, tagged }) => [name, pvid, [...tagged]])).toEqual([
      ['Gi0/1', 10, []],
      ['Gi0/2', 10, [20, 30, 31]],
    ]);
    expect(reading.lines['not understood']).toBe(0);
    const both = [
      { path: 'sw_vlan.txt', text: byVlan },
      { path: 'sw_switchport.txt', text: byPort },
    ];
    expect(() => assemble('lan', both)).toThrow(/Gi0\/1 is in other VLANs here than in/);
  });
});
