import { canonicalJson } from '@superfluidity/core';
import type { Block, Port, Service } from '@superfluidity/model';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readDescriptor, recognise } from '../descriptor.ts';
import type { DescriptorFile } from '../files.ts';
import { readNative } from '../native/read.ts';
import { writeNative } from '../native/write.ts';
import { keepsMeaning, survivesDamage } from '../testing/round-trip.ts';
import { securityRule } from './form.ts';
import { readSol006 } from './read.ts';
import { writeSol006 } from './write.ts';

const example = fileURLToPath(new URL('../../../examples/mobile-edge', import.meta.url));
const folder = join(example, 'sol006');
const files: readonly DescriptorFile[] = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.yaml'))
  .toSorted()
  .map((path) => ({ path, bytes: readFileSync(join(folder, path)) }));
const native = [{ path: 'service.yaml', bytes: readFileSync(join(example, 'service.yaml')) }];

const text = (file: DescriptorFile) => new TextDecoder().decode(file.bytes);
const bytes = (content: string) => new TextEncoder().encode(content);
/** The package with something replaced in one of its files. */
function changed(path: string, right: string, wrong: string): readonly DescriptorFile[] {
  return files.map((file) => {
    if (file.path !== path) return file;
    expect(text(file)).toContain(right);
    return { path, bytes: bytes(text(file).replace(right, wrong)) };
  });
}

/** The service without rules of traffic that take more than one security group rule. */
function withOneRule(service: Service): Service {
  const port = ({ allow, ...rest }: Port): Port =>
    allow === undefined || securityRule('x', { ...rest, allow }) === undefined ? rest : { ...rest, allow };
  const block = (one: Block): Block => ({ ...one, ports: one.ports.map(port), children: one.children.map(block) });
  return { ...service, block: block(service.block) };
}

describe('the mobile edge service', () => {
  test('is the same service in both formats', () => {
    const [a, b] = [readDescriptor(files), readDescriptor(native)];
    expect([a.problems, b.problems]).toEqual([[], []]);
    expect([a.format, b.format]).toEqual(['sol006', 'native']);
    expect(canonicalJson(a.service)).toBe(canonicalJson(b.service));
  });

  test('is written as the package that is there', () => {
    const written = writeSol006(readDescriptor(native).service!);
    expect(Object.fromEntries(written.map((file) => [file.path, text(file)]))).toEqual(
      Object.fromEntries(files.map((file) => [file.path, text(file)])),
    );
  });
});

describe('other ways of writing the same', () => {
  const rewritten = (from: RegExp, to: string) =>
    files.map(({ path, bytes: content }) => ({ path, bytes: bytes(text({ path, bytes: content }).replace(from, to)) }));
  const service = canonicalJson(readDescriptor(files).service);

  test('fields without the names of YANG modules', () => {
    const bare = rewritten(/(?:superfluidity-nfv|etsi-nfv-descriptors):(?=\w+:)/g, '');
    expect(text(bare[0]!)).toMatch(/^nfv:/);
    expect(canonicalJson(readDescriptor(bare).service)).toBe(service);
  });

  test('memory as a number, protocol data of a link as a list', () => {
    const loose = rewritten(/size: "([\d.]+)"/g, 'size: $1').map((file) => ({
      ...file,
      bytes: bytes(text(file).replace(/(virtual-link-protocol-data:\n +)  associated/g, '$1- associated')),
    }));
    expect(text(loose.find(({ path }) => path === 'nsd.yaml')!)).toContain('- associated-layer-protocol');
    expect(canonicalJson(readDescriptor(loose).service)).toBe(service);
  });

  test('an MTU has a profile of its own', () => {
    const shaped = readDescriptor([
      { path: 'service.yaml', bytes: bytes(text(native[0]!).replace(/(prefix: [^}]+)/, '$1, mtu: 1400')) },
    ]).service!;
    expect(shaped.networks.map(({ mtu }) => mtu)).toContain(1400);
    expect(canonicalJson(readDescriptor(writeSol006(shaped)).service)).toBe(canonicalJson(shaped));
  });
});

test('a mistake in a field with the name of a module has the position of that field', () => {
  const wrong = changed(
    'vnfd/epc.yaml',
    'superfluidity-nfv:vduNestedDesc: nested/epc-epc.yaml',
    'superfluidity-nfv:vduNestedDesc: [1]',
  );
  const { line } = readSol006(wrong).problems[0]!.position!;
  expect(text(wrong.find(({ path }) => path === 'vnfd/epc.yaml')!).split('\n')[line - 1]).toContain('[1]');
});

describe('what nobody here reads', () => {
  const extended = files.map((file) => {
    const more: Readonly<Record<string, readonly [RegExp, string]>> = {
      'nsd.yaml': [/designer: superfluidity/, 'designer: ACME\n      acme:tier: gold\n      nested-nsd-id: [other]'],
      'vnfd/epc.yaml': [
        /( +)vdu:\n +- id: epc\n/,
        '$1virtual-storage-desc: [{ id: disk }]\n$&$1    boot-order: [{ key: 1 }]\n',
      ],
    };
    const [from, to] = more[file.path] ?? [/$^/, ''];
    return { path: file.path, bytes: bytes(text(file).replace(from, to)) };
  });
  const { service, problems } = readDescriptor(extended);

  test('is carried by the service, its functions and units', () => {
    expect(problems).toEqual([]);
    const epc = service!.block.children.find(({ name }) => name === 'epc')!;
    expect([service!.block.carried, epc.carried, epc.children[0]!.carried]).toEqual([
      { sol006: { designer: 'ACME', 'acme:tier': 'gold', 'nested-nsd-id': ['other'] } },
      { sol006: { 'virtual-storage-desc': [{ id: 'disk' }] } },
      { sol006: { 'boot-order': [{ key: 1 }] } },
    ]);
  });

  test('is written again, by way of the native format too', () => {
    const written = writeSol006(service!);
    expect(text(written.find(({ path }) => path === 'nsd.yaml')!)).toMatch(/designer: ACME[^]*acme:tier: gold/);
    expect(canonicalJson(readDescriptor(written).service)).toBe(canonicalJson(service));
    const back = readNative(writeNative(service!)).service!;
    expect(canonicalJson(back)).toBe(canonicalJson(service));
  });

  test('cannot replace what the model says', () => {
    const block = { ...service!.block, carried: { sol006: { id: 'other', 'vnfd-id': [], designer: 'B' } } };
    const back = readDescriptor(writeSol006({ ...service!, block })).service!;
    expect(back.block).toMatchObject({ name: 'mobile-edge', carried: { sol006: { designer: 'B' } } });
  });
});

describe('mistakes are found where they are', () => {
  test.each<[string, string, string, string, string, string]>([
    [
      'a policy about a chain that is not there',
      'nsd.yaml',
      'chain: stream',
      'chain: strem',
      'SF-MODEL-REFERENCE',
      'nsd.yaml',
    ],
    [
      'a policy about nowhere',
      'nsd.yaml',
      '- ran\n            to:',
      '- rang\n            to:',
      'SF-MODEL-REFERENCE',
      'nsd.yaml',
    ],
    ['a formula that is none', 'nsd.yaml', 'AG (at apps', 'AG (at ap ps', 'SF-DESCRIPTOR-VALUE', 'nsd.yaml'],
    [
      'a VNFD that is not there',
      'nsd.yaml',
      'id: video\n              vnfd-id: video',
      'id: video\n              vnfd-id: vidio',
      'SF-DESCRIPTOR-REFERENCE',
      'nsd.yaml',
    ],
    [
      'a nested descriptor that is not there',
      'vnfd/epc.yaml',
      'nested/epc-epc.yaml',
      'nested/none.yaml',
      'SF-DESCRIPTOR-REFERENCE',
      'vnfd/epc.yaml',
    ],
    [
      'a nested descriptor of unknown type',
      'vnfd/epc.yaml',
      'vduNestedDescType: superfluidity',
      'vduNestedDescType: p4',
      'SF-DESCRIPTOR-UNSUPPORTED',
      'vnfd/epc.yaml',
    ],
    [
      'a nested descriptor without type',
      'vnfd/epc.yaml',
      'vduNestedDescType: superfluidity',
      'x: 1',
      'SF-DESCRIPTOR-MISSING',
      'vnfd/epc.yaml',
    ],
    [
      'a slip in a nested descriptor',
      'vnfd/nested/epc-epc.yaml',
      'environment: container',
      'enviroment: container',
      'SF-DESCRIPTOR-UNKNOWN-FIELD',
      'vnfd/nested/epc-epc.yaml',
    ],
    ['a rule that is none', 'nsd.yaml', 'rule: destination=', 'rule: dest=', 'SF-DESCRIPTOR-VALUE', 'nsd.yaml'],
    ['a rule with a port that is none', 'nsd.yaml', 'ports=8080', 'ports=80x80', 'SF-DESCRIPTOR-VALUE', 'nsd.yaml'],
    [
      'a parent that is not there',
      'vnfd/epc.yaml',
      'virtual-compute-desc: epc',
      'vduParent: vm',
      'SF-MODEL-REFERENCE',
      'vnfd/epc.yaml',
    ],
    [
      'two networks that overlap',
      'nsd.yaml',
      'cidr: 10.45.0.0/16',
      'cidr: 10.46.0.0/16',
      'SF-MODEL-PREFIX',
      'nsd.yaml',
    ],
  ])('%s', (_name, path, right, wrong, code, where) => {
    const { problems, service } = readSol006(changed(path, right, wrong));
    expect(service).toBeUndefined();
    const problem = problems.find((candidate) => candidate.code === code);
    expect(problem?.position?.file).toBe(where);
    expect(problem!.position!.line).toBeGreaterThan(0);
  });

  test('a mistake in a policy has the line of the policy', () => {
    const wrong = changed('nsd.yaml', 'AG (at apps', 'AG (at ap ps');
    const lines = text(wrong.find(({ path }) => path === 'nsd.yaml')!).split('\n');
    const { position, path } = readSol006(wrong).problems[0]!;
    expect(path).toMatch(/policy\[4\]\.check\.formula$/);
    const [line, column] = [position!.line - 1, position!.column - 1];
    expect(lines[line]!.slice(column)).toMatch(/^ap ps/);
  });
});

describe('attributes of nested VDUs', () => {
  const vnfd = (vdus: string) => [
    {
      path: 'package.yaml',
      bytes: bytes(`nfv:
  nsd: [{id: demo, version: "1", virtual-link-desc: [{id: lan}], df: [{id: d,
    vnf-profile: [{id: f, vnfd-id: f, virtual-link-connectivity: [{virtual-link-profile-id: l, constituent-cpd-id: [{constituent-cpd-id: x}]}]}],
    virtual-link-profile: [{id: l, virtual-link-desc-id: lan, virtual-link-protocol-data: [{l3-protocol-data: {cidr: 10.1.0.0/24}}]}]}]}]
  vnfd: [{id: f, ext-cpd: [{id: x, int-cpd: {vdu-id: vm, cpd: p0}}], virtual-compute-desc: [{id: c, virtual-cpu: {num-virtual-cpu: 2}, virtual-memory: {size: 1.5}}],
    sw-image-desc: [{id: i, image: vm.qcow2, container-format: bare}],
    vdu: [{id: vm, virtual-compute-desc: c, sw-image-desc: i, int-cpd: [{id: p0, internalIfRef: "0"}]}, ${vdus}],
    df: [{id: d, dependencies: [{id: o, primary-id: vm, secondary-id: inner}]}]}]
`),
    },
    { path: 'click/filter.click', bytes: bytes('FromDevice(0) -> ToDevice(1);\n') },
  ];

  test('a pod in a virtual machine, as in the example of annex B2.1', () => {
    const { service, problems } = readDescriptor(
      vnfd(
        '{id: inner, vduNestedDescType: kubernetes, vduNestedDesc: k8s.yaml, vduParent: vm, vduParentMandatory: true}',
      ),
    );
    expect(problems).toEqual([]);
    const [vm, inner] = service!.block.children[0]!.children;
    expect(inner!.execution).toEqual({
      environment: 'pod',
      nested: { descriptor: 'k8s.yaml', descriptorType: 'kubernetes', parent: 'f/vm', parentMandatory: true },
    });
    expect(inner!.requirements).toEqual({ after: ['f/vm'] });
    expect(vm).toMatchObject({
      execution: { environment: 'vm', image: 'disk:vm.qcow2' },
      requirements: { cpu: 2, memoryMiB: 1536 },
      ports: [{ name: 'p0', network: 'lan', internalIf: '0' }],
    });
  });

  test('a Click configuration on bare metal', () => {
    const { service, problems } = readDescriptor(
      vnfd('{id: inner, vduNestedDescType: click, vduNestedDesc: click/filter.click, vduParent: None}'),
    );
    expect(problems).toEqual([]);
    expect(service!.block.children[0]!.children[1]!.execution).toEqual({
      environment: 'click',
      program: 'FromDevice(0) -> ToDevice(1);\n',
      forwards: true,
      nested: { parent: 'none' },
    });
  });
});

test('an NSD that is no YAML is named with its position', () => {
  const { problems } = readDescriptor(changed('nsd.yaml', 'designer: superfluidity', 'designer: [superfluidity'));
  expect(problems.map(({ code }) => code)).toContain('SF-DESCRIPTOR-SYNTAX');
  expect(problems[0]!.position).toMatchObject({ file: 'nsd.yaml' });
  expect(problems[0]!.position!.line).toBeGreaterThan(3);
});

test('formats are recognised by what the files say', () => {
  expect(recognise(files)).toBe('sol006');
  expect(recognise(native)).toBe('native');
  expect(recognise([{ path: 'x.yaml', bytes: bytes('a: 1') }])).toBeUndefined();
  expect(readDescriptor([]).problems[0]!.code).toBe('SF-DESCRIPTOR-UNRECOGNISED');
  expect(
    readDescriptor([{ path: 'x.yaml', bytes: bytes('superfluidty: 1') }]).problems.map(({ suggestion }) => suggestion),
  ).toContain("did you mean 'superfluidity'?");
  expect(
    readDescriptor(Array.from({ length: 9 }, (_, i) => ({ path: `${i}`, bytes: new Uint8Array(2 ** 20) }))).problems[0]!
      .code,
  ).toBe('SF-DESCRIPTOR-TOO-LARGE');
});

test('a virtual link without addresses gets some, which are not written into the descriptor', () => {
  const { service, problems } = readDescriptor(changed('nsd.yaml', 'cidr: 10.47.0.0/16', 'ipv6-address-mode: x'));
  expect(problems.map(({ code, severity }) => [code, severity])).toEqual([['SF-DESCRIPTOR-ASSUMED', 'warning']]);
  expect(service!.networks[2]).toMatchObject({ name: 'sgi', prefix: '10.128.2.0/24' });
  const nsd = text(writeSol006(service!)[0]!);
  expect(nsd).toContain('cidr: 10.46.0.0/16');
  expect(nsd).not.toContain('10.128.2.0');
  expect(canonicalJson(readDescriptor(writeSol006(service!)).service)).toBe(canonicalJson(service));
});

test('what was written is read as the same service, without what was reported as lost', () => {
  keepsMeaning('sol006', { among: withOneRule, numRuns: 10 });
});

test('whatever a file of the package becomes, the answer is problems with known codes', () =>
  survivesDamage(files, 25));
