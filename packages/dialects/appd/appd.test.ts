import type { Block, Service } from '@superfluidity/model';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readDescriptor, recognise, writeDescriptor } from '../descriptor.ts';
import { keepsMeaning, survivesDamage } from '../testing/round-trip.ts';

const bytes = readFileSync(new URL('./golden/video-analytics.yaml', import.meta.url));
const golden = [{ path: 'appd.yaml', bytes }];

test('an application is a service of one unit', () => {
  const { service, problems, format } = readDescriptor(golden);
  expect(format).toBe('appd');
  expect(problems.map(({ code, position }) => `${position!.line} ${code}`)).toEqual([
    '21 SF-DESCRIPTOR-ASSUMED',
    '22 SF-DESCRIPTOR-ASSUMED',
  ]);
  expect(service).toMatchObject({
    version: '1.3',
    networks: [{ name: 'camera-network' }, { name: 'management-interface' }],
    block: {
      name: 'video-analytics',
      description: 'Counts vehicles in the streams of roadside cameras',
      children: [
        {
          children: [
            {
              execution: { environment: 'container', image: 'name:registry.example/analytics:2.4' },
              requirements: {
                cpu: 2,
                memoryMiB: 4096,
                storageMiB: 20_480,
                latencyMaxMs: 15,
                services: { mandatory: ['location'], optional: ['rnis'] },
              },
              ports: [
                { name: 'cameras', network: 'camera-network' },
                { name: 'management-interface', network: 'management-interface', internalIf: 'eth1' },
              ],
            },
          ],
        },
      ],
    },
  });
});

test('what was read is written again, rules for traffic and names included', () => {
  const { service } = readDescriptor(golden);
  const { files, losses } = writeDescriptor(service!, 'appd');
  expect(files.map(({ path }) => path)).toEqual(['appd.yaml']);
  expect(parse(new TextDecoder().decode(files[0]!.bytes))).toEqual(parse(bytes.toString()));
  // Where the addresses came from is not in the descriptor.
  expect(losses).toEqual([]);
});

test('mistakes are found where they are, and a package has one application', () => {
  const wrong = bytes.toString().replace('numVirtualCpu: 2', 'numVirtualCpu: two');
  const [problem] = readDescriptor([{ path: 'x.yaml', bytes: Buffer.from(wrong) }]).problems;
  expect(problem).toMatchObject({ code: 'SF-DESCRIPTOR-TYPE', position: { file: 'x.yaml', line: 10 } });
  const [second] = readDescriptor([...golden, { path: 'b.yaml', bytes }]).problems;
  expect(second).toMatchObject({ code: 'SF-DESCRIPTOR-UNSUPPORTED', position: { file: 'b.yaml', line: 1 } });
  expect(
    recognise([
      { path: 'api.yaml', bytes: Buffer.from('components:\n  AppD: {properties: {appDId: {type: string}}}\n') },
    ]),
  ).toBeUndefined();
});

test('several units are several applications, and what that loses is said', () => {
  const example = readFileSync(new URL('../../../examples/mobile-edge/service.yaml', import.meta.url));
  const { service } = readDescriptor([{ path: 'service.yaml', bytes: example }]);
  const { files, losses } = writeDescriptor(service!, 'appd');
  expect(files.map(({ path }) => path)).toContain('radio-rrh/appd.yaml');
  for (const file of files)
    expect(readDescriptor([file]).problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  const lost = losses.map(({ path, message }) => `${path}: ${message}`);
  expect(lost).toContain(': appd cannot say: that 7 applications are one service');
  expect(lost).toContain('chains: appd cannot say: chains of the service');
  expect(lost).toContain("functions[3].units[0].environment: appd cannot say: environment 'nft'");
});

/** One unit of the name of its function and service, in an environment that MEC knows, on networks of its own. */
function application(service: Service): Service {
  const [fn] = service.block.children;
  const [unit] = fn!.children;
  const environment = unit!.execution!.environment === 'vm' ? ('vm' as const) : ('container' as const);
  const { latencyMaxMs, memoryMiB = 1, cpu = 1, ...asked } = unit!.requirements;
  const requirements = {
    ...asked,
    memoryMiB,
    cpu,
    ...(latencyMaxMs === undefined ? {} : { latencyMaxMs: latencyMaxMs % 4_000 }),
  };
  const only: Block = { ...unit!, name: 'demo', execution: { ...unit!.execution!, environment }, requirements };
  const block = { ...service.block, children: [{ ...fn!, name: 'demo', children: [only] }] };
  const networks = service.networks.filter(({ name }) => only.ports.some(({ network }) => network === name));
  return { ...service, block, networks, chains: [], balancers: [] };
}

/** Prefixes are assumed, and networks named in the order in which ports name them; what is carried repeats what is read. */
function plain(service: Service): Service {
  const unit = service.block.children[0]!.children[0]!;
  const bare = <T extends object>(thing: T) => ({ ...thing, carried: {} });
  const children = [
    { ...bare(service.block.children[0]!), children: [{ ...bare(unit), ports: unit.ports.map(bare) }] },
  ];
  const networks = service.networks
    .map(({ name }) => ({ name, prefix: '' }))
    .toSorted((a, b) => a.name.localeCompare(b.name));
  return { ...service, networks, block: { ...bare(service.block), children } };
}

test('what was written is read as the same application, without what was reported as lost', () => {
  keepsMeaning('appd', { among: application, normal: plain });
});

test('whatever becomes of the file, the answer is problems with known codes', () => survivesDamage(golden));
