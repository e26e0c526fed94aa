import { canonicalJson } from '@superfluidity/core';
import type { Block, Service } from '@superfluidity/model';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readDescriptor, recognise, writeDescriptor } from '../descriptor.ts';
import type { DescriptorFile } from '../files.ts';
import { hasRealFiles, noRealFiles, realFiles } from '../testing/real-files.ts';
import { keepsMeaning, survivesDamage } from '../testing/round-trip.ts';

const text = ({ bytes }: DescriptorFile) => new TextDecoder().decode(bytes);
const golden: readonly DescriptorFile[] = ['ns', 'fw', 'cache'].map((name) => ({
  path: `${name}.yaml`,
  bytes: readFileSync(new URL(`golden/${name}.yaml`, import.meta.url)),
}));
/** Versions as text, and references as what they are written: what has no other meaning. */
const settled = (value: unknown): unknown =>
  JSON.parse(
    canonicalJson(value)
      .replace(/"(member-vnf-index(?:-ref)?|vnf-source-ref|vnf-depends-on-ref)":"(\d+)"/g, '"$1":$2')
      .replaceAll('"version":1,', '"version":"1.0",')
      .replaceAll('"version":1}', '"version":"1.0"}'),
  );

describe('a package of two functions', () => {
  const { service, problems, format } = readDescriptor(golden);

  test('is read as what it says', () => {
    expect([format, problems.map(({ code }) => code)]).toEqual([
      'osm8',
      ['SF-DESCRIPTOR-ASSUMED', 'SF-DESCRIPTOR-ASSUMED'],
    ]);
    expect(service!.networks.map(({ name, prefix }) => [name, prefix])).toEqual([
      ['mgmt', '10.128.0.0/24'],
      ['inside-net', '192.168.10.0/24'],
      ['fw-vnfd-bus', '10.128.2.0/24'],
    ]);
    const [fw, cache] = service!.block.children;
    expect(fw!.children[0]).toMatchObject({
      name: 'a',
      execution: { environment: 'vm', image: 'name:ubuntu16.04' },
      requirements: { cpu: 2, memoryMiB: 2048, storageMiB: 10_240 },
      ports: [
        { name: 'eth0', network: 'mgmt' },
        { name: 'xe-0', network: 'inside-net', bandwidthMbps: 10_000 },
        { name: 'eth1', network: 'fw-vnfd-bus' },
      ],
    });
    expect(fw!.children[1]).toMatchObject({ scale: { initial: 1, min: 1, max: 9 } });
    expect(cache).toMatchObject({ requirements: { after: ['fw-vnfd/a', 'fw-vnfd/b'] } });
    expect(cache!.children[0]!.ports).toMatchObject([{ network: 'inside-net', address: '192.168.10.9' }]);
    expect(service!.chains).toMatchObject([
      {
        name: 'web',
        from: 'fw-vnfd/a.xe-0',
        to: 'cache-vnfd/cache.eth0',
        address: '10.99.0.2',
        protocol: 'tcp',
        ports: [80],
      },
    ]);
  });

  test('is written with all that it said', () => {
    const { files, losses } = writeDescriptor(service!, 'osm8');
    expect(losses).toEqual([]);
    expect(files.map((file) => settled(parse(text(file))))).toMatchObject(
      golden.map((file) => {
        const value = settled(parse(text(file))) as Record<string, unknown>;
        return value;
      }),
    );
    expect(canonicalJson(readDescriptor(files).service)).toBe(canonicalJson(service));
  });

  test('gets a scaling group, and an IP profile, where the model has changed', () => {
    const grown = (block: Block): Block => ({
      ...block,
      children: block.children.map(grown),
      ...(block.name === 'b' ? { scale: { initial: 2, min: 2, max: 3 } } : {}),
    });
    const networks = service!.networks.map((network) =>
      network.name === 'inside-net' ? { ...network, prefix: '192.168.0.0/16' } : network,
    );
    const edited: Service = { ...service!, networks, block: grown(service!.block) };
    const { service: back, problems: left } = readDescriptor(writeDescriptor(edited, 'osm8').files);
    expect(left.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(back!.networks[1]).toMatchObject({ prefix: '192.168.0.0/16' });
    expect(back!.block.children[0]!.children[1]!.scale).toEqual({ initial: 2, min: 2, max: 3 });
  });
});

test.each([
  ['ns.yaml', 'vnfd-id-ref: cache_vnfd}', 'vnfd-id-ref: cash}', 'SF-DESCRIPTOR-REFERENCE', 'cash'],
  ['ns.yaml', 'rsp-id-ref: path', 'rsp-id-ref: pfad', 'SF-DESCRIPTOR-REFERENCE', 'id: web'],
  ['fw.yaml', 'memory-mb: 2048', 'memory-mb: much', 'SF-DESCRIPTOR-VALUE', 'much'],
  ['ns.yaml', 'ip-address: 192.168.10.9', 'ip-address: 192.168.11.9', 'SF-MODEL-ADDRESS', 'eth0'],
])('mistakes in %s are found where they are: %s', (path, right, wrong, code, line) => {
  const files = golden.map((file) =>
    file.path === path ? { path, bytes: new TextEncoder().encode(text(file).replace(right, wrong)) } : file,
  );
  const problem = readDescriptor(files).problems.find((one) => one.code === code);
  const { file, line: number } = problem!.position!;
  expect(text(files.find((one) => one.path === file)!).split('\n')[number - 1]).toContain(line);
});

/** Empty lists say nothing. */
const nonEmpty = (fields: object) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => !Array.isArray(value) || value.length > 0));

/** Machines with images that a site knows, in whole figures, which only grow; Kubernetes units bare, after the machines. */
function sayable(service: Service): Service {
  const block = (one: Block): Block => {
    const children = one.children.map(block);
    const isPod = ({ execution }: Block) => Number(execution?.environment === 'pod');
    if (one.kind === 'function')
      return { ...one, requirements: {}, children: children.toSorted((a, b) => isPod(a) - isPod(b)) };
    if (one.kind !== 'unit') return { ...one, children };
    const { environment, image: _image, ...execution } = one.execution!;
    const { scale, ...rest } = one;
    if (environment === 'pod')
      return { ...rest, children, ports: [], requirements: {}, execution: { environment, ...execution } };
    const { cpu, memoryMiB, storageMiB, after: _after, ...requirements } = one.requirements;
    const asked = {
      ...nonEmpty(requirements),
      ...(cpu === undefined ? {} : { cpu: Math.ceil(cpu) + 1 }),
      ...(memoryMiB === undefined ? {} : { memoryMiB: Math.ceil(memoryMiB) + 1 }),
      ...(storageMiB === undefined ? {} : { storageMiB: 2048 }),
    };
    const ports = one.ports.map(({ bandwidthMbps, ...port }) =>
      bandwidthMbps === undefined || bandwidthMbps === 0 ? port : { ...port, bandwidthMbps },
    );
    const grows = scale === undefined ? {} : { scale: { ...scale, min: scale.initial } };
    return {
      ...rest,
      ...grows,
      ports,
      children,
      requirements: asked,
      execution: { ...execution, environment: 'vm', image: 'name:debian12' },
    };
  };
  const root = block(service.block);
  // A chain ends at ports, which the Kubernetes units have lost.
  const ends = new Set(
    root.children.flatMap((fn) =>
      fn.children.filter(({ ports }) => ports.length > 0).map((unit) => `${fn.name}/${unit.name}`),
    ),
  );
  const chains = service.chains.filter(({ from, through, to }) => [from, ...through, to].every((hop) => ends.has(hop)));
  return { ...service, block: root, chains };
}

/** Names and types that every descriptor of OSM must have are read as what it carries. */
function uncarried(service: Service): Service {
  return JSON.parse(JSON.stringify(service), (key, value: unknown) =>
    key === 'carried' ? undefined : value,
  ) as Service;
}

test('what was written is read as the same service, without what was reported as lost', () => {
  keepsMeaning('osm8', { among: sayable, normal: uncarried, numRuns: 12 });
});

test('whatever a file of the package becomes, the answer is problems with known codes', () =>
  survivesDamage(golden, 20));

test.skipIf(!hasRealFiles)(
  `of the VNFDs around NEMO those of OSM are read, those of OpenMANO are left to others${noRealFiles}`,
  () => {
    const all = realFiles('nemo-vibnemo', /\.yaml$/);
    const byFormat = Object.fromEntries(all.map((file) => [file.path, recognise([file]) ?? 'unknown']));
    expect(
      Object.entries(byFormat)
        .filter(([, format]) => format === 'osm8')
        .map(([path]) => path),
    ).toEqual(['Ref_video_vnfd.yaml', 'video_vnfd.yaml', 'vlc_vnf.yaml']);
    for (const path of ['complex_vnfd.yaml', 'dataplaneVNF1.yaml', 'dataplaneVNF2.yaml', 'dataplaneVNF_2VMs.yaml'])
      expect(['sol006', 'osm', 'osm8']).not.toContain(byFormat[path]);
    for (const file of all.filter(({ path }) => byFormat[path] === 'osm8')) {
      const { service, problems } = readDescriptor([file]);
      expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
      const { files, losses } = writeDescriptor(service!, 'osm8');
      expect([losses, files.length]).toEqual([[], 1]);
      expect(settled(parse(text(files[0]!)))).toEqual(settled(parse(text(file))));
      expect(canonicalJson(readDescriptor(files).service)).toBe(canonicalJson(service));
    }
  },
);
