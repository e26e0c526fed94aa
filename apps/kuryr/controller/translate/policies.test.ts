import type { Pod } from '@superfluidity/driver-kubernetes';
import {
  formatIpv4,
  type Ipv4,
  type Ipv4Prefix,
  parseIpv4,
  parseIpv4Prefix,
  prefixHas,
  subPrefix,
} from '@superfluidity/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LabelSelector, Namespace, NetworkPolicy, PolicyPeer, PolicyPort } from '../../kubernetes/objects.ts';
import { isolatedBy, namedIn, namedKey, type PolicyView, resolvePolicy, selects } from './policies.ts';
import { aggregate, loosePrefix, without } from './prefixes.ts';

type TestPod = Pod & { readonly status: { readonly podIP: string } };
type TestSpec = Readonly<
  Record<
    'containers' | 'initContainers',
    readonly {
      readonly restartPolicy?: string;
      readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
    }[]
  >
>;

const NAMESPACES = ['red', 'blue'] as const;
const namespaces = new Map<string, Namespace>(
  NAMESPACES.map((name) => [name, { metadata: { name, labels: { team: name } } }]),
);
const viewOf = (pods: readonly TestPod[]): PolicyView => ({
  pods,
  namespaces,
  addressOf: (pod) => pod.status?.podIP,
});

const label = fc.constantFrom('a', 'b', 'c');
const selector: fc.Arbitrary<LabelSelector> = fc.oneof(
  fc.constant({}),
  label.map((app) => ({ matchLabels: { app } })),
  fc.record({
    matchExpressions: fc.array(
      fc.record({
        key: fc.constantFrom('app', 'tier'),
        operator: fc.constantFrom('In' as const, 'NotIn' as const, 'Exists' as const, 'DoesNotExist' as const),
        values: fc.array(label, { minLength: 1, maxLength: 2 }),
      }),
      { minLength: 1, maxLength: 2 },
    ),
  }),
);
const teams: fc.Arbitrary<LabelSelector> = fc.oneof(
  fc.constant({}),
  fc.constantFrom(...NAMESPACES).map((team) => ({ matchLabels: { team } })),
);
const peer: fc.Arbitrary<PolicyPeer> = fc.oneof(
  fc.record({ podSelector: selector }),
  fc.record({ namespaceSelector: teams }),
  fc.record({ podSelector: selector, namespaceSelector: teams }),
  fc.constantFrom<PolicyPeer>(
    { ipBlock: { cidr: '10.0.0.0/28' } },
    { ipBlock: { cidr: '10.0.0.0/27', except: ['10.0.0.4/30', '10.0.0.9/32'] } },
    { ipBlock: { cidr: 'fd00::/8' } },
  ),
);
const port: fc.Arbitrary<PolicyPort> = fc.oneof(
  fc.record({ port: fc.constantFrom(80, 81) }),
  fc.constant({ protocol: 'UDP' as const }),
  fc.constant({ port: 80, endPort: 90 }),
  fc.constant({ port: 'web' }),
);
const some = <T>(one: fc.Arbitrary<T>) => fc.option(fc.array(one, { maxLength: 2 }), { nil: undefined });
const policy: fc.Arbitrary<NetworkPolicy> = fc
  .record({
    namespace: fc.constantFrom(...NAMESPACES),
    podSelector: selector,
    policyTypes: fc.constantFrom(
      undefined,
      ['Ingress' as const],
      ['Egress' as const],
      ['Ingress' as const, 'Egress' as const],
    ),
    ingress: some(fc.record({ from: some(peer), ports: some(port) })),
    egress: some(fc.record({ to: some(peer), ports: some(port) })),
  })
  .map(
    ({ namespace, ...spec }) =>
      JSON.parse(JSON.stringify({ metadata: { name: 'p', namespace }, spec })) as NetworkPolicy,
  );
const pod = fc.record({
  namespace: fc.constantFrom(...NAMESPACES),
  app: fc.option(label, { nil: undefined }),
  isOver: fc.boolean(),
  web: fc.constantFrom<readonly number[]>([], [8_080], [8_081], [81, 8_080]),
  /** In which of its containers. */
  place: fc.constantFrom('containers' as const, 'initContainers' as const),
});
const pods: fc.Arbitrary<readonly TestPod[]> = fc.array(pod, { maxLength: 7 }).map((all) =>
  all.map(
    ({ namespace, app, isOver, web, place }, at) =>
      ({
        metadata: { name: `pod-${at}`, namespace, labels: app === undefined ? {} : { app } },
        spec: {
          containers: [{ ports: [{ name: 'other', containerPort: 85 }] }],
          initContainers: [{ ports: [{ name: 'web', containerPort: 91 }] }],
          [place]: web.map((containerPort) => ({
            restartPolicy: 'Always',
            ports: [{ name: 'web', containerPort, protocol: 'TCP' }],
          })),
        },
        status: { podIP: `10.0.0.${at + 2}`, phase: isOver ? 'Succeeded' : 'Running' },
      }) as unknown as TestPod,
  ),
);

/** What the documentation of NetworkPolicy says, of one packet, without resolving anything beforehand. */
function means(
  { metadata, spec }: NetworkPolicy,
  direction: 'ingress' | 'egress',
  own: TestPod,
  other: { readonly address: Ipv4; readonly pod: TestPod | undefined },
  packet: { readonly protocol: 'TCP' | 'UDP'; readonly port: number },
): boolean {
  const fits = (wanted: LabelSelector, labels: Readonly<Record<string, string>>) =>
    Object.entries(wanted.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
    (wanted.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      const isIn = value !== undefined && values.includes(value);
      return operator === 'In' ? isIn : !isIn;
    });
  const isPeer = ({ ipBlock, podSelector, namespaceSelector }: PolicyPeer) => {
    if (ipBlock !== undefined) {
      const has = (text: string) => {
        const prefix = parseIpv4Prefix(text);
        return prefix !== undefined && prefixHas(prefix, other.address);
      };
      return has(ipBlock.cidr) && !(ipBlock.except ?? []).some(has);
    }
    if (other.pod === undefined || other.pod.status.phase === 'Succeeded') return false;
    const { namespace = '', labels = {} } = other.pod.metadata;
    const isThere =
      namespaceSelector === undefined ? namespace === metadata.namespace : fits(namespaceSelector, { team: namespace });
    return isThere && (podSelector === undefined || fits(podSelector, labels));
  };
  const target = direction === 'ingress' ? own : other.pod;
  const isPort = ({ protocol = 'TCP', port: wanted, endPort }: PolicyPort) => {
    if (protocol !== packet.protocol) return false;
    if (wanted === undefined) return true;
    if (typeof wanted === 'number') return packet.port >= wanted && packet.port <= (endPort ?? wanted);
    if (target?.status.phase === 'Succeeded') return false;
    const { containers, initContainers } = (target?.spec ?? { containers: [], initContainers: [] }) as TestSpec;
    // Init containers that end are over before anything can come to the pod.
    return [...containers, ...initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always')].some((one) =>
      one.ports.some(({ name, containerPort }) => name === wanted && containerPort === packet.port),
    );
  };
  const rules =
    direction === 'ingress'
      ? (spec.ingress ?? []).map(({ from, ports: of }) => ({ peers: from, ports: of }))
      : (spec.egress ?? []).map(({ to, ports: of }) => ({ peers: to, ports: of }));
  return rules.some(
    ({ peers, ports: of }) =>
      (peers === undefined || peers.length === 0 || peers.some(isPeer)) &&
      (of === undefined || of.length === 0 || of.some(isPort)),
  );
}

describe('what a NetworkPolicy becomes', () => {
  test('lets pass what the policy lets pass, packet by packet and pod by pod', () => {
    const seen = { ingress: 0, egress: 0 };
    const packets = (['TCP', 'UDP'] as const).flatMap((protocol) =>
      [80, 81, 85, 91, 8_080, 8_081].map((port) => ({ protocol, port })),
    );
    fc.assert(
      fc.property(policy, pods, (wanted, all) => {
        const spec = resolvePolicy(wanted, viewOf(all));
        const chosen = all.filter((each) => selects(wanted, each));
        const nameless = JSON.parse(JSON.stringify(wanted).replaceAll('"web"', '"none"')) as NetworkPolicy;
        expect(spec.pods).toEqual(chosen.map(({ metadata }) => metadata.name).toSorted());
        // Of pods, and of nobody inside and outside of each block.
        for (const last of [2, 3, 4, 5, 9, 14, 20, 40]) {
          const address = parseIpv4(`10.0.0.${last}`)!;
          const other = { address, pod: all.find(({ status }) => status.podIP === formatIpv4(address)) };
          for (const direction of isolatedBy(wanted))
            for (const own of chosen) {
              const named = (spec.named ?? []).filter(({ pods: its }) => its.includes(own.metadata.name));
              const rules = [...spec.rules, ...named.flatMap((one) => one.rules)].filter(
                (rule) => rule.direction === direction && prefixHas(parseIpv4Prefix(rule.cidr)!, address),
              );
              for (const one of packets) {
                const passes = rules.some(
                  (rule) =>
                    (rule.protocol === undefined || rule.protocol === one.protocol) &&
                    (rule.portFirst === undefined || (one.port >= rule.portFirst && one.port <= rule.portLast!)),
                );
                const isMeant = means(wanted, direction, own, other, one);
                if (passes !== isMeant)
                  throw new Error(`${own.metadata.name} ${direction} ${last} ${one.protocol} ${one.port}: ${passes}`);
                if (isMeant && !means(nameless, direction, own, other, one)) seen[direction] += 1;
              }
            }
        }
        for (const { pods: its, rules, ...named } of spec.named ?? []) {
          expect(rules.every(({ direction }) => direction === 'ingress')).toBe(true);
          const having = chosen.filter((own) =>
            namedIn(wanted, own).some((each) => namedKey(each) === namedKey(named)),
          );
          expect(its).toEqual(having.map(({ metadata }) => metadata.name).toSorted());
        }
        for (const { direction } of spec.rules) expect(isolatedBy(wanted)).toContain(direction);
      }),
      { numRuns: 1_000 },
    );
    expect([seen.ingress > 10, seen.egress > 10]).toEqual([true, true]);
  });

  test('what it isolates is what its types say, or its rules', () => {
    const of = (spec: object) => isolatedBy({ metadata: { name: 'p' }, spec: { podSelector: {}, ...spec } });
    expect(of({})).toEqual(['ingress']);
    expect(of({ egress: [{}] })).toEqual(['ingress', 'egress']);
    expect(of({ policyTypes: ['Egress'] })).toEqual(['egress']);
  });

  const named = (at: number, ...numbers: readonly number[]) =>
    ({
      metadata: { name: `pod-${at}`, namespace: 'red', labels: {} },
      spec: { containers: [{ ports: numbers.map((containerPort) => ({ name: 'web', containerPort })) }] },
      status: { podIP: `10.0.0.${at}` },
    }) as unknown as TestPod;
  const wanted: NetworkPolicy = {
    metadata: { name: 'p', namespace: 'red' },
    spec: { podSelector: {}, ingress: [{ ports: [{ port: 'web' }] }] },
  };

  test('a name is what it means in each pod, also in those of a block of addresses', () => {
    const pods = [named(1, 80), named(2, 81), named(3), named(4, 81)];
    const open = (number: number) => [
      { direction: 'ingress', protocol: 'TCP', portFirst: number, portLast: number, cidr: '0.0.0.0/0' },
    ];
    expect(resolvePolicy(wanted, viewOf(pods))).toEqual({
      isolates: ['ingress'],
      pods: ['pod-1', 'pod-2', 'pod-3', 'pod-4'],
      rules: [],
      named: [
        { protocol: 'TCP', port: 'web', number: 80, pods: ['pod-1'], rules: open(80) },
        { protocol: 'TCP', port: 'web', number: 81, pods: ['pod-2', 'pod-4'], rules: open(81) },
      ],
    });
    const block = { ipBlock: { cidr: '10.0.0.0/29', except: ['10.0.0.4/32'] } };
    const out = { ...wanted, spec: { podSelector: {}, egress: [{ to: [block], ports: [{ port: 'web' }] }] } };
    expect(resolvePolicy(out, viewOf(pods)).rules.map(({ cidr, portFirst }) => `${cidr} ${portFirst}`)).toEqual([
      '10.0.0.1/32 80',
      '10.0.0.2/32 81',
    ]);
  });

  test('refuses names that mean too many ports in its pods, and more rules than a group takes', () => {
    const apart = Array.from({ length: 65 }, (_, at) => named(at + 1, 8_000 + at));
    expect(() => resolvePolicy(wanted, viewOf(apart))).toThrow(
      /red\/p: names of its ports mean 65 numbers in its pods, of which 64 can be installed/,
    );
    const many = Array.from({ length: 1_001 }, (_, at) => ({
      ipBlock: { cidr: `10.${at >> 7}.${(at & 127) * 2}.0/24` },
    }));
    const large = { ...wanted, spec: { podSelector: {}, ingress: [{ from: many }] } };
    expect(() => resolvePolicy(large, viewOf([]))).toThrow(expect.objectContaining({ code: 'SF-KURYR-POLICY' }));
  });
});

const small = fc
  .record({ length: fc.integer({ min: 26, max: 32 }), at: fc.nat({ max: 63 }) })
  .map(({ length, at }): Ipv4Prefix => subPrefix({ base: 0, length: 26 }, length, at % 2 ** (length - 26)));
const members = (prefixes: readonly Ipv4Prefix[]) =>
  Array.from({ length: 64 }, (_, address) => address).filter((address) =>
    prefixes.some((one) => prefixHas(one, address)),
  );

describe('prefixes', () => {
  test('aggregated, they have the same addresses and are the fewest', () => {
    fc.assert(
      fc.property(fc.array(small, { maxLength: 12 }), (prefixes) => {
        const fewest = aggregate(prefixes);
        expect(members(fewest)).toEqual(members(prefixes));
        // Each part of the space that is whole is one prefix: counted from above.
        const has = new Set(members(prefixes));
        const count = (base: number, size: number): number => {
          const inside = Array.from({ length: size }, (_, at) => has.has(base + at));
          if (inside.every(Boolean)) return 1;
          return inside.some(Boolean) ? count(base, size / 2) + count(base + size / 2, size / 2) : 0;
        };
        expect(fewest).toHaveLength(count(0, 64));
      }),
    );
  });

  test('without others, they have what these do not have', () => {
    fc.assert(
      fc.property(small, fc.array(small, { maxLength: 4 }), (prefix, except) => {
        const left = without(prefix, except);
        const gone = new Set(members(except));
        expect(members(left)).toEqual(members([prefix]).filter((address) => !gone.has(address)));
      }),
    );
    expect(loosePrefix('10.0.0.7/24')).toEqual({ base: parseIpv4('10.0.0.0'), length: 24 });
    expect(loosePrefix('fd00::/8')).toBeUndefined();
  });
});
