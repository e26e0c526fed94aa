import type { KuryrPort } from '@superfluidity/driver-kubernetes/kuryr';
import { parseIpv4, parseIpv4Prefix, prefixHas } from '@superfluidity/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KuryrNetworkPolicy, PolicyRule } from '../api/network-policy.ts';
import { type Met, planPolicies, POLICIES } from './policies.ts';
import { difference, EMPTY, type TableContent } from './table.ts';
import { policy } from './testing/fleet.ts';
import { KernelModel, type Packet } from './testing/kernel.ts';

const SETS = ['senders', 'receivers', 'themselves'];
const PODS = ['a', 'b', 'c'] as const;
const address = (pod: string) => `10.0.0.${PODS.indexOf(pod as 'a') + 1}`;
const port = (pod: string): KuryrPort => ({
  metadata: { namespace: 'default', name: pod },
  spec: { podUid: pod, node: 'n' },
  status: {
    interfaces: {
      eth0: {
        id: pod,
        mac: '',
        addresses: [`${address(pod)}/24`],
        routes: [],
        mtu: 1_500,
        active: true,
        isDefault: true,
        plugging: { kind: 'bridge', bridge: 'pods' },
      },
    },
  },
});
/** Pod c is on another node. */
const ports = new Map(['a', 'b'].map((pod) => [`default/${pod}`, port(pod)]));

const direction = fc.constantFrom('ingress' as const, 'egress' as const);
const rule: fc.Arbitrary<PolicyRule> = fc
  .record({
    direction,
    protocol: fc.option(fc.constantFrom('TCP' as const, 'UDP' as const), { nil: undefined }),
    span: fc.option(fc.constantFrom([80, 80] as const, [80, 90] as const), { nil: undefined }),
    cidr: fc.constantFrom('10.0.0.1/32', '10.0.0.2/32', '10.0.0.3/32', '10.0.0.0/30', '192.0.2.0/25', '0.0.0.0/0'),
  })
  .map(({ direction: towards, protocol, span, cidr }) => ({
    direction: towards,
    cidr,
    ...(protocol === undefined ? {} : { protocol }),
    ...(protocol === undefined || span === undefined ? {} : { portFirst: span[0], portLast: span[1] }),
  }));
const named = fc
  .record({
    number: fc.constantFrom(80, 90),
    pods: fc.subarray([...PODS]),
    cidrs: fc.subarray(['10.0.0.1/32', '10.0.0.2/32', '192.0.2.0/25', '0.0.0.0/0']),
  })
  .map(({ number, pods, cidrs }) => ({
    protocol: 'TCP' as const,
    port: 'web',
    number,
    pods,
    rules: cidrs.map(
      (cidr): PolicyRule => ({ direction: 'ingress', protocol: 'TCP', portFirst: number, portLast: number, cidr }),
    ),
  }));
const world = fc
  .array(
    fc
      .record({
        name: fc.constantFrom('p', 'q', 'r'),
        pods: fc.subarray([...PODS]),
        isolates: fc.subarray(['ingress', 'egress'] as ('ingress' | 'egress')[]),
        rules: fc.array(rule, { maxLength: 4 }),
        named: fc.uniqueArray(named, { maxLength: 2, selector: ({ number }) => number }),
      })
      .map(({ name, pods, isolates, rules, named: ofNames }) => policy(name, pods, isolates, rules, ofNames)),
    { maxLength: 4 },
  )
  .map((all) => new Map(all.map((one) => [`default/${one.metadata.name}`, one])));
const packet: fc.Arbitrary<Packet> = fc.record({
  source: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3', '192.0.2.1', '192.0.2.200'),
  destination: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3', '192.0.2.1', '192.0.2.200'),
  protocol: fc.constantFrom('tcp', 'udp', 'icmp'),
  port: fc.constantFrom(79, 80, 85, 90, 91),
});

/** As the concept of Kubernetes has it ("Network Policies"), from the objects alone. */
function mayPass(policies: readonly KuryrNetworkPolicy[], sent: Packet): boolean {
  if (sent.source === sent.destination) return true;
  return (['egress', 'ingress'] as const).every((towards) => {
    const [own, other] = towards === 'egress' ? [sent.source, sent.destination] : [sent.destination, sent.source];
    const about = policies.filter(
      ({ spec }) =>
        spec.isolates.includes(towards) && spec.pods.some((pod) => ports.has(`default/${pod}`) && address(pod) === own),
    );
    return (
      about.length === 0 ||
      about.some(({ spec }) =>
        [
          ...spec.rules,
          ...(spec.named ?? []).flatMap(({ pods, rules }) => (pods.some((pod) => address(pod) === own) ? rules : [])),
        ].some(
          ({ direction: its, protocol, portFirst, portLast, cidr }) =>
            its === towards &&
            (protocol === undefined || protocol.toLowerCase() === sent.protocol) &&
            (portFirst === undefined || (sent.port >= portFirst && sent.port <= portLast!)) &&
            prefixHas(parseIpv4Prefix(cidr)!, parseIpv4(other)!),
        ),
      )
    );
  });
}

/** As the skeleton has it: of the first packet of a flow. */
function passes(kernel: KernelModel, sent: Packet): boolean {
  if (kernel.sets.get('themselves')!.has(`${sent.source} . ${sent.destination}`)) return true;
  return [kernel.sets.get('senders')!.get(sent.source), kernel.sets.get('receivers')!.get(sent.destination)].every(
    (verdict) => verdict === undefined || kernel.verdict(verdict.split(' ')[1]!, sent) !== 'drop',
  );
}

describe('policies as a table', () => {
  test('let pass what Kubernetes says, after whatever changes', () => {
    fc.assert(
      fc.property(
        fc.array(world, { minLength: 1, maxLength: 4 }),
        fc.array(packet, { minLength: 1, maxLength: 20 }),
        (worlds, packets) => {
          const kernel = new KernelModel(SETS);
          let before = EMPTY;
          for (const policies of worlds) {
            const { content } = planPolicies(policies, ports);
            kernel.apply(difference(POLICIES, before, content));
            before = content;
            for (const sent of packets) expect(passes(kernel, sent)).toBe(mayPass([...policies.values()], sent));
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('a pod is closed by its port until the policy that closes it is known, and open when that is gone', () => {
    const closed = { ...port('a'), status: { ...port('a').status!, isolated: ['ingress' as const] } };
    const all = new Map([...ports, ['default/a', closed]]);
    const toA: Packet = { source: address('b'), destination: address('a'), protocol: 'tcp', port: 80 };
    const toB: Packet = { ...toA, source: address('a'), destination: address('b') };
    const kernel = new KernelModel(SETS);
    let [before, met]: [TableContent, Met] = [EMPTY, new Set()];
    const passing = (...policies: readonly KuryrNetworkPolicy[]) => {
      const named = new Map(policies.map((one) => [`default/${one.metadata.name}`, one]));
      const plan = planPolicies(named, all, met);
      kernel.apply(difference(POLICIES, before, plan.content));
      [before, met] = [plan.content, plan.met];
      return [toA, toB].map((sent) => passes(kernel, sent));
    };
    expect(passing()).toEqual([false, true]);
    // One that says nothing about it changes nothing.
    expect(passing(policy('q', ['b'], ['egress'], [{ direction: 'egress', cidr: '0.0.0.0/0' }]))).toEqual([
      false,
      true,
    ]);
    const own = policy('p', ['a'], ['ingress'], [{ direction: 'ingress', cidr: `${address('b')}/32` }]);
    expect(passing(own)).toEqual([true, true]);
    expect(passing(policy('p', ['a'], ['ingress']))).toEqual([false, true]);
    // Its port says it no more in a moment.
    expect(passing()).toEqual([true, true]);
    // Another pod of the name.
    all.set('default/a', { ...closed, spec: { ...closed.spec, podUid: 'next' } });
    expect(passing()).toEqual([false, true]);
  });

  test('are about pods of this node alone', () => {
    const { content, policies } = planPolicies(new Map([['default/p', policy('p', ['c'], ['ingress'])]]), ports);
    expect([difference(POLICIES, EMPTY, content), policies]).toEqual(['', 0]);
  });

  test('a peer more is an element more', () => {
    const peer = (n: number): PolicyRule => ({ direction: 'ingress', cidr: `10.0.1.${n}/32` });
    const planned = (count: number) =>
      planPolicies(
        new Map([
          [
            'default/p',
            policy(
              'p',
              ['a'],
              ['ingress'],
              Array.from({ length: count }, (_, i) => peer(i)),
            ),
          ],
        ]),
        ports,
      ).content;
    expect(difference(POLICIES, planned(3), planned(4))).toMatch(/^add element ip \w+ to_\w+ \{ 10\.0\.1\.3 \}\n$/);
    expect(difference(POLICIES, planned(4), planned(3))).toMatch(/^delete element ip \w+ to_\w+ \{ 10\.0\.1\.3 \}\n$/);
  });

  test('what is no prefix is told and lets nothing pass', () => {
    const bad = policy('p', ['a'], ['ingress'], [{ direction: 'ingress', cidr: '0.0.0.0/0 } flush ruleset' }]);
    const { content, troubles } = planPolicies(new Map([['default/p', bad]]), ports);
    expect(difference(POLICIES, EMPTY, content)).not.toMatch(/flush|accept/);
    expect(troubles).toHaveLength(1);
  });
});
