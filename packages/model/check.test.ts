import { describe, expect, test } from 'vitest';
import type { Service } from './block.ts';
import { checkService } from './check.ts';
import type { modelErrors } from './errors.ts';
import { chain, fn, run, service, unit } from './testing/build.ts';
import { findBlock, resolveUnits, splitPortReference, unitsOf, walk } from './graph.ts';

const abc = () => [fn('a', [unit('x')]), fn('b', [unit('y')]), fn('c', [unit('z')])];
const found = (value: Service) => checkService(value).map(({ code, path, suggestion }) => [code, path, suggestion]);

describe('checkService', () => {
  test('says nothing about a sound service', () => {
    expect(checkService(service(abc(), { chains: [chain({ from: 'a/x.eth0' })] }))).toEqual([]);
  });

  test.each<[string, Service, keyof typeof modelErrors, string, string?]>([
    [
      'a policy about nowhere',
      service(abc(), { policies: [{ name: 'p', claim: { kind: 'deny', from: ['a', 'b/q'], to: ['lan'] } }] }),
      'SF-MODEL-REFERENCE',
      'policies[0].deny.from[1]',
      "did you mean 'b/y'?",
    ],
    [
      'two policies of one name',
      service(abc(), {
        policies: [1, 2].map(() => ({ name: 'p', claim: { kind: 'deny', from: ['a'], to: ['b'] } })),
      }),
      'SF-MODEL-DUPLICATE',
      'policies[1].name',
    ],
    ['name with a path separator', service([fn('../etc', [unit('x')])]), 'SF-MODEL-NAME', 'functions[0].name'],
    ['name of 64 characters', service([fn('a'.repeat(64), [unit('x')])]), 'SF-MODEL-NAME', 'functions[0].name'],
    [
      'siblings of one name',
      service([fn('a', [unit('x'), unit('x')])]),
      'SF-MODEL-DUPLICATE',
      'functions[0].units[1].name',
    ],
    [
      'a function in a function',
      service([fn('a', [unit('u'), fn('b', [unit('x')])])]),
      'SF-MODEL-KIND',
      'functions[0].functions[0]',
    ],
    ['a function without units', service([fn('a', [])]), 'SF-MODEL-KIND', 'functions[0]'],
    [
      'an unknown network',
      service([fn('a', [unit('x', { ports: [{ name: 'eth0', network: 'lam' }] })])]),
      'SF-MODEL-REFERENCE',
      'functions[0].units[0].ports[0].network',
      "did you mean 'lan'?",
    ],
    [
      'a chain through a function that does not exist',
      service(abc(), { chains: [chain({ through: ['b/w'] })] }),
      'SF-MODEL-REFERENCE',
      'chains[0].through[0]',
      "did you mean 'b/y'?",
    ],
    [
      'a chain from a port that does not exist',
      service(abc(), { chains: [chain({ from: 'a/x.eth9' })] }),
      'SF-MODEL-REFERENCE',
      'chains[0].from',
      "did you mean 'eth0'?",
    ],
    [
      'a chain that meets itself',
      service(abc(), { chains: [chain({ through: ['b/y', 'b/y'] })] }),
      'SF-MODEL-CHAIN',
      'chains[0].through[1]',
    ],
    [
      'a chain address inside a network',
      service(abc(), { chains: [chain({ address: '10.1.2.3' })] }),
      'SF-MODEL-ADDRESS',
      'chains[0].address',
    ],
    [
      'one address for two chains',
      service(abc(), { chains: [chain(), chain({ name: 'other' })] }),
      'SF-MODEL-ADDRESS',
      'chains[1].address',
    ],
    [
      'two units with one address',
      service([
        fn('a', [
          unit('x', { ports: [{ name: 'eth0', network: 'lan', address: '10.1.0.9' }] }),
          unit('y', { ports: [{ name: 'eth0', network: 'lan', address: '10.1.0.9' }] }),
        ]),
      ]),
      'SF-MODEL-ADDRESS',
      'functions[0].units[1].ports[0].address',
    ],
    [
      'a link to an interface that does not exist',
      service([{ ...fn('a', [unit('x'), unit('y')]), links: [{ name: 'wire', ends: ['x.eth0', 'y.eth7'] }] }]),
      'SF-MODEL-REFERENCE',
      'functions[0].links[0].ends[1]',
      "did you mean 'y.eth0'?",
    ],
    [
      'two ports with one Ethernet address',
      service([
        fn('a', [
          unit('x', { ports: [{ name: 'eth0', network: 'lan', mac: '02:00:00:00:00:0a' }] }),
          unit('y', { ports: [{ name: 'eth0', network: 'lan', mac: '02:00:00:00:00:0a' }] }),
        ]),
      ]),
      'SF-MODEL-MAC',
      'functions[0].units[1].ports[0].mac',
    ],
    [
      'an Ethernet address in another notation',
      service([fn('a', [unit('x', { ports: [{ name: 'eth0', network: 'lan', mac: '02-00-00-00-00-0A' }] })])]),
      'SF-MODEL-MAC',
      'functions[0].units[0].ports[0].mac',
      "did you mean '02:00:00:00:00:0a'?",
    ],
    [
      'the Ethernet address of a group',
      service([fn('a', [unit('x', { ports: [{ name: 'eth0', network: 'lan', mac: '03:00:00:00:00:0a' }] })])]),
      'SF-MODEL-MAC',
      'functions[0].units[0].ports[0].mac',
    ],
    [
      'one Ethernet address for several instances',
      service([
        fn('a', [
          unit('x', {
            ports: [{ name: 'eth0', network: 'lan', mac: '02:00:00:00:00:0a' }],
            scale: { min: 1, initial: 1, max: 2 },
          }),
        ]),
      ]),
      'SF-MODEL-MAC',
      'functions[0].units[0].ports[0].mac',
    ],
    [
      'an address outside of its network',
      service([fn('a', [unit('x', { ports: [{ name: 'eth0', network: 'lan', address: '10.2.0.9' }] })])]),
      'SF-MODEL-ADDRESS',
      'functions[0].units[0].ports[0].address',
    ],
    [
      'overlapping networks',
      service(abc(), {
        networks: [
          { name: 'lan', prefix: '10.1.0.0/16' },
          { name: 'wan', prefix: '10.0.0.0/8' },
        ],
      }),
      'SF-MODEL-PREFIX',
      'networks[1].prefix',
    ],
    [
      'a prefix with host bits',
      service(abc(), { networks: [{ name: 'lan', prefix: '10.1.2.3/16' }] }),
      'SF-MODEL-PREFIX',
      'networks[0].prefix',
      "did you mean '10.1.0.0/16'?",
    ],
    [
      'units that wait for each other',
      service([
        fn('a', [unit('x', { requirements: { after: ['a/y'] } }), unit('y', { requirements: { after: ['a/x'] } })]),
      ]),
      'SF-MODEL-CYCLE',
      'functions[0].units[1].requirements.after[0]',
    ],
    [
      'functions whose units wait for each other',
      service([fn('a', [unit('x')], { after: ['b/y'] }), fn('b', [unit('y')], { after: ['a/x'] })]),
      'SF-MODEL-CYCLE',
      'functions[1].requirements.after[0]',
    ],
    [
      'cyclic nesting',
      service([
        fn('a', [
          unit('x', { execution: { ...run, nested: { parent: 'a/y' } } }),
          unit('y', { execution: { ...run, nested: { parent: 'a/x' } } }),
        ]),
      ]),
      'SF-MODEL-CYCLE',
      'functions[0].units[1].nested.parent',
    ],
    [
      'a unit inside itself',
      service([fn('a', [unit('x', { execution: { ...run, nested: { parent: 'a/x' } } })])]),
      'SF-MODEL-CYCLE',
      'functions[0].units[0].nested.parent',
    ],
    [
      'scale',
      service([fn('a', [unit('x', { scale: { min: 2, initial: 1, max: 3 } })])]),
      'SF-MODEL-SCALE',
      'functions[0].units[0].scale',
    ],
    [
      'too many',
      service([fn('a', [unit('x', { scale: { min: 1, initial: 1, max: 100_001 } })])]),
      'SF-MODEL-LIMIT',
      'functions[0].units[0]',
    ],
    [
      'an image outside of the package',
      service([fn('a', [unit('x', { execution: { ...run, image: 'folder:../../etc' } })])]),
      'SF-MODEL-EXECUTION',
      'functions[0].units[0].image',
    ],
    [
      'nft without a ruleset',
      service([fn('a', [unit('x', { execution: { environment: 'nft' } })])]),
      'SF-MODEL-EXECUTION',
      'functions[0].units[0].environment',
    ],
    [
      'affinity to nothing',
      service([fn('a', [unit('x')], { affinity: [{ kind: 'apart', scope: 'host', with: ['nothing'] }] })]),
      'SF-MODEL-REFERENCE',
      'functions[0].requirements.affinity[0].with[0]',
    ],
  ])('%s', (_name, value, code, path, suggestion) => {
    expect(found(value)).toEqual([[code, path, suggestion]]);
  });

  test('depth is bounded', () => {
    let inner = unit('u');
    for (let i = 0; i < 40; i += 1) inner = unit('u', { children: [inner] });
    expect(found(service([fn('a', [inner])])).map(([code]) => code)).toEqual(['SF-MODEL-LIMIT']);
  });

  test('a block that contains itself is found, not followed', () => {
    const x = unit('x');
    Object.assign(x, { children: [x] });
    expect(found(service([fn('a', [x])]))).toEqual([['SF-MODEL-CYCLE', 'functions[0].units[0].units[0]', undefined]]);
  });

  test('20,000 units in one line of waiting are checked in bounded time', () => {
    const units = Array.from({ length: 20_000 }, (_, i) =>
      unit(`u${i}`, i === 0 ? {} : { requirements: { after: [`a/u${i - 1}`] } }),
    );
    expect(checkService(service([fn('a', units)]))).toEqual([]);
  });
});

describe('graph', () => {
  const nested = unit('pod', { requirements: { latencyMaxMs: 5 } });
  const value = service([
    fn('a', [unit('vm', { children: [nested], requirements: { cpu: 2 } })], {
      memoryMiB: 64,
      location: { tier: 'edge' },
    }),
  ]);

  test('paths lead to blocks and back', () => {
    for (const { path, block } of walk(value.block)) expect(findBlock(value.block, path)).toBe(block);
    expect([...walk(value.block)].map(({ path }) => path)).toEqual(['', 'a', 'a/vm', 'a/vm/pod']);
  });

  test('requirements are inherited, the resources of an enclosing unit are not', () => {
    const [vm, pod] = unitsOf(value);
    expect(vm!.requirements).toEqual({ cpu: 2, memoryMiB: 64, location: { tier: 'edge' } });
    expect(pod!.requirements).toEqual({ latencyMaxMs: 5, location: { tier: 'edge' } });
    expect(pod!.inside).toBe('a/vm');
  });

  test('people name units or functions', () => {
    expect(resolveUnits(value, 'a').map(({ path }) => path)).toEqual(['a/vm']);
    expect(resolveUnits(value, 'a/vm/pod').map(({ path }) => path)).toEqual(['a/vm/pod']);
    expect(splitPortReference('a/vm.eth0')).toEqual({ path: 'a/vm', port: 'eth0' });
  });
});
