import type { TrafficRule } from '@superfluidity/model';
import { applyRuleset, run, TABLE } from '@superfluidity/router';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  all,
  any,
  assemble,
  block,
  branch,
  type Condition,
  differencesText,
  drop,
  equivalence,
  type Instruction,
  type Network,
  nothing,
  parseFilter,
} from '../../packages/verify/index.ts';
import { firewallSkeleton, guardText, networkText } from './firewall.ts';
import { missingForKernelTests, TestNamespaces, titled } from '@superfluidity/netlink/testing';

/**
 * The rules that a host gets for the rules of a block, as the kernel lists them, against the rules of the block: the same for
 * every packet, by the engine. What a rule means is said here in the words of tcpdump, by another hand than that of nft.
 */
const reason = missingForKernelTests(['nft']);
const PORT = 'p300';
const OTHER = 'p301';
const OWN = '10.50.0.5';
const ROUTES = [
  `${OWN} dev ${PORT}`,
  `10.50.1.0/24 dev ${PORT}`,
  `10.50.2.0/24 dev ${OTHER}`,
  `10.51.0.0/16 dev ${OTHER}`,
  'default dev up',
];

const rule: fc.Arbitrary<TrafficRule> = fc.record(
  {
    protocol: fc.constantFrom('tcp', 'udp', 'icmp'),
    from: fc.constantFrom('10.50.2.0/24', '10.50.2.7', '10.51.0.0/17', '0.0.0.0/0', '10.50.0.0/16'),
    ports: fc.uniqueArray(fc.constantFrom(1, 22, 80, 81, 443, 65_535), { maxLength: 3 }),
  },
  { requiredKeys: [] },
);
const firewalls = fc.record({
  allow: fc.array(rule, { maxLength: 4 }),
  transit: fc.boolean(),
  networks: fc.uniqueArray(fc.constantFrom('10.50.0.0/16', '10.51.0.0/16'), { maxLength: 2 }),
  chained: fc.uniqueArray(fc.constantFrom('10.50.1.9', '10.51.3.3', '192.0.2.1'), { maxLength: 2 }),
});
type Firewall = typeof firewalls extends fc.Arbitrary<infer T> ? T : never;

async function rendered(namespace: string, { allow, transit, networks, chained }: Firewall): Promise<string> {
  const elements = chained.length === 0 ? '' : `add element ip ${TABLE} chained { ${chained.join(', ')} }\n`;
  const text = [
    'flush ruleset\n',
    firewallSkeleton(),
    ...networks.map((network) => networkText(network, 'add')),
    elements,
    guardText(PORT, allow, transit, OWN),
  ].join('');
  await applyRuleset(namespace, text);
  return (await run(['nft', 'list', 'ruleset'], { namespace })).stdout;
}

const host = (rules: string) =>
  assemble('host', [
    {
      path: 'h.addr',
      text: [PORT, OTHER, 'up']
        .map((name, i) => `${i + 2}: ${name}    inet 169.254.9.${i + 1}/32 scope global ${name}\n`)
        .join(''),
    },
    { path: 'h.routes', text: `${ROUTES.join('\n')}\n` },
    { path: 'h.nft', text: rules },
  ]);

/** What the block says, at the ports by which packets leave. */
function meant({ allow, transit, networks, chained }: Firewall): Network {
  const { network } = host('table ip none {\n}\n');
  const refused = drop('not let in');
  const byPlace = [
    ...networks.map((net) => parseFilter(`src net ${net} and dst net ${net}`)),
    ...chained.map((address) => parseFilter(`dst host ${address}`)),
  ];
  const placed: Instruction = byPlace.length === 0 ? refused : branch(any(...byPlace), nothing, refused);
  const own = parseFilter(`dst host ${OWN}`);
  const rest: Instruction = transit ? branch(own, refused, placed) : refused;
  const guarded: Instruction = allow.length === 0 ? rest : branch(any(...allow.map(lets)), nothing, rest);
  const programs = new Map(network.programs);
  for (const [name, filter] of [
    [PORT, guarded],
    [OTHER, placed],
    ['up', placed],
  ] as const) {
    programs.set(`h:${name}:out`, block(filter));
  }
  return { ...network, programs };
}

/** Ports have a meaning in TCP and UDP only, whatever the rule says beside. */
function lets({ protocol, from, ports = [] }: TrafficRule): Condition {
  const parts: string[] = from === undefined ? [] : [`src net ${from.includes('/') ? from : `${from}/32`}`];
  if (protocol === 'icmp' || ports.length === 0) parts.push(...(protocol === undefined ? [] : [protocol]));
  else {
    const protocols = protocol === undefined ? ['tcp', 'udp'] : [protocol];
    parts.push(`(${protocols.flatMap((name) => ports.map((port) => `${name} dst port ${port}`)).join(' or ')})`);
  }
  return parts.length === 0 ? all() : parseFilter(parts.join(' and '));
}

/** Fragments are put together before the filter sees them (nf_defrag), and a packet that has no hop left goes nowhere. */
const STARTS = ['h:up:in', `h:${OTHER}:in`].map((port) => ({
  port,
  assume: parseFilter('ip[8] > 1 and ip[6:2] & 0x1fff = 0'),
}));

describe.skipIf(reason !== undefined)(titled('the packet filter of a host', reason), () => {
  test('lets in what the rules of the block let in, and nothing else', { timeout: 60_000 }, async () => {
    using namespaces = new TestNamespaces();
    const namespace = namespaces.create();
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(firewalls, async (firewall) => {
        const { network, readings } = host(await rendered(namespace, firewall));
        expect(readings.flatMap(({ remarks }) => remarks.filter(({ fate }) => fate === 'not understood'))).toEqual([]);
        const verdict = equivalence(meant(firewall), network, STARTS);
        expect(verdict.answer, differencesText(verdict, ['block', 'host'])).toBe('holds');
        compared += 1;
      }),
      { numRuns: 12, interruptAfterTimeLimit: 30_000, endOnFailure: true },
    );
    expect(compared).toBeGreaterThan(5);
  });

  test('is seen to differ when one rule is another', { timeout: 60_000 }, async () => {
    using namespaces = new TestNamespaces();
    const firewall: Firewall = {
      allow: [{ protocol: 'tcp', ports: [80, 443] }],
      transit: false,
      networks: ['10.50.0.0/16'],
      chained: [],
    };
    const text = await rendered(namespaces.create(), firewall);
    expect(text).toContain('{ 80, 443 }');
    const { network } = host(text.replace('{ 80, 443 }', '{ 80, 444 }'));
    const { answer, differences } = equivalence(meant(firewall), network, STARTS);
    expect(answer).toBe('violated');
    const ports = new Set<bigint | undefined>();
    for (const { inA, inB } of differences) {
      for (const path of [...inA, ...inB]) ports.add(path.witness()?.sent.values.get('TCP.dport'));
    }
    expect(ports).toEqual(new Set([443n, 444n]));
  });
});
