import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { interpret } from '../../engine/interpret.ts';
import { constant } from '../../ir/expression.ts';
import { assign, block } from '../../ir/instruction.ts';
import { onTheWay } from './run.ts';
import { missing, OvsLab } from './testing/ovs.ts';
import { agree, bridge, flowOf, frameOf, ofDummy, portNumber, setupOf, valuesOf } from './testing/probing.ts';
import { actionSetTables, labelTables, PORTS, probe, tagTables } from './testing/random.ts';
import { frameAt, sentBy, told } from './testing/trace.ts';

const reason = missing();
const RUNS = { numRuns: 5, interruptAfterTimeLimit: 10_000, endOnFailure: true };

const TUNNEL = 'g4';

const kinds = [
  ['executes action sets', actionSetTables],
  ['puts tags in front of tags', tagTables],
  ['puts labels of MPLS in front of packets', labelTables],
] as const;

describe.skipIf(reason !== undefined)(
  `what the model puts in front of packets, and what Open vSwitch does${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    const lab = new OvsLab();
    let ports = '';
    let groups = '';
    beforeAll(async () => {
      const tunnel = { name: TUNNEL, number: 4, type: 'geneve', options: { remote_ip: '192.0.2.1', key: 'flow' } };
      await lab.start([{ name: 'br0', ports: [...PORTS.map((name, i) => ({ name, number: i + 1 })), tunnel] }]);
      lab.mapOptions('{class=0x102,type=0x80,len=4}->tun_metadata0');
      ports = lab.ports();
      groups = lab.loadGroups([
        'group_id=1,type=all,bucket=actions=set_field:02:00:00:00:00:01->eth_src,output:1,bucket=actions=output:2',
        'group_id=2,type=indirect,bucket=actions=output:3',
      ]);
    }, 30_000);
    afterAll(() => lab[Symbol.asyncDispose]());

    it.each(kinds)('%s', { timeout: 30_000 }, async (_, tables) => {
      const seen = { 'the same': 0, 'in doubt': 0 };
      await fc.assert(
        fc.asyncProperty(tables, fc.array(probe, { minLength: 10, maxLength: 10 }), async (flows, packets) => {
          lab.load(flows);
          const network = bridge(lab.dump(), ports, [], groups);
          for (const one of packets) seen[await agree(lab, network, one, undefined)] += 1;
        }),
        RUNS,
      );
      expect(seen['the same']).toBeGreaterThan(seen['in doubt']);
    });

    it('sends and looks at keys and options of tunnels', { timeout: 30_000 }, async () => {
      lab.load([
        'priority=9,in_port=1,tcp,tp_dst=80,actions=set_field:7->tun_id,move:NXM_OF_TCP_SRC[]->NXM_NX_TUN_METADATA0[8..23],4',
        'priority=8,in_port=1,tcp,actions=load:0x12345->NXM_NX_TUN_METADATA0[],output:4',
        'priority=7,in_port=1,actions=output:4',
        'priority=6,in_port=4,tun_id=5,tun_metadata0=0x7/0xf,actions=2',
        'priority=5,in_port=4,tun_metadata0=0x100/0xff00,actions=move:NXM_NX_TUN_METADATA0[0..15]->NXM_NX_REG0[0..15],resubmit(,1)',
        'priority=4,in_port=4,actions=3',
        'table=1,reg0=0x106,actions=1',
        'table=1,actions=1,3',
      ]);
      const configured = [...PORTS, TUNNEL].map((name) => ({ name, ...(name === TUNNEL ? { type: 'geneve' } : {}) }));
      const network = bridge(lab.dump(), ports, configured);
      const ofTunnel = [...(await lab.datapathPorts())].find(([, { type }]) => type === 'geneve')![0];
      const portOf = (datapath: number) => (datapath === ofTunnel ? 4 : ofDummy(datapath));
      const arrivals = [5n, 6n].flatMap((key) =>
        [0n, 0x7n, 0x106n, 0x107n, 0x1_0000n].map((option) => ({ key, option })),
      );
      let compared = 0;
      for (const one of fc.sample(probe, { numRuns: 60, seed: 7 })) {
        const isIn = one.port !== 1;
        const { key, option } = arrivals[compared % arrivals.length]!;
        const flow = flowOf(one).replace(
          /in_port=\d/,
          isIn ? `in_port=4,tun_id=${key},tun_src=192.0.2.1,tun_dst=192.0.2.2,tun_metadata0=${option}` : 'in_port=1',
        );
        const sent = sentBy(await lab.trace(flow), frameOf(one), portOf, (datapath) => datapath === ofTunnel);
        const arriving = block(
          setupOf(one),
          assign(onTheWay('tun_id'), constant(key, 64)),
          assign(onTheWay('tun_metadata0'), constant(option, 256)),
        );
        const paths = interpret(network, isIn ? 'host:4' : 'host:1', isIn ? arriving : setupOf(one), {
          fresh: (name) => valuesOf(one)[name] ?? 0n,
        });
        const out = paths.filter(({ outcome }) => outcome === 'delivered');
        const modelled = out.map(({ port, read }) => ({
          port: portNumber(port),
          frame: frameAt(read),
          ...(port.includes(TUNNEL)
            ? { tunnel: { key: read(onTheWay('tun_id'))!, option: read(onTheWay('tun_metadata0'))!, to: '' } }
            : {}),
        }));
        const expected = sent.map(({ tunnel, ...rest }) => ({
          ...rest,
          ...(tunnel === undefined ? {} : { tunnel: { option: 0n, ...tunnel } }),
        }));
        expect(told(modelled), flow).toEqual(told(expected));
        compared += 1;
      }
      expect(compared).toBe(60);
    });
  },
);
