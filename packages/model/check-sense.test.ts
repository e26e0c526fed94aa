import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AffinityRule, Execution, Requirements, Service } from './block.ts';
import { checkService } from './check.ts';
import { chain, fn, run, service, unit } from './testing/build.ts';

const found = (value: Service) => checkService(value).map(({ severity, code, path }) => `${severity} ${code} ${path}`);
const together = (scope: AffinityRule['scope'], ...others: string[]): AffinityRule => ({
  kind: 'together',
  scope,
  with: others,
});
const apart = (scope: AffinityRule['scope'], ...others: string[]): AffinityRule => ({
  kind: 'apart',
  scope,
  with: others,
});
const at = (affinity: AffinityRule[], location: Requirements['location'] = {}): Requirements => ({
  affinity,
  location,
});

describe('affinity that nothing can satisfy', () => {
  const three = (a: Requirements, b: Requirements, c: Requirements = {}) =>
    service([
      fn('a', [unit('x', { requirements: a })]),
      fn('b', [unit('y', { requirements: b })]),
      fn('c', [unit('z')], c),
    ]);

  test.each<[string, Service, string[]]>([
    ['together and apart', three(at([together('host', 'b')]), at([apart('host', 'a/x')])), ['functions[1].units[0]']],
    [
      'on one host, on two sites',
      three(at([together('host', 'b'), apart('site', 'b')]), {}),
      ['functions[0].units[0]'],
    ],
    [
      'by way of a third',
      three(at([together('site', 'c')]), at([together('site', 'c')]), at([apart('site', 'a')])),
      ['functions[2]'],
    ],
    ['apart from itself', three(at([apart('host', 'a')]), {}), ['functions[0].units[0]']],
    [
      'on one site, allowed on two',
      three(at([together('site', 'b')], { sites: ['edge'] }), { location: { sites: ['core'] } }),
      ['functions[0].units[0]'],
    ],
    [
      'on one site, of two tiers',
      three(at([together('site', 'b')], { tier: 'edge' }), { location: { tier: 'core' } }),
      ['functions[0].units[0]'],
    ],
    ['on one site, on two hosts', three(at([together('site', 'b'), apart('host', 'b')]), {}), []],
    [
      'a rule of the function that the unit replaces',
      three({}, at([together('host', 'a')]), at([apart('host', 'b')])),
      [],
    ],
  ])('%s', (_name, value, places) => {
    const errors = checkService(value).filter(({ code }) => code === 'SF-MODEL-AFFINITY');
    expect(errors.map(({ path }) => path.replace(/\.requirements.*/, ''))).toEqual(places);
  });

  test('is found exactly where brute force finds no placement', () => {
    const names = ['a/x', 'b/y', 'c/z'];
    const rule = fc.record({
      kind: fc.constantFrom('together' as const, 'apart' as const),
      scope: fc.constantFrom('host' as const, 'site' as const),
      with: fc.subarray(names, { minLength: 1, maxLength: 2 }),
    });
    const rules = fc.tuple(...names.map(() => fc.array(rule, { maxLength: 2 })));
    fc.assert(
      fc.property(rules, ([a, b, c]) => {
        const value = three(at(a!), at(b!));
        const whole = service([...value.block.children.slice(0, 2), fn('c', [unit('z', { requirements: at(c!) })])]);
        const refused = found(whole).some((line) => line.includes('SF-MODEL-AFFINITY'));
        expect(refused).toBe(!placeable(names, [a!, b!, c!]));
      }),
      { numRuns: 300 },
    );
  });
});

/** Tries three sites with three hosts each for every unit. */
function placeable(names: readonly string[], rules: readonly (readonly AffinityRule[])[]): boolean {
  const hosts = Array.from({ length: 9 }, (_, i) => i);
  const place = (placed: readonly number[]): boolean =>
    placed.length === names.length ? satisfied(placed) : hosts.some((host) => place([...placed, host]));
  const satisfied = (placed: readonly number[]) =>
    rules.every((own, i) =>
      own.every(({ kind, scope, with: others }) =>
        others.every((other) => {
          const j = names.indexOf(other);
          const where = (k: number) => (scope === 'host' ? placed[k]! : Math.floor(placed[k]! / 3));
          return (where(i) === where(j)) === (kind === 'together');
        }),
      ),
    );
  return place([]);
}

describe('nesting', () => {
  const within = (parent: string, execution: Partial<Execution> = {}): Execution => ({
    ...run,
    nested: { parent },
    ...execution,
  });
  const vm: Execution = { environment: 'vm', image: 'guest:' };

  test.each<[string, Service, string[]]>([
    [
      'a container in a vm',
      service([fn('a', [unit('v', { execution: vm }), unit('c', { execution: within('a/v') })])]),
      [],
    ],
    [
      'a vm in a container',
      service([fn('a', [unit('c'), unit('v', { execution: { ...vm, nested: { parent: 'a/c' } } })])]),
      ['error SF-MODEL-NESTING functions[0].units[1].nested.parent'],
    ],
    [
      'a vm written inside a packet function',
      service([
        fn('a', [
          unit('n', { execution: { environment: 'nft', program: 'x' }, children: [unit('v', { execution: vm })] }),
        ]),
      ]),
      ['error SF-MODEL-NESTING functions[0].units[0].units[0]'],
    ],
    [
      'more inside than there is room',
      service([
        fn('a', [
          unit('v', {
            execution: vm,
            requirements: { cpu: 1, memoryMiB: 512 },
            children: [
              unit('c', { requirements: { cpu: 0.4 }, scale: { initial: 2, min: 2, max: 5 } }),
              unit('d', { requirements: { cpu: 0.3 } }),
            ],
          }),
        ]),
      ]),
      ['error SF-MODEL-NESTING functions[0].units[0].requirements.cpu'],
    ],
  ])('%s', (_name, value, problems) => {
    expect(found(value)).toEqual(problems);
  });
});

describe('traffic', () => {
  const abc = (port: object) => [
    fn('a', [unit('x')]),
    fn('b', [unit('y', { ports: [{ name: 'eth0', network: 'lan', ...port }] })]),
    fn('c', [unit('z')]),
  ];

  test.each<[string, Service, string[]]>([
    [
      'a chain through a port that is too narrow',
      service(abc({ bandwidthMbps: 10 }), { chains: [chain({ bandwidthMbps: 100 })] }),
      ['error SF-MODEL-CHAIN chains[0].through[0]'],
    ],
    [
      'a chain through a port that lets something else in',
      service(abc({ allow: [{ protocol: 'tcp', ports: [443] }] }), { chains: [chain()] }),
      ['warning SF-MODEL-CHAIN chains[0].through[0]'],
    ],
    [
      'a chain through a port that lets it in',
      service(abc({ allow: [{ protocol: 'tcp' }] }), { chains: [chain()] }),
      [],
    ],
    [
      'a port that is promised more than it may take',
      service(abc({ bandwidthMbps: 10, guaranteedMbps: 20, dscp: 46 })),
      ['error SF-MODEL-QUALITY functions[1].units[0].ports[0].guaranteedMbps'],
    ],
    [
      'a mark that no header has room for',
      service(abc({ dscp: 64 })),
      ['error SF-MODEL-QUALITY functions[1].units[0].ports[0].dscp'],
    ],
    [
      'a function that nothing reaches',
      service([fn('a', [unit('x')]), fn('b', [unit('y', { ports: [] })])]),
      ['warning SF-MODEL-UNREACHABLE functions[1]'],
    ],
  ])('%s', (_name, value, problems) => {
    expect(found(value)).toEqual(problems);
  });
});
