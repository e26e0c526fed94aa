import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findLab } from './testing.ts';
import { Audited } from './testing-audit.ts';
import { type End, ping } from './testing-cloud.ts';

const { lab, reason } = findLab({ services: ['ovs'], network: 'ovs' });
const title = 'the audit of a tenant of Neutron, without security groups that are enforced';
const MINUTES_MS = 600_000;

/** With the firewall `noop` nodes enforce the MAC addresses of ports and nothing else: the question is about no more. */
describe.skipIf(lab === undefined)(
  `${title}${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  { timeout: MINUTES_MS },
  () => {
    let audited: Audited;
    let a: End;
    let b: End;
    const asked = () => ['--from', 'a:in', '--packet', `tcp && src host ${a.address}`];

    beforeAll(async () => {
      audited = await Audited.make(lab!);
      const { network, group } = await audited.network('10.78.1.0/24', [{}]);
      a = await audited.end('a', network, group);
      b = await audited.end('b', network, group);
    }, MINUTES_MS);
    afterAll(() => audited.close(), MINUTES_MS);

    it('finds what was asked for, and a flow that was removed', async () => {
      await ping(a.namespace, b.address);
      expect(await audited.diff(...asked())).toMatchObject({ answer: 'holds', alone: [], differences: [] });

      const isOpenflow = lab!.options.firewall === 'openvswitch';
      const own = isOpenflow ? 'table=71, priority=65,ip,.*' : 'table=25, .*';
      const putBack = await audited.removeFlow(new RegExp(`${own}in_port="${a.device}"`));
      await expect(ping(a.namespace, b.address, 1)).rejects.toThrow();
      const { answer, differences } = await audited.diff(...asked());
      expect(answer).toBe('violated');
      const [found] = differences;
      expect(found).toMatchObject({ start: 'a:in' });
      expect(found!.inA.at(-1)).toMatchObject({ outcome: 'delivered', port: 'b:out' });
      const [lost] = found!.inB;
      expect(lost).toMatchObject({ outcome: 'dropped', port: `br-int-lab:${a.device}:in` });
      // It is named what is left of the port's own flows, by which the packet comes to its end.
      const met = lost!.hops[0]!.because.map((named) => audited.line(named)).join('\n');
      expect(met).toContain(isOpenflow ? 'table=71, priority=10,' : 'resubmit(,25)');
      expect(met).toContain(`in_port="${a.device}"`);

      await putBack();
      await ping(a.namespace, b.address);
      expect(await audited.diff(...asked())).toMatchObject({ answer: 'holds' });
    });
  },
);
