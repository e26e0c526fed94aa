import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { assemble, examineRules, type InputFile, layouts, parseFilter, reach } from '../../index.ts';

const tcp = layouts.filter(({ name }) => name === 'ipv4/tcp');
const file = (path: string, ...lines: readonly string[]): InputFile => ({ path, text: `${lines.join('\n')}\n` });

/** Three routers on VLAN 2, over the switch inside the first; the third is on a port without a tag. */
const edge = file(
  'edge_config.txt',
  'interface TenGigabitEthernet1/1',
  ' switchport',
  ' switchport trunk allowed vlan 2,7',
  ' switchport mode trunk',
  'interface GigabitEthernet1/2',
  ' switchport access vlan 2',
  ' switchport mode access',
  'interface Vlan2',
  ' ip address 172.20.0.1 255.255.255.0',
  'interface Vlan7',
  ' ip address 10.7.0.1 255.255.0.0',
  ' shutdown',
  'interface GigabitEthernet1/3',
  ' ip address 192.0.2.1 255.255.255.0',
  ' ip access-group 10 in',
  ' ip verify unicast source reachable-via rx',
  'access-list 10 deny host 192.0.2.66',
  'access-list 10 permit any',
  'ip route 10.1.0.0 255.255.0.0 172.20.0.2',
  'ip route 10.2.0.0 255.255.0.0 172.20.0.3',
  'ip route 10.3.0.0 255.255.0.0 Null0',
  'ip route 10.4.0.0 255.255.0.0 172.20.0.9',
);
const one = file(
  'one_config.txt',
  'interface GigabitEthernet0/1',
  ' no ip address',
  'interface GigabitEthernet0/1.2',
  ' encapsulation dot1Q 2',
  ' ip address 172.20.0.2 255.255.255.0',
  'interface GigabitEthernet0/2',
  ' ip address 10.1.0.1 255.255.0.0',
);
const two = file(
  'two_config.txt',
  'interface GigabitEthernet0/1',
  ' ip address 172.20.0.3 255.255.255.0',
  'interface GigabitEthernet0/2',
  ' ip address 10.2.0.1 255.255.0.0',
  ' ip access-group 101 out',
  'access-list 101 permit tcp any any eq www',
);
const wires = file('wires.txt', 'edge Te1/1 one gi0/1', 'one gi0/1 edge te1/1', 'edge gi1/2 two gi0/1');
const all = [edge, one, two, wires];

const asked = (files: readonly InputFile[], packet: string, from = 'edge:GigabitEthernet1/3:in') => {
  const { network } = assemble('net', files);
  return reach(network, { port: from, layouts: tcp, assume: parseFilter(packet) }, undefined);
};
const ends = (files: readonly InputFile[], packet: string) =>
  asked(files, `src host 192.0.2.5 && ${packet}`).paths.map(({ port }) => port);

describe('routers with their configurations', () => {
  it('send each packet to the router that has the address of the next hop, over trunks and access ports', () => {
    expect(ends(all, 'dst host 10.1.0.9')).toEqual(['one:GigabitEthernet0/2:out']);
    expect(ends(all, 'dst host 10.2.0.9 && dst port 80')).toEqual(['two:GigabitEthernet0/2:out']);
    expect(ends(all, 'dst host 10.2.0.9 && dst port 81')).toEqual([]);
    // Nobody that is known has the next hop, or the address: a host on the segment.
    expect(ends(all, 'dst host 10.4.0.9')).toEqual(['edge:Vlan2:out']);
    expect(ends(all, 'dst host 172.20.0.77')).toEqual(['edge:Vlan2:out']);
    expect(ends(all, 'dst host 172.20.0.3')).toEqual(['two:local']);
    expect(ends(all, 'dst host 192.0.2.1')).toEqual(['edge:local']);
  });

  it('drop what leads to nothing, what a list denies, and sources that have no way back', () => {
    expect(ends(all, 'dst host 10.3.0.9')).toEqual([]);
    expect(ends(all, 'dst host 10.7.0.9')).toEqual([]);
    expect(asked(all, 'src host 192.0.2.66 && dst host 10.1.0.9').answer).toBe('violated');
    expect(asked(all, 'src host 10.9.9.9 && dst host 10.1.0.9').answer).toBe('violated');
  });

  it('take their routes from a table where there is one, with several next hops', () => {
    const table = file(
      'edge_route.txt',
      'Prefix  Next Hop  Interface',
      '10.1.0.0/16  172.20.0.2 Vlan2',
      '             172.20.0.3 Vl2',
      '192.0.2.0/24 attached   Gi1/3',
    );
    expect(ends([...all, table], 'dst host 10.1.0.9').toSorted()).toEqual(['one:GigabitEthernet0/2:out']);
    expect(ends([...all, table], 'dst host 10.4.0.9')).toEqual([]);
  });

  it('are in doubt where they learn routes that nobody wrote down, and where a line is not understood', () => {
    const learning = { ...edge, text: `${edge.text}router ospf 1\n network 10.0.0.0 0.255.255.255 area 0\n` };
    expect(asked([learning, one, two, wires], 'src host 192.0.2.5 && dst host 10.9.0.9')).toMatchObject({
      answer: 'unknown',
      dependsOn: expect.arrayContaining([expect.stringContaining('routes that edge learns by ospf 1')]),
    });
    const odd = { ...edge, text: edge.text.replace(' ip access-group 10 in', ' ip policy route-map elsewhere') };
    const verdict = asked([odd, one, two, wires], 'src host 192.0.2.5 && dst host 10.3.0.9');
    expect(verdict.answer).toBe('unknown');
    expect(verdict.dependsOn[0]).toContain(
      "'ip policy route-map elsewhere' of GigabitEthernet1/3 (edge_config.txt:15)",
    );
    // By other interfaces that line has no effect.
    expect(asked([odd, one, two, wires], 'dst host 10.2.0.9 && dst port 80', 'edge:Vlan2:in').answer).toBe('holds');
  });

  it('are refused when their VLANs contradict each other', () => {
    const other = file(
      'two_config.txt',
      'interface GigabitEthernet0/1',
      ' switchport access vlan 9',
      ' switchport mode access',
      'interface Vlan9',
      ' ip address 172.20.0.3 255.255.255.0',
    );
    expect(() => assemble('net', [edge, one, other, wires])).toThrow(
      'wires.txt:3: frames without a tag are of VLAN 2 at edge:gi1/2 and of 9 at two:gi0/1',
    );
    const twice = { ...edge, text: edge.text.replace(' vlan 2\n', ' vlan 2\n switchport access vlan 3\n') };
    expect(() => assemble('net', [twice])).toThrow(
      'edge_config.txt:7: the access VLAN of GigabitEthernet1/2 is 3 here and 2 above',
    );
    const beyond = { ...edge, text: edge.text.replace('vlan 2,7', 'vlan 2,5000') };
    expect(() => assemble('net', [beyond])).toThrow("edge_config.txt:3: '2,5000' is no list of VLANs");
  });

  it('have rules that could as well not be there', () => {
    const list = file(
      'r_config.txt',
      'interface Gi0/1',
      ' ip address 10.0.0.1 255.0.0.0',
      ' ip access-group 101 in',
      ' ip verify unicast source reachable-via rx',
      'interface Gi0/2',
      ' ip address 192.0.2.1 255.255.255.0',
      ' ip access-group 101 in',
      'access-list 101 permit tcp any any eq 80',
      'access-list 101 deny tcp host 10.0.0.5 any eq 80',
      'access-list 101 deny ip any any',
    );
    const { faults } = examineRules('net', [list], 5_000);
    expect(faults.map(({ kind, rule }) => [kind, rule.line])).toEqual([['shadowed', 9]]);
  });

  it('are joined with boxes of other kinds', () => {
    const host = file('host.routes', 'default dev eth0');
    const links = file('l.links', 'edge:Vlan2 -> host:eth0', 'host:eth0 -> edge:gi1/3');
    expect(ends([edge, host, links], 'dst host 10.4.0.9')).toEqual([]);
    expect(asked([edge, host, links], 'dst host 10.4.0.9', 'host:in').paths.map(({ port }) => port)).toEqual([]);
    expect(asked([edge, host, links], 'src host 192.0.2.5 && dst host 10.3.0.9', 'host:in').answer).toBe('violated');
  });
});

const data = fileURLToPath(new URL('../../../../../shared/data/verification/', import.meta.url));
const folder = `${data}diekmann+net-network/hassell-public_Stanford/Stanford_backbone/`;
const topology = `${data}XJTU-NetVerify+apkeep/networks/stanford-noacl/topo.txt`;
const absent = existsSync(folder) && existsSync(topology) ? '' : ' (skipped: the data is not there)';

describe.skipIf(absent !== '')(`the folder of the Stanford backbone${absent}`, () => {
  it('is a network in which the packets of an access router are followed to their ends', () => {
    const files = readdirSync(folder).map((path) => ({ path, text: readFileSync(folder + path, 'utf8') }));
    const { network, readings } = assemble('stanford', [
      ...files,
      { path: 'topo.txt', text: readFileSync(topology, 'utf8') },
    ]);
    expect(network.boxes.size).toBe(16);
    const odd = readings.flatMap(({ remarks }) => remarks.filter(({ fate }) => fate === 'not understood'));
    expect(new Set(odd.map(({ why }) => why))).toEqual(new Set(['what it does to packets is not modelled']));
    const verdict = reach(network, { port: 'boza_rtr:Vlan10:in', layouts: tcp }, 'yoza_rtr:local', {
      limits: { milliseconds: 15_000 },
    });
    expect(verdict.bound).toBeUndefined();
    expect(verdict.paths.length).toBeGreaterThan(0);
    expect(verdict.paths[0]!.witness()).toBeDefined();
  });
});
