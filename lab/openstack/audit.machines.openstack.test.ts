import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from './services/common.ts';
import { findLab } from './testing.ts';
import { type Answer, Audited, type WayThrough } from './testing-audit.ts';
import { type End, ping } from './testing-cloud.ts';

const { lab, reason } = findLab({ services: ['ovs'], network: 'ovs', firewall: 'openvswitch' });
const title = 'the audit of a tenant of Neutron, with security groups in Open vSwitch';
const MINUTES_MS = 900_000;

const rulesOf = (ways: readonly WayThrough[]) => ways.flatMap(({ hops }) => hops.flatMap(({ because }) => because));

describe.skipIf(lab === undefined)(
  `${title}${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  { timeout: MINUTES_MS },
  () => {
    let audited: Audited;
    let a: End;
    let b: End;
    let web: string;

    beforeAll(async () => {
      audited = await Audited.make(lab!);
      const made = await audited.network('10.79.1.0/24', [
        { protocol: 'tcp', port_range_min: 80, port_range_max: 80 },
        { protocol: 'icmp', remote_ip_prefix: '10.79.1.0/24' },
      ]);
      web = made.rules[0]!;
      a = await audited.end('a', made.network, made.group);
      b = await audited.end('b', made.network, made.group);
    }, MINUTES_MS);
    afterAll(() => audited.close(), MINUTES_MS);

    /** Every packet that each of them may send, to the other. */
    const expectNoDifference = (found: Answer) =>
      expect(found).toMatchObject({ answer: 'holds', alone: [], differences: [] });

    it('finds that every packet goes as it was asked for', async () => {
      await ping(a.namespace, b.address);
      expectNoDifference(await audited.diff());
    });

    it('finds a rule that was changed without the node being told', async () => {
      const set = (port: number) =>
        sql(
          lab!,
          `update neutron.securitygrouprules set port_range_min=${port}, port_range_max=${port} where id='${web}';`,
        );
      await set(443);
      audited.cloud.later(() => set(80));
      const { answer, differences } = await audited.diff();
      expect(answer).toBe('violated');
      const ports = new Set(
        differences.flatMap(({ inA }) => inA.flatMap(({ sent }) => sent?.fields['TCP.dport'] ?? [])),
      );
      expect([...ports].toSorted()).toEqual(['443', '80']);
      // Both sides are named: the rule of the tenant for what the node drops, the flow for what nobody asked for.
      const asked = differences.find(({ inA }) => inA.some(({ outcome }) => outcome === 'delivered'))!;
      expect(
        rulesOf(asked.inA)
          .map((named) => audited.line(named))
          .join('\n'),
      ).toMatch(/^\s*\{/m);
      expect(rulesOf(asked.inA).some((named) => named.startsWith('security_groups.json:'))).toBe(true);
      const unasked = differences.find(({ inB }) => inB.some(({ outcome }) => outcome === 'delivered'))!;
      expect(
        rulesOf(unasked.inB)
          .map((named) => audited.line(named))
          .join('\n'),
      ).toMatch(/tp_dst=(?:80|0x50)\b/);
      await set(80);
      expectNoDifference(await audited.diff());
    });

    it('finds a flow that was removed', async () => {
      const putBack = await audited.removeFlow(
        new RegExp(String.raw`table=82,.*ct_state=\+new-est,tcp,reg5=\S+,tp_dst=80 .*output:"?${b.device}`),
      );
      const { answer, differences } = await audited.diff();
      expect(answer).toBe('violated');
      for (const { start, inA, inB } of differences) {
        expect(start).toBe('a:in');
        expect(inA.at(-1)).toMatchObject({
          outcome: 'delivered',
          port: 'b:out',
          sent: { fields: { 'TCP.dport': '80' } },
        });
        expect(inB.map(({ outcome }) => outcome)).toEqual(['dropped']);
      }
      await putBack();
      expectNoDifference(await audited.diff());
    });
  },
);
