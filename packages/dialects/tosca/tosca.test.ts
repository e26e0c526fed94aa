import { canonicalJson } from '@superfluidity/core';
import type { Port, Service } from '@superfluidity/model';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { convert, readDescriptor, recognise, writeDescriptor } from '../descriptor.ts';
import type { DescriptorFile } from '../files.ts';
import { hasRealFiles, noRealFiles, realFiles } from '../testing/real-files.ts';
import { keepsMeaning, survivesDamage } from '../testing/round-trip.ts';

const filesOf = (folder: string): readonly DescriptorFile[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
    .map((path) => ({ path: path.slice(folder.length + 1), bytes: readFileSync(path) }));
const text = ({ bytes }: DescriptorFile) => new TextDecoder().decode(bytes);
const golden = filesOf(fileURLToPath(new URL('golden', import.meta.url)));
const changed = (path: string, from: string, to: string) =>
  golden.map((file) => {
    if (!file.path.endsWith(path)) return file;
    expect(text(file)).toContain(from);
    return { path: file.path, bytes: Buffer.from(text(file).replace(from, to)) };
  });
const one = (yaml: string, path = 'x.yaml') => [{ path, bytes: Buffer.from(yaml) }];

describe('a package of SOL001', () => {
  const { service, problems, format } = readDescriptor(golden);

  test('is a service: functions of two flavours, a path, networks inside and outside', () => {
    expect([problems, format]).toEqual([[], 'tosca']);
    expect(service).toMatchObject({
      version: '2.1',
      block: {
        name: 'delivery',
        description: 'Delivers video from the edge',
        children: [
          { name: 'cache', requirements: { affinity: [{ kind: 'apart', scope: 'site', with: ['origin'] }] } },
          {
            name: 'origin',
            children: [
              {
                name: 'server',
                scale: { initial: 2, min: 2, max: 2 },
                ports: [{ name: 'public', network: 'publiclink' }],
              },
            ],
          },
        ],
      },
      networks: [
        { name: 'publiclink', prefix: '10.20.0.0/16', mtu: 1450 },
        { name: 'cache-inside', prefix: '10.30.0.0/24' },
      ],
      chains: [
        {
          name: 'to-origin',
          from: 'cache/front.public',
          to: 'origin/server',
          address: '10.99.0.1',
          protocol: 'tcp',
          ports: [443],
        },
      ],
    });
    const [front, store] = service!.block.children[0]!.children;
    expect(front).toMatchObject({
      description: 'Answers requests',
      execution: { environment: 'vm', image: 'disk:Files/cache.qcow2' },
      requirements: {
        cpu: 2,
        memoryMiB: 4096,
        storageMiB: 10_240,
        affinity: [{ kind: 'together', scope: 'host', with: ['cache/store'] }],
      },
      scale: { initial: 3, min: 1, max: 5 },
      ports: [
        { name: 'public', network: 'publiclink', bandwidthMbps: 250, allow: [{ protocol: 'tcp', ports: [443, 444] }] },
        { name: 'inside', network: 'cache-inside' },
      ],
    });
    expect(store).toMatchObject({
      execution: { image: 'name:store-1.2' },
      requirements: { after: ['cache/front'] },
      ports: [{ address: '10.30.0.9' }],
    });
  });

  test('is written so that it is read as the same, with what the model has no words for', () => {
    const { files, losses } = writeDescriptor(service!, 'tosca');
    expect(losses).toEqual([]);
    const written = filesOf(fileURLToPath(new URL('golden-written', import.meta.url)));
    expect(Object.fromEntries(files.map((file) => [file.path, text(file)]))).toEqual(
      Object.fromEntries(written.map((file) => [file.path, text(file)])),
    );
    const again = readDescriptor(files);
    expect(again.problems).toEqual([]);
    expect(canonicalJson(again.service)).toBe(canonicalJson(service));
    const all = files.map(text).join('\n');
    for (const kept of [
      'boot_order',
      '2 GHz',
      'VirtualBlockStorage',
      'Vnflcm',
      'tosca.nodes.nfv.Sap',
      'flow_pattern: mesh',
      'NsScalingAspects',
      'max_scale_level: 2',
    ]) {
      expect(all).toContain(kept);
    }
  });

  test('keeps scaling aspects only while they say what the model does', () => {
    const [cache, ...rest] = service!.block.children;
    const [front, ...others] = cache!.children;
    const grown = { ...front!, scale: { initial: 1, min: 1, max: 9 } };
    const block = { ...service!.block, children: [{ ...cache!, children: [grown, ...others] }, ...rest] };
    const { files, losses } = writeDescriptor({ ...service!, block }, 'tosca');
    expect(losses.map(({ path, message }) => `${path} ${message}`)).toEqual([
      expect.stringMatching(/^functions\[0\] .*scaling aspects/),
    ]);
    const again = readDescriptor(files).service!;
    expect(again.block.children[0]!.children[0]!.scale).toEqual(grown.scale);
  });

  test.each<[string, string, string, string, string]>([
    [
      'a node that is not there',
      'cache.yaml',
      'virtual_binding: store, virtual_link: inside',
      'virtual_binding: store, virtual_link: insde',
      'SF-DESCRIPTOR-REFERENCE',
    ],
    [
      'a type that nobody defines',
      'cache.yaml',
      'type: tosca.nodes.nfv.VnfExtCp',
      'type: acme.ExtCp',
      'SF-DESCRIPTOR-REFERENCE',
    ],
    ['a file that is not there', 'cache.yaml', 'cache_type.yaml]', 'cache_types.yaml]', 'SF-DESCRIPTOR-REFERENCE'],
    [
      'imports in a circle',
      'cache_type.yaml',
      '[etsi_nfv_sol001_vnfd_types.yaml]',
      '[delivery.yaml]',
      'SF-DESCRIPTOR-REFERENCE',
    ],
    [
      'a flavour that is not there',
      'delivery.yaml',
      'flavour_id: small',
      'flavour_id: tiny',
      'SF-DESCRIPTOR-REFERENCE',
    ],
    [
      'an initial delta above the bounds',
      'cache.yaml',
      'initial_delta: {number_of_instances: 1}',
      'initial_delta: {number_of_instances: 6}',
      'SF-DESCRIPTOR-VALUE',
    ],
    [
      'steps that lead out of the bounds',
      'cache.yaml',
      'two: {number_of_instances: 2}',
      'two: {number_of_instances: 3}',
      'SF-DESCRIPTOR-VALUE',
    ],
    [
      'a level above that of its aspect',
      'cache.yaml',
      'requests: {scale_level: 2}',
      'requests: {scale_level: 3}',
      'SF-DESCRIPTOR-VALUE',
    ],
    [
      'a level with too many instances',
      'cache.yaml',
      'most: {number_of_instances: 5}',
      'most: {number_of_instances: 7}',
      'SF-DESCRIPTOR-VALUE',
    ],
    ['an aspect that is not there', 'cache.yaml', 'aspect: requests', 'aspect: request', 'SF-DESCRIPTOR-REFERENCE'],
    [
      'a delta that is not there',
      'cache.yaml',
      'step_deltas: [two]',
      'step_deltas: [three]',
      'SF-DESCRIPTOR-REFERENCE',
    ],
    [
      'a level that is not there',
      'cache.yaml',
      'default_level: usual',
      'default_level: unusual',
      'SF-DESCRIPTOR-REFERENCE',
    ],
    [
      'a range of ports that is none',
      'cache.yaml',
      'port_range_min: 443',
      'port_range_min: 445',
      'SF-DESCRIPTOR-VALUE',
    ],
    [
      'a size that is none',
      'cache.yaml',
      "concat: ['4', ' ', GiB]",
      "concat: ['4', ' ', GBytes]",
      'SF-DESCRIPTOR-VALUE',
    ],
    ['an address outside of its network', 'cache.yaml', '[10.30.0.9]', '[10.31.0.9]', 'SF-MODEL-ADDRESS'],
  ])('%s is found where it is', (_name, path, right, wrong, code) => {
    const files = changed(path, right, wrong);
    const found = readDescriptor(files);
    expect(found.service).toBeUndefined();
    const problem = found.problems.find((candidate) => candidate.code === code)!;
    const file = files.find((candidate) => candidate.path === problem.position!.file)!;
    expect(problem.position!.line).toBeGreaterThan(1);
    // The thing is near: a policy or node is reported at its first line.
    const line =
      text(file)
        .split('\n')
        .findIndex((candidate) => candidate.includes(wrong.split(',')[0]!)) + 1;
    if (file.path.endsWith(path)) expect(Math.abs(problem.position!.line - line)).toBeLessThan(16);
  });
});

describe('templates without TOSCA.meta', () => {
  const server = (more: string) => `tosca_definitions_version: tosca_simple_yaml_1_3
topology_template:
  inputs:
    size: {type: scalar-unit.size, default: 512 MiB}
  node_templates:
    web:
      type: tosca.nodes.Compute
      capabilities:
        host: {properties: {num_cpus: 2, mem_size: {get_input: size}}}
        os: {properties: {type: linux, distribution: Alpine, version: '3.22'}}
    other:
      type: tosca.nodes.Compute
      capabilities:
        host: {properties: {mem_size: {get_property: [web, host, mem_size]}}}
${more}`;

  test('functions are resolved where they are constant, and never without end', () => {
    const { service, problems } = readDescriptor(one(server('')));
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(
      service!.block.children.map(({ children: [unit] }) => [unit!.execution!.image, unit!.requirements.memoryMiB]),
    ).toEqual([
      ['name:alpine-3.22', 512],
      ['guest:', 512],
    ]);
    const circle = `    a:
      type: tosca.nodes.network.Network
      properties: {cidr: {get_property: [b, cidr]}}
    b:
      type: tosca.nodes.network.Network
      properties: {cidr: {get_property: [a, cidr]}}
`;
    const codes = readDescriptor(one(server(circle))).problems.map(({ code }) => code);
    expect(codes.filter((code) => code === 'SF-DESCRIPTOR-ASSUMED')).toHaveLength(4);
  });

  test('several that nothing joins are refused, one that others need is not the entry', () => {
    const two = [...one(server('')), ...one(server(''), 'y.yaml')];
    expect(readDescriptor(two).problems[0]).toMatchObject({
      code: 'SF-DESCRIPTOR-UNSUPPORTED',
      position: { file: 'y.yaml' },
    });
    const bare = golden.filter(({ path }) => !path.includes('TOSCA.meta'));
    expect(canonicalJson(readDescriptor(bare.toReversed()).service)).toBe(
      canonicalJson(readDescriptor(golden).service),
    );
  });

  test('a VNFD alone is a service of one function, whose links to the outside are assumed', () => {
    const alone = golden.filter(({ path }) => path.includes('cache_large') || path.includes('cache_type'));
    const { service, problems } = readDescriptor(alone);
    expect(problems.map(({ code, position }) => [code, position!.line])).toEqual([['SF-DESCRIPTOR-ASSUMED', 20]]);
    expect(service!.block.children).toMatchObject([
      { name: 'cache-large', children: [{ ports: [{ network: 'public' }] }] },
    ]);
  });

  test('type definitions alone are recognised, and are no service', () => {
    const types = golden.filter(({ path }) => path.includes('cache_type'));
    expect(recognise(types)).toBe('tosca');
    expect(readDescriptor(types).problems.map(({ code }) => code)).toEqual(['SF-DESCRIPTOR-MISSING']);
  });
});

test('what was written is read as the same service, without what was reported as lost', () => {
  // SOL001 has a rule for each protocol and port, and cannot say that nothing may come in.
  const single = ({ allow, ...port }: Port): Port => {
    const rules = (allow ?? []).flatMap(({ protocol, ports = [] }) =>
      (protocol === undefined ? (['tcp', 'udp', 'icmp'] as const) : [protocol]).flatMap((each) =>
        ports.length === 0 ? [{ protocol: each }] : ports.map((number) => ({ protocol: each, ports: [number] })),
      ),
    );
    return rules.length === 0 ? port : { ...port, allow: rules };
  };
  const normal = (service: Service): Service => {
    const functions = service.block.children.map((fn) => ({
      ...fn,
      children: fn.children.map((unit) => ({ ...unit, ports: unit.ports.map(single) })),
    }));
    return { ...service, block: { ...service.block, children: functions } };
  };
  keepsMeaning('tosca', { normal, numRuns: 12 });
});

test('a unit that is more than a disk image is a type of its own, and what SOL001 cannot say is lost aloud', () => {
  const example = readFileSync(new URL('../../../examples/mobile-edge/service.yaml', import.meta.url));
  const { files, losses } = convert([{ path: 'service.yaml', bytes: example }], 'tosca');
  expect(losses).toEqual([]);
  expect(files.map(({ path }) => path)).toContain('Definitions/superfluidity_types.yaml');
  const service = readDescriptor([{ path: 'service.yaml', bytes: example }]).service!;
  expect(canonicalJson(readDescriptor(files).service)).toBe(canonicalJson(service));
});

test('policies of the service are policies of a type of its own, and what is wrong in them is found there', () => {
  const example = readFileSync(new URL('../../../examples/mobile-edge/service.yaml', import.meta.url));
  const { files } = convert([{ path: 'service.yaml', bytes: example }], 'tosca');
  const broken = (right: string, wrong: string) => {
    const texts = files.map(({ path, bytes }) => ({ path, text: new TextDecoder().decode(bytes) }));
    const nsd = texts.find(({ path }) => path.includes('nsd'))!;
    expect(nsd.text).toContain(right);
    const at = nsd.text.slice(0, nsd.text.indexOf(right)).split('\n').length;
    const changed = texts.map(({ path, text }) => ({
      path,
      bytes: new TextEncoder().encode(path === nsd.path ? text.replace(right, wrong) : text),
    }));
    const { problems } = readDescriptor(changed);
    return problems.map(({ code, position }) => [code, position!.line - at]);
  };
  expect(broken('packet: tcp dst port 8080', 'packet: tcp dst prt 8080')).toEqual([['SF-DESCRIPTOR-VALUE', 0]]);
  expect(broken('chain: stream\n', 'chain: steam\n')).toEqual([['SF-MODEL-REFERENCE', 0]]);
  expect(broken('deny:\n', 'denny:\n')[0]).toEqual(['SF-DESCRIPTOR-UNKNOWN-FIELD', 0]);
});

test('whatever a file of the package becomes, the answer is problems with known codes', () =>
  survivesDamage(golden, 25));

describe.skipIf(!hasRealFiles)(`real files${noRealFiles}`, () => {
  test.each([
    ['tacker/tosca/sample_vnf_package_csar', 'vnf/vdu1', 0],
    ['rdcl3d/TOSCA/One-Server-Three-Networks/YAML', 'my-server/my-server', 1],
    ['rdcl3d/TOSCA/Two-Servers-One-Network/YAML', 'my-server/my-server my-server2/my-server2', 2],
    ['rdcl3d/TOSCANFV/Sample-tosca-nfv/YAML', 'vnf1/vdu11 vnf1/vdu-ejh6 vnf2/vdu21', 6],
  ])('%s', (folder, units, assumed) => {
    const { service, problems, format } = readDescriptor(realFiles(folder, /./));
    expect(format).toBe('tosca');
    expect(problems.map(({ code }) => code)).toEqual(Array.from({ length: assumed }, () => 'SF-DESCRIPTOR-ASSUMED'));
    const paths = service!.block.children.flatMap((fn) => fn.children.map((unit) => `${fn.name}/${unit.name}`));
    expect(paths.join(' ')).toBe(units);
    const { files, losses } = writeDescriptor(service!, 'tosca');
    expect(losses).toEqual([]);
    expect(canonicalJson(readDescriptor(files).service)).toBe(canonicalJson(service));
  });

  test('nothing else of the folder is taken for TOSCA', () => {
    const claimed = realFiles('', /./).filter((file) => recognise([file]) === 'tosca');
    const folders = new Set(claimed.map(({ path }) => path.split('/').slice(0, 2).join('/')));
    expect([...folders].toSorted()).toEqual([
      'rdcl3d/TOSCA',
      'rdcl3d/TOSCANFV',
      'rdcl3d/schemas',
      'tacker/sol001-types',
      'tacker/tosca',
    ]);
  });
});
