import { canonicalJson } from '@superfluidity/core';
import type { Block, Service } from '@superfluidity/model';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { convert, readDescriptor, recognise, writeDescriptor } from '../descriptor.ts';
import type { DescriptorFile } from '../files.ts';
import { securityRule } from '../sol006/form.ts';
import { hasRealFiles, noRealFiles, realFiles } from '../testing/real-files.ts';
import { keepsMeaning, survivesDamage } from '../testing/round-trip.ts';

const text = ({ bytes }: DescriptorFile) => new TextDecoder().decode(bytes);
const golden: readonly DescriptorFile[] = ['edge_ns', 'router_vnf', 'app_knf'].map((name) => ({
  path: `${name}.yaml`,
  bytes: readFileSync(new URL(`golden/${name}.yaml`, import.meta.url)),
}));
const changed = (path: string, right: string, wrong: string): readonly DescriptorFile[] =>
  golden.map((file) => {
    if (file.path !== path) return file;
    expect(text(file)).toContain(right);
    return { path, bytes: new TextEncoder().encode(text(file).replace(right, wrong)) };
  });

describe('a package with machines, Kubernetes units and a forwarding graph', () => {
  const { service, problems, format } = readDescriptor(golden);
  const [router, second, app] = service!.block.children;

  test('is read as what it says', () => {
    expect(format).toBe('osm');
    expect(problems.map(({ code, severity }) => [code, severity])).toEqual([
      ['SF-DESCRIPTOR-ASSUMED', 'warning'],
      ['SF-DESCRIPTOR-ASSUMED', 'warning'],
      ['SF-DESCRIPTOR-ASSUMED', 'warning'],
    ]);
    expect(service!.networks.map(({ name, prefix }) => [name, prefix])).toEqual([
      ['mgmtnet', '10.128.0.0/24'],
      ['data', '10.20.0.0/24'],
      ['1-internal', '10.128.2.0/24'],
      ['2-internal', '10.128.3.0/24'],
    ]);
    expect(
      router!.children.map(({ name, execution, requirements, ports }) => ({
        name,
        execution,
        requirements,
        ports: ports.map(({ name: port, network, address, internalIf }) => ({ port, network, address, internalIf })),
      })),
    ).toEqual([
      {
        name: 'ctrl',
        execution: { environment: 'vm', image: 'name:debian12' },
        requirements: { cpu: 2, memoryMiB: 4096, storageMiB: 20_480 },
        ports: [
          { port: 'mgmt', network: 'mgmtnet', internalIf: 'eth0' },
          { port: 'inner', network: '1-internal', internalIf: 'eth1' },
        ],
      },
      {
        name: 'fwd',
        execution: { environment: 'vm', image: 'name:debian12' },
        requirements: { cpu: 2, memoryMiB: 4096, storageMiB: 20_480 },
        ports: [
          { port: 'wan', network: 'data', address: '10.20.0.5', internalIf: 'xe0' },
          { port: 'inner', network: '1-internal', internalIf: 'eth0' },
        ],
      },
    ]);
    expect(second!.children[1]!.ports[0]).toMatchObject({ network: 'data' });
    expect(service!.chains).toMatchObject([
      {
        name: 'web',
        from: '1/fwd.wan',
        through: [],
        to: '2/fwd.wan',
        address: '10.99.0.1',
        protocol: 'tcp',
        ports: [80, 443],
      },
    ]);
  });

  test('has a pod for each Kubernetes unit, with what names its chart or bundle', () => {
    expect(app!.children.map(({ name, execution }) => [name, execution!.environment])).toEqual([
      ['ldap', 'pod'],
      ['bundle', 'pod'],
    ]);
    expect(app!.children[0]!.ports).toMatchObject([{ name: 'stable-openldap', network: 'mgmtnet' }]);
    expect(app!.children.map(({ carried }) => carried)).toMatchObject([
      { osm: { kdu: { 'helm-chart': 'stable/openldap:1.2.6' } } },
      { osm: { kdu: { 'juju-bundle': 'cs:bundle/app-1' } } },
    ]);
  });

  test('is written with all that it said', () => {
    const { files, losses } = writeDescriptor(service!, 'osm');
    expect(losses).toEqual([]);
    expect(files.map(({ path }) => path)).toEqual([
      'edge-ns_ns/edge-ns_nsd.yaml',
      '1_vnf/1_vnfd.yaml',
      '3_vnf/3_vnfd.yaml',
    ]);
    const settled = (value: unknown) => JSON.parse(canonicalJson(value)) as unknown;
    const versioned = (file: DescriptorFile) => text(file).replace(/version: 1(?:\.0)?$/m, 'version: "1.0"');
    expect(files.map((file) => settled(parse(text(file))))).toEqual(
      golden.map((file) => settled(parse(versioned(file)))),
    );
    expect(canonicalJson(readDescriptor(files).service)).toBe(canonicalJson(service));
  });

  test('is written with what has changed in the model since', () => {
    const more = (block: Block): Block => ({
      ...block,
      children: block.children.map(more),
      ...(block.name === 'ctrl'
        ? { scale: { initial: 2, min: 1, max: 5 }, requirements: { cpu: 4, memoryMiB: 2048 } }
        : {}),
    });
    const edited: Service = { ...service!, block: more(service!.block) };
    const { files, losses } = writeDescriptor(edited, 'osm');
    expect(losses).toEqual([]);
    const back = readDescriptor(files).service!.block.children[0]!;
    expect(back.children[0]).toMatchObject({
      scale: { initial: 2, min: 1, max: 5 },
      requirements: { cpu: 4, memoryMiB: 2048 },
    });
    expect(text(files[1]!)).toContain('healing-aspect');
  });
});

test('losses of other dialects are named, and what is in both is kept', () => {
  const { losses, files, problems } = convert(golden, 'sol006');
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(losses.some(({ message }) => message.includes('carries of osm'))).toBe(true);
  expect(readDescriptor(files).service!.block.children[0]!.children[0]).toMatchObject({
    execution: { environment: 'vm', image: 'name:debian12' },
    requirements: { cpu: 2, memoryMiB: 4096 },
  });
});

describe('mistakes are found where they are', () => {
  test.each([
    [
      'a VNFD that is not there',
      'edge_ns.yaml',
      'vnfd-id: app_knf',
      'vnfd-id: app_kfn',
      'SF-DESCRIPTOR-REFERENCE',
      'app_kfn',
    ],
    [
      'an internal link that is not there',
      'router_vnf.yaml',
      'int-virtual-link-desc: internal',
      'int-virtual-link-desc: intern',
      'SF-DESCRIPTOR-REFERENCE',
      'intern',
    ],
    [
      'scaling beyond the profile',
      'router_vnf.yaml',
      '{id: ctrl, min-number-of-instances: 1}',
      '{id: ctrl, max-number-of-instances: 3}',
      'SF-DESCRIPTOR-SCALING',
      'vdu-delta',
    ],
    [
      'an instantiation level beyond the profile',
      'router_vnf.yaml',
      '{vdu-id: fwd, number-of-instances: 1}',
      '{vdu-id: fwd, number-of-instances: 4}',
      'SF-DESCRIPTOR-SCALING',
      'vdu-id: fwd',
    ],
    [
      'a profile of a VDU that is not there',
      'router_vnf.yaml',
      '{id: fwd, min',
      '{id: fwdd, min',
      'SF-DESCRIPTOR-REFERENCE',
      'fwdd',
    ],
    [
      'a path over nothing',
      'edge_ns.yaml',
      'order: 0, constituent-base-element-id: "1"',
      'order: 0, constituent-base-element-id: "9"',
      'SF-DESCRIPTOR-REFERENCE',
      'id: position',
    ],
  ])('%s', (_name, path, right, wrong, code, line) => {
    const files = changed(path, right, wrong);
    const problem = readDescriptor(files).problems.find((one) => one.code === code);
    expect(problem?.position?.file).toBe(path);
    expect(text(files.find((file) => file.path === path)!).split('\n')[problem!.position!.line - 1]).toContain(line);
  });
});

/** Empty lists say nothing. */
const nonEmpty = (fields: object) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => !Array.isArray(value) || value.length > 0));

/** Machines with images that a site knows, in figures that OSM can write; Kubernetes units bare. */
function sayable(service: Service): Service {
  const block = (one: Block): Block => {
    const { affinity: _a, after: _b, cpu, memoryMiB, storageMiB, ...rest } = one.requirements;
    const children = one.children.map(block);
    const isPod = ({ execution: how }: Block) => Number(how?.environment === 'pod');
    // Lists of their own: machines first.
    if (one.kind === 'function')
      return { ...one, children: children.toSorted((a, b) => isPod(a) - isPod(b)), requirements: {} };
    if (one.kind !== 'unit') return { ...one, children };
    const { environment, ...execution } = one.execution!;
    const ports = one.ports.map(({ allow, ...port }) =>
      allow === undefined || securityRule('x', { ...port, allow }) === undefined ? port : { ...port, allow },
    );
    if (environment === 'pod') {
      const { scale: _scale, ...pod } = one;
      const { image: _image, ...bare } = execution;
      return {
        ...pod,
        children,
        requirements: {},
        execution: { environment, ...bare },
        ports: ports.map(({ name, network }) => ({ name, ...(network === undefined ? {} : { network }) })),
      };
    }
    const asked = {
      ...nonEmpty(rest),
      ...(cpu === undefined ? {} : { cpu: Math.ceil(cpu) + 1 }),
      ...(memoryMiB === undefined ? {} : { memoryMiB: 512 * (1 + Math.floor(memoryMiB)) }),
      ...(storageMiB === undefined ? {} : { storageMiB: 1024 }),
    };
    return {
      ...one,
      children,
      ports,
      requirements: asked,
      execution: { ...execution, environment: 'vm', image: 'name:debian12' },
    };
  };
  return { ...service, block: block(service.block) };
}

test('what was written is read as the same service, without what was reported as lost', () => {
  keepsMeaning('osm', { among: sayable, numRuns: 12 });
});

test('whatever a file of the package becomes, the answer is problems with known codes', () =>
  survivesDamage(golden, 20));

test.skipIf(!hasRealFiles)(`the package of the OSM hackfest is read, and written as it was${noRealFiles}`, () => {
  const files = realFiles('osm-hackfest', /_(?:nsd|vnfd)\.yaml$/);
  const { service, problems, format } = readDescriptor(files);
  expect([format, files.length, problems.map(({ code }) => code)]).toEqual(['osm', 2, ['SF-DESCRIPTOR-ASSUMED']]);
  expect(service!.block.children[0]!.children[0]).toMatchObject({
    execution: { environment: 'vm', image: 'name:ubuntu18.04' },
    requirements: { cpu: 1, memoryMiB: 1024, storageMiB: 10_240 },
  });
  const written = writeDescriptor(service!, 'osm');
  expect(written.losses).toEqual([]);
  const settled = (file: DescriptorFile) => canonicalJson(parse(text(file).replace('version: 1.0', 'version: "1.0"')));
  const byText = (file: DescriptorFile) => settled(file).length;
  expect(written.files.map(byText)).toEqual(files.map(byText));
  expect(canonicalJson(readDescriptor(written.files).service)).toBe(canonicalJson(service));
  expect(files.map((file) => recognise([file]))).toEqual(['osm', 'osm']);
});

test.each(['osm', 'osm8'] as const)(
  'a unit that is no machine has an image of its name in %s, and can be read',
  (format) => {
    const example = readFileSync(new URL('../../../examples/mobile-edge/service.yaml', import.meta.url));
    const { files, losses } = convert([{ path: 'service.yaml', bytes: example }], format);
    const said = losses.map(({ message }) => message);
    expect(said).toContain(`${format} cannot say: that the image 'ue' is host: of unit 'ue'`);
    expect(said).toContain(`${format} cannot say: environment nft of unit 'firewall'`);
    const { service, problems } = readDescriptor(files);
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    const images = service!.block.children.flatMap(({ children }) => children.map(({ execution }) => execution!.image));
    expect(images).toEqual([
      'name:ue',
      'name:rrh',
      'name:bbu',
      'name:epc',
      'name:offload',
      'name:firewall',
      'name:video',
    ]);
  },
);
