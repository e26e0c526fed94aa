import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assemble } from '../../assemble/assemble.ts';
import { reach } from '../../analyses/questions.ts';
import { parseFilter } from '../../filter/filter.ts';
import { fieldIs, layouts } from '../../ir/layouts.ts';
import type { InputFile } from '../../read/reader.ts';
import { readFlows } from '../../readers/openflow/flows.ts';
import { openflowModel } from './model.ts';

const tcp = layouts.filter(({ name }) => name === 'ether/ipv4/tcp');
const node = (name: string, number: number) => [
  {
    path: `flows-br-int-${name}.txt`,
    text: 'NXST_FLOW reply (xid=0x4):\n cookie=0x1, duration=9.1s, table=0, n_packets=1, n_bytes=2, priority=0 actions=NORMAL\n',
  },
  {
    path: `ports-br-int-${name}.txt`,
    text: ' 1(patch-tun): addr:06:ed:d2:cf:bc:83\n 3(tap0): addr:fe:16:3e:42:5d:ed\n',
  },
  {
    path: `flows-br-tun-${name}.txt`,
    text: [
      'table=0,priority=1,in_port=1 actions=resubmit(,2)',
      'table=0,priority=1,in_port=2 actions=resubmit(,4)',
      `table=2,priority=1,dl_vlan=${number} actions=strip_vlan,set_tunnel:0x51,output:2`,
      `table=4,priority=1,tun_id=0x51 actions=mod_vlan_vid:${number},output:1`,
      '',
    ].join('\n'),
  },
  {
    path: `ports-br-tun-${name}.txt`,
    text: ' 1(patch-int): addr:00:00:00:00:00:01\n 2(vxlan0): addr:00:00:00:00:00:02\n',
  },
  {
    path: `ovs-${name}.txt`,
    text: `4b21ae7e
    Bridge br-int
        fail_mode: secure
        Port tap0
            tag: ${number}
            Interface tap0
        Port patch-tun
            Interface patch-tun
                type: patch
                options: {peer=patch-int}
    Bridge br-tun
        Port patch-int
            Interface patch-int
                type: patch
                options: {peer=patch-tun}
        Port vxlan0
            Interface vxlan0
                type: vxlan
                options: {in_key=flow, out_key=flow, remote_ip="172.16.0.11"}
`,
  },
];

describe('two nodes with bridges of Open vSwitch', () => {
  const links = { path: 'links', text: 'br-tun-a:vxlan0 <-> br-tun-b:2\n' };
  const { network, readings } = assemble('cloud', [...node('a', 1), ...node('b', 7), links]);

  it('are read whole', () => {
    expect(readings.filter(({ lines }) => lines['not understood'] > 0)).toEqual([]);
  });

  it('have one network through patches and a tunnel, whatever the VLANs on either side are', () => {
    const verdict = reach(network, { port: 'br-int-a:3', layouts: tcp }, 'br-int-b:tap0:out');
    expect(verdict.answer).toBe('holds');
    expect(verdict.rules.map(({ file }) => file)).toContain('flows-br-tun-b.txt');
  });

  it('lose it when the keys of the tunnel differ', () => {
    const other = node('b', 7).map((file) => ({ ...file, text: file.text.replace('tun_id=0x51', 'tun_id=0x52') }));
    const apart = assemble('cloud', [...node('a', 1), ...other, links]).network;
    expect(reach(apart, { port: 'br-int-a:3', layouts: tcp }, 'br-int-b:tap0:out').answer).toBe('violated');
  });
});

const ask = (flows: string, packet: string, to = 'br:p2:out', more: readonly InputFile[] = []) => {
  const { network } = assemble('one', [
    { path: 'br.flows', text: flows },
    {
      path: 'br.ports',
      text: '1(p1): addr:02:00:00:00:00:01\n2(p2): addr:02:00:00:00:00:02\n3(p3): addr:02:00:00:00:00:03\n',
    },
    ...more,
  ]);
  return reach(network, { port: 'br:1', layouts: tcp, assume: parseFilter(packet) }, to).answer;
};

describe('a switch whose MAC table is told', () => {
  const vswitch = { path: 'ovs-node.txt', text: '    Bridge br\n    Port p1\n    Port p2\n    Port p3\n' };
  const told = (rows: string) => ({ path: 'br.fdb', text: ` port  VLAN  MAC                Age\n${rows}` });
  const nowhere = [vswitch, told('')];
  const there = [vswitch, told('    3     0  02:00:00:00:00:09    7\nLOCAL     0  02:00:00:00:00:08  static\n')];
  const unreadable = [vswitch, told('    3     0  02:00:00:00:00:zz    7\n')];

  it('sends to the station where it is, and to everybody what it does not know', () => {
    const [known, other] = ['ether dst 02:00:00:00:00:09', 'ether dst 02:00:00:00:00:07'];
    expect(ask('priority=1,actions=NORMAL', known, 'br:p2:out', there)).toBe('violated');
    expect(ask('priority=1,actions=NORMAL', known, 'br:p3:out', there)).toBe('holds');
    expect(ask('priority=1,actions=NORMAL', other, 'br:p2:out', there)).toBe('holds');
    expect(ask('priority=1,actions=NORMAL', known, 'br:p2:out', nowhere)).toBe('holds');
    expect(ask('priority=1,actions=NORMAL', known, 'br:p2:out', unreadable)).toBe('unknown');
  });
});

describe('a pipeline', () => {
  it('that goes round ends where OVS ends it, with a doubt', () => {
    const flows = 'in_port=1,actions=resubmit(,0)\npriority=1,in_port=7,actions=output:2\n';
    expect(ask(flows, 'tcp')).toBe('unknown');
  });

  it('keeps what it does not know for the packets that meet it', () => {
    const flows =
      'priority=9,tcp,tp_dst=80,actions=group:7,output:2\npriority=8,tcp,tp_dst=81,actions=output:2\n' +
      'table=1,nsh_spi=5,actions=output:3\n';
    expect(ask(flows, 'dst port 81')).toBe('holds');
    expect(ask(flows, 'dst port 80')).toBe('unknown');
    expect(ask(flows, 'dst port 82')).toBe('violated');
    expect(ask(`${flows}nonsense\n`, 'dst port 82')).toBe('unknown');
  });

  it('executes the output of its action set at the end, once', () => {
    const flows =
      'actions=write_actions(output:3),goto_table:1\ntable=1,tcp,tp_dst=80,actions=write_actions(output:2)\n';
    expect([ask(flows, 'dst port 80'), ask(flows, 'dst port 81')]).toEqual(['holds', 'violated']);
    expect(ask(flows, 'dst port 81', 'br:p3:out')).toBe('holds');
  });
});

describe('an action set', () => {
  it('is in doubt when there are too many of them', () => {
    const flows = (count: number) =>
      [
        ...Array.from(
          { length: count },
          (_, i) => `priority=5,tcp,tp_src=${i + 1},actions=write_actions(set_field:${i}->tcp_dst,output:2)`,
        ),
        'priority=1,tcp,actions=write_actions(output:3)\n',
      ].join('\n');
    expect([ask(flows(200), 'src port 7'), ask(flows(200), 'src port 2000')]).toEqual(['holds', 'violated']);
    expect(ask(flows(300), 'src port 7')).toBe('unknown');
  });
});

describe('the reader of flows', () => {
  const sample =
    ' cookie=0x1, table=3, priority=10,ct_state=+trk-new,tcp,reg0=0x5/0xf,tp_dst=80 actions=ct(commit,zone=NXM_NX_REG6[0..15],' +
    'exec(load:0x1->NXM_NX_CT_MARK[])),load:0x3->NXM_NX_REG0[0..3],conjunction(7,1/2),resubmit(,4),"patch-tun"';

  it('reads what is written', () => {
    const { value, reading } = readFlows({ path: 'f', text: sample });
    expect(reading.lines['not understood']).toBe(0);
    expect(value[0]).toMatchObject({ table: 3, priority: 10, doubts: [] });
    expect(value[0]!.matches).toContainEqual({ field: 'ct_state', value: 0x20n, mask: 0x21n });
    expect(value[0]!.actions.map(({ kind }) => kind)).toEqual(['track', 'set', 'conjunction', 'resubmit', 'output']);
  });

  it('has an account of every line and a model of it, whatever it is', () => {
    const noise = fc
      .tuple(fc.nat(sample.length), fc.nat(12), fc.string({ maxLength: 12 }))
      .map(([at, cut, text]) => sample.slice(0, at) + text + sample.slice(at + cut));
    const any = fc.oneof(noise, fc.string({ maxLength: 200, unit: 'binary' }));
    fc.assert(
      fc.property(fc.array(any, { maxLength: 4 }), (lines) => {
        const text = lines.join('\n');
        const { value, reading } = readFlows({ path: 'f', text });
        expect(Object.values(reading.lines).reduce((a, b) => a + b, 0)).toBe(text.split('\n').length);
        openflowModel('br', { flows: value, ports: [] });
      }),
      { numRuns: 60 },
    );
  });
});

const dumps = fileURLToPath(
  new URL('../../../../../shared/data/verification/calincru+iptables-sefl/data/dumps/', import.meta.url),
);
const absent = existsSync(dumps) ? '' : ' (skipped: the data is not there)';

describe.skipIf(absent !== '')(`the nodes of a real OpenStack${absent}`, () => {
  it('are understood line by line, and joined by their tunnel', () => {
    const files = readdirSync(dumps)
      .filter((name) => /^(?:flows|ports|ovs)-/.test(name))
      .map((name) => ({ path: name, text: readFileSync(`${dumps}${name}`, 'utf8') }));
    const links = { path: 'links', text: 'br-tun-compute1:2 <-> br-tun-controller:2\n' };
    const { network, readings } = assemble('cloud', [...files, links]);
    expect(readings.filter(({ lines }) => lines['not understood'] > 0)).toEqual([]);
    const from = { port: 'br-int-compute1:3', layouts: tcp };
    const verdict = reach(network, from, 'br-int-controller:tapa61e24db-b6:out');
    expect(verdict).toMatchObject({ answer: 'holds', dependsOn: [] });
    // For a station that no flow names there may be one by now.
    const nobody = { ...from, assume: fieldIs('Ether.dst', 0x0200_0000_0001) };
    const perhaps = reach(network, nobody, 'br-int-controller:tapa61e24db-b6:out');
    expect(perhaps).toMatchObject({ answer: 'unknown', dependsOn: [expect.stringContaining('learn()')] });
    // Nobody says where a flow would send that has been learned meanwhile.
    expect(reach(network, from, 'br-int-compute1:tap737565c0-2c:out').answer).toBe('unknown');
  });
});
