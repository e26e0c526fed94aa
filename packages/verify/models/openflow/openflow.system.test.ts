import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { combined } from '../../equivalence/possibilities.ts';
import { missing, OvsLab } from './testing/ovs.ts';
import {
  agree,
  bridge,
  cookiesIn,
  exploredPorts,
  flowOf,
  frameOf,
  interpreted,
  ofDummy,
  portNumber,
} from './testing/probing.ts';
import { flowTables, PORTS, probe } from './testing/random.ts';
import { frameAt, sentBy, told } from './testing/trace.ts';

const reason = missing();
const RUNS = { numRuns: 6, interruptAfterTimeLimit: 15_000, endOnFailure: true };

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

    it('sends the same packets out of the same ports by the same flows', { timeout: 30_000 }, async () => {
      const seen = { 'the same': 0, 'in doubt': 0 };
      await fc.assert(
        fc.asyncProperty(flowTables, fc.array(probe, { minLength: 12, maxLength: 12 }), async (flows, packets) => {
          lab.load(flows);
          const listing = lab.dump();
          const network = bridge(listing, ports);
          for (const one of packets) seen[await agree(lab, network, one, cookiesIn(listing))] += 1;
        }),
        RUNS,
      );
      expect(seen['the same']).toBeGreaterThan(seen['in doubt']);
    });

    it('leaves open whether a tag is pushed or changed where a listing does not tell, and OVS does one of both', async () => {
      lab.load([
        'priority=1,actions=mod_vlan_pcp:3,2',
        'priority=2,tcp,actions=mod_vlan_vid:5,mod_vlan_pcp:2,3',
        'priority=3,tcp,tp_dst=80,actions=push_vlan:0x8100,set_field:4103->vlan_vid,1',
        'priority=4,udp,dl_vlan=5,actions=mod_vlan_vid:6,1',
      ]);
      const listing = lab.dump();
      expect(listing.match(/push_vlan:0x8100,set_field/g)).toHaveLength(3);
      const network = bridge(listing, ports);
      const seen = new Set<number>();
      for (const one of fc.sample(probe, { numRuns: 60, seed: 8 })) {
        const paths = interpreted(network, one);
        const isOpen = (one.tci & 0x1000) !== 0 && !(one.protocol === 'udp' && (one.tci & 0xfff) === 5);
        expect(paths.map(({ doubts }) => doubts.length)).toEqual(isOpen ? [1, 1] : [0]);
        const trace = await lab.trace(flowOf(one));
        const ways = paths.map(({ outcome, port, read }) =>
          told(outcome === 'delivered' ? [{ port: portNumber(port), frame: frameAt(read) }] : []),
        );
        expect(ways, trace).toContainEqual(told(sentBy(trace, frameOf(one), ofDummy)));
        seen.add(ways.length);
      }
      expect(seen).toEqual(new Set([1, 2]));
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
      for (const one of fc.sample(probe, { numRuns: 150, seed: 1 })) await agree(lab, network, one, undefined);
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
