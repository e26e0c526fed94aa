import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readIpset } from '../../readers/netfilter/ipset.ts';
import { readIptables } from '../../readers/netfilter/iptables.ts';
import { KernelLab, missing, outsideMac, routerMac } from './testing/lab.ts';
import { frameOf, probeOf, type Probe } from './testing/packets.ts';
import { labBox, labNetwork, predict, type Predicted } from './testing/predict.ts';
import { ipsetText, iptablesRules, probes } from './testing/rules.ts';

const reason = missing(['ip', 'python3', 'iptables-restore', 'iptables-save', 'ipset', 'sysctl']);
const PROBES = 150;

/** What the kernel did with the probes, by their number. */
type Observed = ReadonlyMap<number, Probe>;

describe.skipIf(reason !== undefined)(
  `the model against the kernel${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    const lab = new KernelLab();
    beforeAll(() => lab.start());
    afterAll(() => lab[Symbol.asyncDispose]());

    async function observe(all: readonly Probe[]): Promise<Observed> {
      for (const probe of all) lab.send(probe.port, frameOf(probe, outsideMac(probe.port), routerMac(probe.port)));
      const seen = new Map<number, Probe>();
      for (const { port, packet } of await lab.collect(60)) {
        const probe = probeOf(packet, port);
        if (probe !== undefined) seen.set(probe.id, probe);
      }
      return seen;
    }

    it('lets the same packets through, changed in the same way, by the same rules', { timeout: 120_000 }, async () => {
      lab.run('ipset', ['restore'], ipsetText);
      const ipsets = readIpset({ path: 'sets', text: lab.run('ipset', ['save']) }).value;
      let first = 0;
      await fc.assert(
        fc.asyncProperty(iptablesRules, probes(PROBES), async (rules, drawn) => {
          /** The kernel remembers connections of earlier runs: new numbers, and with them new source ports. */
          const packets = drawn.map((one) => renumbered(one, first));
          first = (first + PROBES) % 40_000;
          lab.run('iptables-restore', [], rules);
          const text = lab.run('iptables-save', ['-c']);
          const { value, reading } = readIptables({ path: 'rules', text });
          expect(reading.remarks.filter(({ fate }) => fate === 'not understood')).toEqual([]);
          const network = labNetwork(labBox([value], ipsets));
          const observed = await observe(packets);
          const hits = new Map<number, number>();
          for (const packet of packets) {
            const [predicted, ...others] = predict(network, packet);
            expect(others).toEqual([]);
            compare(packet, predicted!, observed.get(packet.id));
            for (const line of predicted!.lines) hits.set(line, (hits.get(line) ?? 0) + 1);
          }
          compareCounters(lab.run('iptables-save', ['-c']), text, hits, reading.remarks);
        }),
        { numRuns: 12, interruptAfterTimeLimit: 60_000, endOnFailure: true },
      );
    });
  },
);

function renumbered(probe: Probe, by: number): Probe {
  return { ...probe, id: probe.id + by, sport: probe.protocol === 'icmp' ? 0 : probe.sport + by };
}

function compare(sent: Probe, predicted: Predicted, observed: Probe | undefined): void {
  const told = `${JSON.stringify(sent)}: ${predicted.path.outcome} ${predicted.path.why ?? ''}, rules ${predicted.lines.join(', ')}`;
  expect(observed?.port, told).toBe(predicted.port);
  if (observed === undefined) return;
  expect(predicted.path.doubts).toEqual([]);
  const { src, dst, ttl, tos, sport, dport } = observed;
  const ports = predicted.chosen.get('translated port');
  /** The kernel chose one of a range. */
  const expected = ports === undefined ? predicted.packet : { ...predicted.packet, sport };
  if (ports !== undefined)
    expect(
      ports.some(([low, high]) => sport >= low && sport <= high),
      told,
    ).toBe(true);
  expect({ src, dst, ttl, tos, sport, dport }, told).toEqual(expected);
}

/** `[12:3456] -A FORWARD ...`, line by line; lines without effect are not in the model. */
function compareCounters(
  after: string,
  rules: string,
  hits: ReadonlyMap<number, number>,
  remarks: readonly { readonly line: number; readonly fate: string }[],
): void {
  const ignored = new Set(remarks.filter(({ fate }) => fate === 'without effect').map(({ line }) => line));
  const lines = rules.split('\n');
  for (const [index, line] of after.split('\n').entries()) {
    const counted = /^\[([0-9]+):/.exec(line);
    if (counted === null || ignored.has(index + 1)) continue;
    expect(`${counted[1]} ${lines[index]!}`).toBe(`${hits.get(index + 1) ?? 0} ${lines[index]!}`);
  }
}
