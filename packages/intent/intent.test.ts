import { readFileSync } from 'node:fs';
import { readNative } from '@superfluidity/dialects';
import { type Service, unitsOf } from '@superfluidity/model';
import { block, interpret, type Layout, layouts, type Packet } from '@superfluidity/verify';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkPolicies, intendedNetwork, prove } from './index.ts';
import { onOneSite, planeOf } from './plane.ts';
import { verdictOfReport } from './report.ts';

const text = readFileSync(new URL('../../examples/mobile-edge/service.yaml', import.meta.url), 'utf8');

function serviceOf(changed = text): Service {
  const { service, problems } = readNative(changed);
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  return service!;
}

function changed(...changes: readonly (readonly [from: string, to: string])[]): Service {
  return serviceOf(
    changes.reduce((all, [from, to]) => {
      expect(all).toContain(from);
      return all.replaceAll(from, to);
    }, text),
  );
}

/** The video server at the core, everything else at the edge, as it is deployed. */
function twoSites(service: Service) {
  const placed = unitsOf(service).map(({ path }) => ({
    path,
    index: 0,
    site: path.startsWith('video') ? 'core' : 'edge',
    host: 'h1',
  }));
  return planeOf({ name: service.block.name, service, placed, links: [['edge', 'core']] });
}

const intact = serviceOf();

const answersOf = (service: Service, plane = onOneSite(service)) =>
  Object.fromEntries(
    prove({ intended: plane, service }).policies.map(({ policy, answer }) => [policy, answer] as const),
  );
const allHold = Object.fromEntries(intact.policies!.map(({ name }) => [name, 'holds']));

describe('mobile-edge', () => {
  test('keeps its policies', () => {
    expect(answersOf(intact, twoSites(intact))).toEqual(allHold);
  });

  test('does not without a link between its sites', () => {
    const service = { ...intact, policies: intact.policies!.filter(({ claim }) => claim.kind === 'reach') };
    expect(answersOf(service, { ...twoSites(intact), links: [] })).toEqual({ 'stream-arrives': 'violated' });
  });

  test.each<[string, string, Service, string?]>([
    [
      'a firewall that lets everything through',
      'ran-is-apart',
      changed(['policy drop;', 'policy accept;'], ['counter name dropped drop', 'counter name dropped accept']),
    ],
    [
      'a firewall that asks nobody where he comes from',
      'ran-is-apart',
      changed(['ip saddr 10.47.0.0/16 ip daddr', 'ip daddr']),
      'ct state new counter name passed accept',
    ],
    [
      'a firewall without a rule for the service',
      'stream-arrives',
      changed(['tcp dport 8080 ct', 'tcp dport 8081 ct']),
      'counter name dropped drop',
    ],
    [
      'a firewall that forgets connections',
      'stream-arrives',
      changed(['            ct state established,related counter name passed accept\n', '']),
      'counter name dropped drop',
    ],
    [
      'a chain in another order',
      'in-order',
      changed([
        'through: [radio/rrh, radio/bbu, epc, offload, firewall]\n      to',
        'through: [radio/rrh, radio/bbu, epc, firewall, offload]\n      to',
      ]),
    ],
    [
      'a gateway that does not translate',
      'users-are-hidden',
      changed([' masquerade', ' accept'], ['ip saddr 10.47.0.0/16 ip daddr', 'ip daddr']),
    ],
    [
      'a chain for all ports, and a firewall that lets them in',
      'nothing-else',
      changed(['      ports: [8080]\n', ''], ['tcp dport 8080 ct', 'tcp dport 8000-9000 ct']),
    ],
  ])('%s: %s is violated, with a packet that shows it', (_name, policy, service, rule) => {
    const plane = twoSites(service);
    const policies = service.policies!.filter(({ name }) => name === policy);
    const report = prove({ intended: plane, service: { ...service, policies } });
    const [found] = report.policies as [(typeof report.policies)[0]];
    expect(found.answer).toBe('violated');
    expect(report.answer).toBe('violated');
    const path = found.paths[0]!;
    if (rule !== undefined) {
      const rules = [
        ...path.hops.flatMap(({ because }) => because),
        ...(path.source === undefined ? [] : [path.source]),
      ];
      expect(rules.map(({ text: line }) => line?.trim())).toContainEqual(expect.stringContaining(rule));
    }
    // The packet goes that way through an interpreter that shares no code with the engine.
    const [shown] = verdictOfReport(found).paths;
    const sent = shown!.witness()!.sent;
    const network = intendedNetwork(plane).network;
    const ends = interpret(network, path.hops[0]!.port, layoutOf(sent).setup, {
      fresh: (name) => sent.values.get(name) ?? 0n,
    });
    const ports = ends[0]!.hops.map(({ port }) => port);
    expect(path.hops.map(({ port }) => port).slice(0, ports.length)).toEqual(ports.slice(0, path.hops.length));
  });
});

const layoutOf = ({ layout }: Packet): Layout => layouts.find(({ name }) => name === layout)!;

test('what is denied for all packets is not done by any that is tried', () => {
  const service = changed(['      ports: [8080]\n', '']);
  const plane = twoSites(service);
  const subject = intendedNetwork(plane);
  const policies = service.policies!.filter(({ name }) => name === 'nothing-else');
  const verdicts = checkPolicies(subject, { ...service, policies });
  expect(verdicts.map(({ policy, answer }) => [policy, answer])).toContainEqual(['nothing-else', 'holds']);
  const video = subject.units.find(({ path }) => path === 'video/video')!;
  const tcp = layouts.find(({ name }) => name === 'ipv4/tcp')!;
  const addresses = [...subject.units.flatMap((unit) => unit.addresses), '10.99.0.10', '10.48.9.9', '192.0.2.1'];
  const number = (address: string) => address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const arrived = { yes: 0, no: 0 };
  fc.assert(
    fc.property(
      fc.constantFrom(...subject.units),
      fc.oneof(fc.constant('10.99.0.10'), fc.constantFrom(...addresses)),
      fc.oneof(fc.constant(8080), fc.nat(65_535)),
      fc.nat(65_535),
      (unit, to, dport, sport) => {
        const values = new Map<string, bigint>([
          ['IPv4.src', number(unit.addresses[0]!)],
          ['IPv4.dst', number(to)],
          ['IPv4.ttl', 64n],
          ['TCP.dport', BigInt(dport)],
          ['TCP.sport', BigInt(sport)],
          ['TCP.flags', 2n],
        ]);
        const ends = interpret(subject.network, unit.starts[0]!, block(tcp.setup), {
          fresh: (name) => values.get(name) ?? 0n,
        });
        const isThere =
          unit !== video && ends.some(({ port, outcome }) => outcome === 'delivered' && video.ends.includes(port));
        arrived[isThere ? 'yes' : 'no'] += 1;
        // Behind the gateway everybody may ask for the service, and the firewall itself for what it likes.
        const may = !unit.networks.includes('ran') && (dport === 8080 || unit.path === 'firewall/firewall');
        expect(isThere).toBe(unit !== video && to === '10.99.0.10' && may);
      },
    ),
    { numRuns: 200 },
  );
  expect(Math.min(arrived.yes, arrived.no)).toBeGreaterThan(8);
});

describe('a plane', () => {
  const lan = (functions: string, policies: string, balancers = '[]') =>
    serviceOf(`superfluidity: 1
service:
  name: small
  version: "1"
  networks: [{name: lan, prefix: 10.1.0.0/16}, {name: other, prefix: 10.2.0.0/16}]
  functions:
${functions}
  balancers: ${balancers}
  policies:
${policies}
`);
  const unit = (name: string, rest: string) => `    - {name: ${name}, environment: container, image: "host:", ${rest}}`;

  test('lets into a port what its rules say, and answers out of it', () => {
    const service = lan(
      [
        unit('a', 'ports: [lan]'),
        unit('b', 'ports: [{name: eth0, network: lan, allow: [{protocol: tcp, ports: [22]}]}]'),
        unit('c', 'ports: [other]'),
      ].join('\n'),
      `    - {name: ssh, reach: {from: a, to: b, packet: tcp dst port 22}}
    - {name: nothing-else, deny: {from: a, to: b, packet: not (tcp dst port 22)}}
    - {name: back, reach: {from: b, to: a}}
    - {name: apart, deny: {from: lan, to: other}}
    - {name: web, reach: {from: a, to: b, packet: tcp dst port 80}}`,
    );
    expect(answersOf(service)).toEqual({
      ssh: 'holds',
      'nothing-else': 'holds',
      back: 'holds',
      apart: 'holds',
      web: 'violated',
    });
  });

  test('does not guess what a program does that it cannot read', () => {
    const service = lan(
      [
        unit('a', 'ports: [lan]'),
        unit('b', 'ports: [lan]').replace('container, image: "host:"', 'click, program: "x"'),
      ].join('\n'),
      '    - {name: there, reach: {from: a, to: b}}',
    );
    const [verdict] = prove({ intended: onOneSite(service), service }).policies;
    expect(verdict).toMatchObject({ answer: 'unknown', dependsOn: ['what the click b/b#0 does with packets'] });
  });

  test('has a few instances of many, and says so', () => {
    const service = lan(
      [unit('a', 'ports: [lan]'), unit('b', 'ports: [lan], scale: {initial: 1, min: 1, max: 900}')].join('\n'),
      '    - {name: there, reach: {from: a, to: b}}',
    );
    const placed = (count: number) => [
      { path: 'a/a', index: 0, site: 's', host: 'h' },
      ...Array.from({ length: count }, (_, index) => ({ path: 'b/b', index, site: 's', host: 'h' })),
    ];
    const many = planeOf({ name: 'small', service, links: [], placed: placed(900) });
    expect(many.units).toHaveLength(3);
    expect(many.assumptions).toContain('more instances of b/b at s are like the first 2');
    expect(prove({ intended: many, service }).answer).toBe('holds');
  });

  test('balances flows over members, and takes answers back', () => {
    const service = lan(
      [unit('a', 'ports: [lan]'), unit('b', 'ports: [lan], scale: 2')].join('\n'),
      `    - name: served
      check: {from: a, packet: "dst host 10.99.0.1 && tcp dst port 80", formula: "AF (at b and { tcp dst port 8080 })"}`,
      '[{name: front, unit: b, address: 10.99.0.1, port: 80, targetPort: 8080}]',
    );
    expect(answersOf(service)).toEqual({ served: 'holds' });
  });
});
