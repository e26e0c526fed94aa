import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IpSet, Ruleset } from '../../readers/netfilter/ruleset.ts';
import { readIpset } from '../../readers/netfilter/ipset.ts';
import { readIptables } from '../../readers/netfilter/iptables.ts';
import { readNftJson } from '../../readers/netfilter/nft-json.ts';
import { readNftText } from '../../readers/netfilter/nft-text.ts';
import { KernelLab, missing, outsideMac, routerMac } from './testing/lab.ts';
import { nftRules } from './testing/nft-rules.ts';
import { frameOf, probeOf, type Probe } from './testing/packets.ts';
import { labBox, labNetwork, predict, type Predicted } from './testing/predict.ts';
import { ipsetText, iptablesRules, probes } from './testing/rules.ts';

const reason = missing(['ip', 'python3', 'iptables-restore', 'iptables-save', 'ipset', 'nft', 'sysctl']);
/** nft puts this test behind the counter, which then counts packets that the rule does not match. */
const TESTED_LATER = /counter packets \d+ bytes \d+ ether saddr/;
const PROBES = 150;
const RUNS = { numRuns: 5, interruptAfterTimeLimit: 40_000, endOnFailure: true };

/** Of a rule in the listing: how often it was hit. Undefined where nothing counts, or not at its end. */
type Counter = (line: string) => number | undefined;

const ofIptables: Counter = (line) => {
  const counted = /^\[([0-9]+):/.exec(line);
  return counted === null ? undefined : Number(counted[1]);
};
const ofNft: Counter = (line) => {
  const counted = /counter packets ([0-9]+)/.exec(line);
  return counted === null || line.includes('iiftype ether counter') ? undefined : Number(counted[1]);
};

describe.skipIf(reason !== undefined)(
  `the model against the kernel${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    const lab = new KernelLab();
    let first = 0;
    beforeAll(() => lab.start());
    afterAll(() => lab[Symbol.asyncDispose]());

    /** What the kernel did with the probes, by their number. */
    async function observe(all: readonly Probe[]): Promise<ReadonlyMap<number, Probe>> {
      for (const probe of all) lab.send(probe.port, frameOf(probe, outsideMac(probe.port), routerMac(probe.port)));
      const seen = new Map<number, Probe>();
      for (const { port, packet } of await lab.collect(60)) {
        const probe = probeOf(packet, port);
        if (probe !== undefined) seen.set(probe.id, probe);
      }
      return seen;
    }

    async function agree(
      rules: Ruleset,
      ipsets: ReadonlyMap<string, IpSet>,
      drawn: readonly Probe[],
      list: () => string,
      counter: Counter,
      ignored: ReadonlySet<number>,
    ): Promise<void> {
      /** The kernel remembers connections of earlier runs: new numbers, and with them new source ports. */
      const packets = drawn.map((one) => renumbered(one, first));
      first = (first + PROBES) % 40_000;
      const before = list().split('\n');
      const network = labNetwork(labBox([rules], ipsets));
      const observed = await observe(packets);
      const hits = new Map<number, number>();
      for (const packet of packets) {
        const [predicted, ...others] = predict(network, packet);
        expect(others).toEqual([]);
        compare(packet, predicted!, observed.get(packet.id));
        for (const line of predicted!.lines) hits.set(line, (hits.get(line) ?? 0) + 1);
      }
      for (const [index, line] of list().split('\n').entries()) {
        const counted = counter(line);
        if (counted === undefined || ignored.has(index + 1) || TESTED_LATER.test(line)) continue;
        expect(`${counted} times ${before[index]!}`).toBe(`${hits.get(index + 1) ?? 0} times ${before[index]!}`);
      }
    }

    it('of iptables: the same packets, changed in the same way, by the same rules', { timeout: 60_000 }, async () => {
      lab.run('ipset', ['restore'], ipsetText);
      const ipsets = readIpset({ path: 'sets', text: lab.run('ipset', ['save']) }).value;
      const list = () => lab.run('iptables-save', ['-c']);
      await fc.assert(
        fc.asyncProperty(iptablesRules, probes(PROBES), async (rules, packets) => {
          lab.run('iptables-restore', [], rules);
          const { value, reading } = readIptables({ path: 'rules', text: list() });
          expect(reading.lines['not understood']).toBe(0);
          const ignored = new Set(reading.remarks.map(({ line }) => line));
          await agree(value, ipsets, packets, list, ofIptables, ignored);
        }),
        RUNS,
      );
    });

    it('of nftables, read as text and as JSON', { timeout: 60_000 }, async () => {
      const list = () => lab.run('nft', ['list', 'ruleset']);
      await fc.assert(
        fc.asyncProperty(nftRules, probes(PROBES), async (rules, packets) => {
          /** Some of the random rules ask for two protocols at once, and are refused. */
          fc.pre(loads(lab, rules));
          const text = list();
          /** Others ask ICMP for a port: where that would be is its checksum, of which the model knows nothing. */
          fc.pre(!text.includes('icmp checksum'));
          const { value, reading } = readNftText({ path: 'rules', text });
          expect(reading.lines['not understood']).toBe(0);
          const json = readNftJson({ path: 'rules', text: lab.run('nft', ['-j', 'list', 'ruleset']) });
          expect(withoutSources(json.value)).toEqual(withoutSources(value));
          await agree(value, new Map(), packets, list, ofNft, new Set());
        }),
        RUNS,
      );
    });

    it('of the interface by which a packet came, in POSTROUTING', { timeout: 60_000 }, async () => {
      const rules = [
        'table ip t {',
        '  chain nat { type nat hook postrouting priority 100; iifname "eth2" oifname "eth0" counter snat to 10.0.0.77; }',
        '  chain post { type filter hook postrouting priority 0; iifname "eth1" counter drop; iifname "eth0" counter accept; }',
        '}',
      ].join('\n');
      lab.run('nft', ['-f', '-'], `flush ruleset\n${rules}`);
      const list = () => lab.run('nft', ['list', 'ruleset']);
      const { value } = readNftText({ path: 'rules', text: list() });
      const [packets] = fc.sample(probes(PROBES), { numRuns: 1, seed: 57 });
      await agree(value, new Map(), packets!, list, ofNft, new Set());
      // Packets came by all three interfaces, and each of the rules has met some.
      const counted = list()
        .split('\n')
        .flatMap((line) => ofNft(line) ?? []);
      expect(counted.length).toBe(3);
      for (const count of counted) expect(count).toBeGreaterThan(0);
    });
  },
);

function loads(lab: KernelLab, rules: string): boolean {
  try {
    lab.run('nft', ['-f', '-'], `flush ruleset\n${rules}`);
    return true;
  } catch {
    return false;
  }
}

/** Sources differ, and how a statement is told that both know only as such. */
function withoutSources(rules: Ruleset): unknown {
  const plain = (key: string, value: unknown) => {
    if (key === 'source' || key === 'why') return undefined;
    return typeof value === 'bigint' ? `${value}` : value instanceof Map ? [...value] : value;
  };
  return JSON.parse(JSON.stringify(rules, plain)) as unknown;
}

function renumbered(probe: Probe, by: number): Probe {
  return { ...probe, id: probe.id + by, sport: probe.protocol === 'icmp' ? 0 : probe.sport + by };
}

function compare(sent: Probe, predicted: Predicted, observed: Probe | undefined): void {
  const { path, lines, chosen } = predicted;
  const told = `${JSON.stringify(sent)}: ${path.outcome} ${path.why ?? ''}, rules ${lines.join(', ')}`;
  expect(observed?.port, told).toBe(predicted.port);
  if (observed === undefined) return;
  expect(path.doubts).toEqual([]);
  const { src, dst, ttl, tos, sport, dport } = observed;
  const ports = chosen.get('translated port');
  /** The kernel chose one of a range. */
  const expected = ports === undefined ? predicted.packet : { ...predicted.packet, sport };
  if (ports !== undefined)
    expect(
      ports.some(([low, high]) => sport >= low && sport <= high),
      told,
    ).toBe(true);
  expect({ src, dst, ttl, tos, sport, dport }, told).toEqual(expected);
}
