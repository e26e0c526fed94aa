import { expect, test } from 'vitest';
import type { Balancer } from './balancer.ts';
import { backendsFor, balancerBackends, featuresOf, objectionsTo } from './balancer-features.ts';
import { checkService } from './check.ts';
import { fn, service, unit } from './testing/build.ts';

const plain: Balancer = { name: 'b', unit: 'f/u', address: '10.99.0.9', port: 80, targetPort: 8080, layer: 'http' };
const problems = (balancer: Partial<Balancer>) =>
  checkService(service([fn('f', [unit('u')])], { balancers: [{ ...plain, ...balancer }] }));

test('a balancer that asks for everything that goes together is well', () => {
  const rich: Balancer = {
    ...plain,
    algorithm: 'header:X-User',
    persistence: { kind: 'app-cookie', cookie: 'SESSION', timeoutMs: 60_000 },
    weight: 10,
    also: [{ unit: 'f/u', weight: 1, targetPort: 81, backup: true }],
    pools: [{ name: 'api', unit: 'f/u' }],
    routes: [
      {
        name: 'r',
        rules: [{ kind: 'path', compare: 'starts', value: '/api' }],
        action: { kind: 'pool', pool: 'api' },
      },
    ],
    tls: { certificates: ['secret:web'], clients: { authority: 'secret:ca', required: true } },
    health: { kind: 'https', port: 443, path: '/', timeoutMs: 1_000, codes: '200-204', rise: 2, fall: 3 },
    connectionLimit: 100,
    timeouts: { clientMs: 1 },
    allow: ['10.0.0.0/8', '10.1.1.1'],
    proxyProtocol: 2,
    forwarded: true,
  };
  expect(problems(rich)).toEqual([]);
  expect(backendsFor(rich)).toEqual(['linux', 'simulated']);
  expect(objectionsTo(rich, 'octavia amphora')).toEqual([
    { feature: 'algorithm header', elsewhere: ['linux', 'simulated'] },
    { feature: 'persistence timeout', elsewhere: ['linux', 'kubernetes service', 'simulated'] },
  ]);
  expect([...featuresOf(rich)]).toHaveLength(15);
});

test.each<[string, Partial<Balancer>]>([
  ['routes', { layer: 'tcp', routes: [{ name: 'r', rules: [], action: { kind: 'reject' } }] }],
  ['persistence', { layer: 'tcp', persistence: { kind: 'cookie' } }],
  ['persistence', { persistence: { kind: 'app-cookie' } }],
  ['persistence.cookie', { persistence: { kind: 'app-cookie', cookie: 'a b' } }],
  ['forwarded', { layer: 'tcp', forwarded: true }],
  ['algorithm', { layer: 'tcp', algorithm: 'uri' }],
  ['algorithm', { algorithm: 'header:X\nbind *:22' }],
  ['tls', { layer: 'udp', tls: { certificates: ['secret:x'] } }],
  ['tls.certificates', { tls: { certificates: [] } }],
  ['tls.ciphers', { tls: { certificates: ['secret:x'], ciphers: 'A crt /etc/shadow' } }],
  ['weight', { weight: 257 }],
  ['also[0].weight', { also: [{ unit: 'f/u', weight: -1 }] }],
  ['connectionLimit', { connectionLimit: 0 }],
  ['health', { health: { kind: 'udp-connect', port: 1, timeoutMs: 1 } }],
  ['health', { layer: 'udp', health: { kind: 'http', port: 1, path: '/', timeoutMs: 1 } }],
  ['health.codes', { health: { kind: 'http', port: 1, path: '/', timeoutMs: 1, codes: '200 or so' } }],
  ['health.rise', { health: { kind: 'tcp', port: 1, timeoutMs: 1, rise: 11 } }],
  ['routes[0].action.pool', { routes: [{ name: 'r', rules: [], action: { kind: 'pool', pool: 'none' } }] }],
  [
    'routes[0].action.url',
    { routes: [{ name: 'r', rules: [], action: { kind: 'redirect', url: 'javascript:alert(1)' } }] },
  ],
  [
    'routes[0].rules[0].value',
    {
      routes: [{ name: 'r', rules: [{ kind: 'path', compare: 'equals', value: 'a\nb' }], action: { kind: 'reject' } }],
    },
  ],
])('says what is wrong of %s', (at, balancer) => {
  expect(problems(balancer)).toEqual([
    expect.objectContaining({ code: 'SF-MODEL-BALANCER', path: `balancers[0].${at}`, severity: 'error' }),
  ]);
});

test('every feature is had by something, and simulations have all', () => {
  for (const feature of balancerBackends.simulated.streams) {
    const holders = Object.values(balancerBackends).filter(
      ({ streams, datagrams }) =>
        (streams as ReadonlySet<string>).has(feature) || (datagrams as ReadonlySet<string>).has(feature),
    );
    expect(holders.length, feature).toBeGreaterThan(1);
  }
});
