import type { Block, Service } from '@superfluidity/model';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readDescriptor, recognise, writeDescriptor } from '../descriptor.ts';
import type { DescriptorFile } from '../files.ts';
import { hasRealFiles, noRealFiles, realFiles } from '../testing/real-files.ts';
import { keepsMeaning, survivesDamage } from '../testing/round-trip.ts';

const golden = readFileSync(new URL('./golden/edge-cache.json', import.meta.url));
const positions = { filter: { x: 10, y: 20.5 } };
const files = [
  { path: 'edge-cache.json', bytes: golden },
  { path: 'vertices.json', bytes: Buffer.from(JSON.stringify(positions)) },
];

function read(given: readonly DescriptorFile[]): Service {
  const { service, problems } = readDescriptor(given);
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  return service!;
}

test('a project is a service: links are networks, VNFs functions, VDUs units in their environments', () => {
  const { problems, format } = readDescriptor(files);
  expect(format).toBe('rdcl');
  // What a template left is told, with its line.
  expect(problems.filter(({ code }) => code === 'SF-DESCRIPTOR-MISSING').map(({ position }) => position!.line)).toEqual(
    [12, 20, 76],
  );
  const service = read(files);
  expect(service).toMatchObject({
    version: '1.2',
    networks: [
      { name: 'access', prefix: '10.128.0.0/24' },
      { name: 'middle', prefix: '10.20.0.0/16' },
      { name: 'cache-inner', prefix: '10.128.2.0/24' },
    ],
    block: {
      name: 'edge-cache',
      children: [
        {
          name: 'filter',
          children: [
            {
              name: 'click-filter',
              execution: { environment: 'click', program: expect.stringContaining('IPFilter') },
              ports: [
                { name: 'cp0', network: 'access', internalIf: '0' },
                { name: 'cp1', network: 'middle', internalIf: '1' },
              ],
            },
          ],
        },
        {
          name: 'cache',
          children: [
            {
              name: 'store',
              execution: { environment: 'vm', image: 'name:cache-2.4' },
              requirements: { cpu: 4, memoryMiB: 4096, storageMiB: 20_480 },
              ports: [
                { name: 'store-west', network: 'middle', address: '10.20.0.9' },
                { name: 'store-east', network: 'cache-inner' },
              ],
            },
            {
              name: 'index',
              scale: { initial: 1, min: 1, max: 3 },
              execution: {
                environment: 'pod',
                image: 'name:index:1.0',
                command: ['serve'],
                nested: { parent: 'cache/store', parentMandatory: true },
              },
            },
          ],
        },
      ],
    },
  });
});

test('what was read is written again as separate files, with positions and all that the model does not know', () => {
  const service = read(files);
  const { files: written, losses } = writeDescriptor(service, 'rdcl');
  expect(losses).toEqual([]);
  expect(written.map(({ path }) => path).toSorted()).toEqual([
    'CLICK/drop.click',
    'K8S/index.yaml',
    'NFV/JSON/NSD/Edge_Cache.json',
    'NFV/JSON/VNFD/cache.json',
    'NFV/JSON/VNFD/filter.json',
    'vertices.json',
  ]);
  const json = (name: string) =>
    JSON.parse(new TextDecoder().decode(written.find(({ path }) => path.endsWith(name))!.bytes));
  const source = JSON.parse(golden.toString());
  expect(json('vertices.json')).toEqual(positions);
  const { designer, sapd, vnffgd, nsdIdentifier } = source.nsd.edge;
  expect(json('Edge_Cache.json')).toMatchObject({ designer, sapd, vnffgd, nsdIdentifier });
  expect(json('Edge_Cache.json').nsDf[0].virtualLinkProfile[1]).toMatchObject({ flavourId: 'gold' });
  const cache = source.vnfd.cache;
  expect(json('cache.json')).toMatchObject({
    virtualComputeDesc: cache.virtualComputeDesc,
    virtualStorageDesc: cache.virtualStorageDesc,
    intVirtualLinkDesc: cache.intVirtualLinkDesc,
    vnfExtCpd: cache.vnfExtCpd,
    deploymentFlavour: cache.deploymentFlavour,
    vdu: [cache.vdu[0], cache.vdu[2]],
  });
  expect(json('cache.json').modifiableAttributes.metadata).toEqual(
    expect.arrayContaining(cache.modifiableAttributes.metadata),
  );
  expect(json('filter.json').vdu).toMatchObject(source.vnfd.filter.vdu);
  expect(plain(read(written))).toEqual(plain(service));
  // Writing it once more changes nothing.
  const contents = (given: readonly DescriptorFile[]) =>
    Object.fromEntries(
      given.map(({ path, bytes }) => {
        const text = new TextDecoder().decode(bytes);
        return [path, path.endsWith('.json') ? JSON.parse(text) : text];
      }),
    );
  expect(contents(writeDescriptor(read(written), 'rdcl').files)).toEqual(contents(written));
});

test('mistakes are found where they are', () => {
  const found = (right: string, wrong: string) => {
    expect(golden.toString()).toContain(right);
    const bytes = Buffer.from(golden.toString().replace(right, wrong));
    return readDescriptor([{ path: 'x.json', bytes }])
      .problems.filter(({ severity }) => severity === 'error')
      .map(({ code, position }) => `${position!.line} ${code}`);
  };
  expect(found('"vnfdId": "filter",\n      "vnfProvider"', '"vnfdId": "fitler",\n      "vnfProvider"')).toEqual([]);
  expect(found('"vnfdId": "cache",\n              "nsV', '"vnfdId": "cahce",\n              "nsV')).toEqual([
    '30 SF-DESCRIPTOR-REFERENCE',
  ]);
  expect(found('"p-access", "cpdId"', '"p-acces", "cpdId"')).toEqual(['25 SF-DESCRIPTOR-REFERENCE']);
  expect(found('"numVirtualCpu": 4', '"numVirtualCpu": "four"')).toEqual(['89 SF-DESCRIPTOR-TYPE']);
  expect(found('"vduParent": "store"', '"vduParent": "shop"')).toEqual(['80 SF-DESCRIPTOR-REFERENCE']);
  expect(found('"drop-telnet" }', '"drop-ftp" }')).toEqual(['49 SF-DESCRIPTOR-REFERENCE']);
});

test('damage ends in problems with known codes', () => survivesDamage(files, 20));

/** In environments that RDCL 3D knows, with what these are described by: the rest is reported as lost. */
function designed(service: Service): Service {
  const children = service.block.children.map((fn) => ({
    ...fn,
    children: fn.children.map((unit): Block => {
      const { image, command, program, nested: _nested } = unit.execution!;
      const { storageMiB: _storage, ...requirements } = unit.requirements;
      const known = { vm: { image }, container: { image }, pod: { image, command }, click: { program } };
      const environment =
        unit.execution!.environment in known ? (unit.execution!.environment as keyof typeof known) : 'vm';
      const execution = Object.fromEntries(
        Object.entries(known[environment]).filter(([, value]) => value !== undefined),
      );
      const scale = unit.scale === undefined ? {} : { scale: { ...unit.scale, initial: unit.scale.min } };
      return { ...unit, requirements, execution: { environment, ...execution }, ...scale };
    }),
  }));
  const used = new Set(
    children.flatMap((fn) => fn.children.flatMap((unit) => unit.ports.map(({ network }) => network))),
  );
  const networks = service.networks.filter(({ name }) => used.has(name));
  return { ...service, networks, block: { ...service.block, children }, chains: [], balancers: [] };
}

function plain(service: Service): Service {
  const bare = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(bare);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, inner]) => (name === 'carried' ? [] : [[name, bare(inner)]])),
    );
  };
  return bare(service) as Service;
}

test('what was written is read as the same service, without what was reported as lost', () => {
  keepsMeaning('rdcl', { among: designed, normal: plain, numRuns: 15 });
});

describe.skipIf(!hasRealFiles)(`projects of RDCL 3D${noRealFiles}`, () => {
  test.each([
    ['rdcl3d/SUPERFLUIDITY/Superfluidity-example-01', 3],
    ['rdcl3d/SUPERFLUIDITY/Superfluidity-example-hvm-clickos-01-new-desc', 4],
    ['rdcl3d/SUPERFLUIDITY/Superfluidity-example-k8s-01', 3],
    ['rdcl3d/ETSI/ETSI16-example-01/JSON', 3],
    ['rdcl3d/ETSI/MEC/JSON', 4],
  ])('%s', (folder, count) => {
    const project = realFiles(folder, /\.(json|click|yaml)$/);
    expect(recognise(project)).toBe('rdcl');
    const service = read(project);
    expect(service.block.children).toHaveLength(count);
    const { files: written, losses } = writeDescriptor(service, 'rdcl');
    expect(losses).toEqual([]);
    expect(plain(read(written))).toEqual(plain(service));
    const vertices = (given: readonly DescriptorFile[]) =>
      JSON.parse(new TextDecoder().decode(given.find(({ path }) => path.endsWith('vertices.json'))!.bytes));
    expect(vertices(written)).toEqual(vertices(project));
  });

  test('the same project in YAML names a VNFD that it lacks', () => {
    const { problems } = readDescriptor(realFiles('rdcl3d/ETSI/MEC/YAML', /\.yaml$/));
    const errors = problems.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ code, message }) => `${code} ${message}`)).toEqual([
      "SF-DESCRIPTOR-REFERENCE there is no VNFD 'UOLTM_MEC' in the project",
    ]);
  });

  test.each(['test_project.json', 'test_project_2.json', 'test_tof.json'])('export %s', (name) => {
    const [file] = realFiles('sf2heat', /\.json$/).filter(({ path }) => path === name);
    const service = read([file!]);
    expect(service.block.children).toHaveLength(1);
    expect(plain(read(writeDescriptor(service, 'rdcl').files))).toEqual(plain(service));
  });
});
