import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kuryrLoadBalancerSchema } from '../../api/load-balancer.ts';
import type { EndpointSlice, Service } from '../../kubernetes/objects.ts';
import { balancerSpecOf, CLIENT_TIMEOUT_ANNOTATION, MEMBER_TIMEOUT_ANNOTATION } from './services.ts';

const service = (spec: Partial<Service['spec']> = {}, metadata: object = {}): Service => ({
  metadata: { name: 'web', namespace: 'shop', ...metadata },
  spec: { clusterIP: '10.96.0.9', ports: [{ name: 'http', port: 80 }], ...spec },
});
const slice = (
  endpoints: EndpointSlice['endpoints'],
  ports: EndpointSlice['ports'] = [{ name: 'http', port: 8_080, protocol: 'TCP' }],
  addressType: EndpointSlice['addressType'] = 'IPv4',
): EndpointSlice => ({
  metadata: { name: 's', namespace: 'shop' },
  addressType,
  endpoints: endpoints ?? null,
  ports: ports ?? null,
});

describe('what a Service becomes', () => {
  test('members are the endpoints that are ready, at their own port', () => {
    const slices = [
      slice([
        { addresses: ['10.0.0.9'], conditions: { ready: true }, targetRef: { kind: 'Pod', name: 'b' } },
        { addresses: ['10.0.0.2'], conditions: { ready: null } },
        { addresses: ['10.0.0.3'], conditions: { ready: false } },
      ]),
      slice([{ addresses: ['fd00::1'] }], undefined, 'IPv6'),
      slice([{ addresses: ['10.0.0.4'] }], [{ name: 'metrics', port: 9_000 }]),
      slice(null, null),
    ];
    const spec = balancerSpecOf(service(), slices, 'p')!;
    expect(spec).toEqual({
      address: '10.96.0.9',
      type: 'ClusterIP',
      project: 'p',
      ports: [
        {
          name: 'http',
          protocol: 'TCP',
          port: 80,
          members: [
            { address: '10.0.0.2', port: 8_080 },
            { address: '10.0.0.9', port: 8_080, pod: 'shop/b' },
          ],
        },
      ],
    });
    expect(kuryrLoadBalancerSchema.shape.spec.parse(spec)).toEqual(spec);
  });

  test.each([
    ['headless', { clusterIP: 'None' }, {}],
    ['without an address yet', { clusterIP: '' }, {}],
    ['of IPv6', { clusterIP: 'fd00::5' }, {}],
    ['of type NodePort', { type: 'NodePort' }, {}],
    ['of type ExternalName', { type: 'ExternalName' }, {}],
    ['with a proxy of its own', {}, { labels: { 'service.kubernetes.io/service-proxy-name': 'other' } }],
    ['that is going', {}, { deletionTimestamp: '2026-01-01T00:00:00Z' }],
  ] as const)('one %s is left to others', (_, spec, metadata) => {
    expect(balancerSpecOf(service(spec, metadata), [], '')).toBeUndefined();
  });

  test('external addresses, affinity and protocols', () => {
    const asked = service({
      type: 'LoadBalancer',
      loadBalancerIP: '172.24.4.9',
      sessionAffinity: 'ClientIP',
      ports: [
        { port: 53, protocol: 'UDP', name: 'dns' },
        { port: 53, name: 'dns-tcp' },
        { port: 9, protocol: 'SCTP', name: 's' },
      ],
    });
    expect(balancerSpecOf(asked, [], '')).toMatchObject({
      type: 'LoadBalancer',
      externalAddress: '172.24.4.9',
      affinitySeconds: 10_800,
      ports: [{ protocol: 'UDP' }, { protocol: 'TCP' }, { protocol: 'SCTP' }],
    });
    const others = service({ type: 'LoadBalancer', loadBalancerClass: 'example.org/lb', loadBalancerIP: '172.24.4.9' });
    const spec = balancerSpecOf(others, [], '')!;
    expect(spec.type).toBe('ClusterIP');
    expect(spec).not.toHaveProperty('externalAddress');
    expect(() => balancerSpecOf(service({ type: 'LoadBalancer', loadBalancerIP: 'x' }), [], '')).toThrow(
      expect.objectContaining({ code: 'SF-KURYR-SERVICE' }),
    );
  });

  test('timeouts are those of its annotations, which are numbers or are refused by name', () => {
    const [client, member] = [CLIENT_TIMEOUT_ANNOTATION, MEMBER_TIMEOUT_ANNOTATION];
    const timed = (annotations: Readonly<Record<string, string>>) =>
      balancerSpecOf(service({}, { annotations }), [], '')!.timeouts;
    expect(timed({})).toBeUndefined();
    expect(timed({ [client]: '10000', [member]: '0' })).toEqual({ clientMs: 10_000, memberMs: 0 });
    expect(timed({ [member]: '86400000' })).toEqual({ memberMs: 86_400_000 });
    for (const text of ['', '-1', '1e9', '10 s', '86400001', '9'.repeat(400), '../x'])
      expect(() => timed({ [client]: text })).toThrow(
        expect.objectContaining({ code: 'SF-KURYR-ANNOTATION', message: expect.stringContaining(client) }),
      );
  });

  test('1,000 endpoints are balanced, and so many that no balancer takes them are refused by name', () => {
    const endpoints = (count: number) =>
      Array.from({ length: count }, (_, at) => ({ addresses: [`10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`] }));
    expect(balancerSpecOf(service(), [slice(endpoints(1_000))], '')!.ports[0]!.members).toHaveLength(1_000);
    expect(() => balancerSpecOf(service(), [slice(endpoints(5_001))], '')).toThrow(/port 80 has 5001 endpoints/);
  });

  test('how endpoints are spread over slices, and in which order, makes no difference', () => {
    const endpoint = fc.record({
      addresses: fc.integer({ min: 1, max: 30 }).map((n) => [`10.0.0.${n}`]),
      conditions: fc.record({ ready: fc.constantFrom(true, null) }),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(endpoint, fc.nat({ max: 4 })), { maxLength: 40 }), (all) => {
        const whole = balancerSpecOf(service(), [slice(all.map(([one]) => one))], '');
        const parts = [4, 3, 2, 1, 0].map((part) =>
          slice(
            all
              .filter(([, of]) => of === part)
              .map(([one]) => one)
              .toReversed(),
          ),
        );
        expect(balancerSpecOf(service(), parts, '')).toEqual(whole);
        const addresses = new Set(
          all.map(
            ([
              {
                addresses: [address],
              },
            ]) => address,
          ),
        );
        expect(whole!.ports[0]!.members.map(({ address }) => address).toSorted()).toEqual(
          [...addresses].map(String).toSorted(),
        );
      }),
    );
  });
});
