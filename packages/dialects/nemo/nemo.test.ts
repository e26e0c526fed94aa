import type { Block, Service } from '@superfluidity/model';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readDescriptor, recognise, writeDescriptor } from '../descriptor.ts';
import type { DescriptorFile } from '../files.ts';
import { nameIn } from '../names.ts';
import { hasRealFiles, noRealFiles, realFiles } from '../testing/real-files.ts';
import { keepsMeaning, survivesDamage } from '../testing/round-trip.ts';

const golden = readFileSync(new URL('./golden/branch-office.nemo', import.meta.url));
const files = [{ path: 'branch-office.nemo', bytes: golden }];
const script = (text: string, path = 'x.nemo'): DescriptorFile => ({ path, bytes: new TextEncoder().encode(text) });

/** `line:column code suggestion` of each problem of a script. */
function found(...scripts: readonly (string | DescriptorFile)[]): readonly string[] {
  const given = scripts.map((one) => (typeof one === 'string' ? script(one) : one));
  return readDescriptor(given).problems.map(({ code, position, suggestion = '' }) =>
    `${position?.line}:${position?.column} ${code} ${suggestion}`.trim(),
  );
}

function read(...scripts: readonly DescriptorFile[]): Service {
  const { service, problems } = readDescriptor(scripts);
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  return service!;
}

test('nodes become functions and networks, connections networks, operations chains', () => {
  const service = read(...files);
  expect(recognise(files)).toBe('nemo');
  const networks = service.networks.map(({ name, prefix }) => `${name} ${prefix}`);
  expect(networks).toEqual([
    'servers 192.168.20.0/24',
    'office 192.168.10.0/24',
    'uplink 10.128.2.0/24',
    'middle 10.128.3.0/24',
    'pair-between 10.128.4.0/24',
  ]);
  const units = service.block.children.flatMap((fn) =>
    fn.children.map((unit) => [
      `${fn.name}/${unit.name}`,
      `${unit.execution!.environment} ${unit.execution!.image}`,
      ...unit.ports.map(({ name, network, bandwidthMbps = '' }) => `${name}@${network} ${bandwidthMbps}`.trim()),
    ]),
  );
  expect(units).toEqual([
    ['office/office', 'vm name:ext-group', 'inside@office', 'uplink@uplink'],
    ['web/web', 'vm name:host', 'access@servers 1000'],
    ['guard/guard', 'vm name:fw', 'uplink@uplink', 'middle@middle'],
    ['pair/first', 'container oci:images/inspect', 'west@middle', 'east@pair-between 100'],
    ['pair/second', 'container oci:images/inspect', 'west@pair-between 100', 'east@servers'],
  ]);
  expect(service.chains).toMatchObject([
    {
      name: 'inspected',
      from: 'office/office',
      through: ['guard/guard', 'pair/first.west'],
      to: 'web/web',
      address: '10.99.0.1',
      protocol: 'tcp',
      ports: [443],
      bandwidthMbps: 50,
    },
  ]);
  // Parameters of the model around are put in place of their names.
  expect(service.block.children[3]!.children[0]!.carried).toEqual({ nemo: { properties: { rate: '10' } } });
});

test('what was read is written again with what the model does not know, and nothing is lost', () => {
  const service = read(...files);
  const { files: written, losses } = writeDescriptor(service, 'nemo');
  expect(losses).toEqual([]);
  const text = new TextDecoder().decode(written[0]!.bytes);
  expect(text).toContain(
    'CREATE Operation closed Target guests Priority 1 Condition (time > 22:00:00) && (time < 23:59:59)',
  );
  expect(text).toContain('Query Property From web;');
  expect(text).toContain('gateway-ip: 192.168.20.1');
  expect(plain(read(...written))).toEqual(plain(service));
  // Writing what was read of it changes nothing more.
  expect(new TextDecoder().decode(writeDescriptor(read(...written), 'nemo').files[0]!.bytes)).toBe(text);
});

const host = 'CREATE Node a Type host;\nCREATE Node b Type host;\n';

describe('mistakes are found where they are', () => {
  test.each<[string, string, string]>([
    ['a slip in a type', 'CREATE Node a Type hots;', "1:8 SF-DESCRIPTOR-REFERENCE did you mean 'host'?"],
    [
      'a slip in a property',
      'CREATE Node a Type host Property locaton: x;',
      "1:34 SF-DESCRIPTOR-UNKNOWN-FIELD did you mean 'location'?",
    ],
    ['a required property', 'CREATE Node a Type fw Property location: x;', '1:8 SF-DESCRIPTOR-MISSING'],
    ['a node without a type', 'CREATE Node a;', '1:8 SF-DESCRIPTOR-MISSING'],
    [
      'text where a number belongs',
      'CREATE NodeModel m Property integer: n;\nCREATE Node a Type m Property n: many;',
      '2:31 SF-DESCRIPTOR-TYPE',
    ],
    ['three ends of p2p', `${host}CREATE Connection c Type p2p Endnodes a, b, a;`, '3:8 SF-DESCRIPTOR-VALUE'],
    ['one end', `${host}CREATE Connection c Type mesh Endnodes a;`, '3:8 SF-DESCRIPTOR-VALUE'],
    [
      'an end that is nothing',
      `${host}CREATE Connection c Type p2p Endnodes a, d;`,
      "3:42 SF-DESCRIPTOR-REFERENCE did you mean 'a'?",
    ],
    [
      'a type of connections',
      `${host}CREATE Connection c Type p2q Endnodes a, b;`,
      "3:8 SF-DESCRIPTOR-REFERENCE did you mean 'p2p'?",
    ],
    ['something made twice', 'CREATE Node a Type host;\nCREATE Node a Type host;', '2:8 SF-DESCRIPTOR-DUPLICATE-KEY'],
    ['deleting what is not there', `${host}DELETE Node c;`, "3:1 SF-DESCRIPTOR-REFERENCE did you mean 'a'?"],
    [
      'deleting what is named',
      `${host}CREATE Connection c Type p2p Endnodes a, b;\nDELETE Node b;`,
      "3:42 SF-DESCRIPTOR-REFERENCE did you mean 'a'?",
    ],
    [
      'updating what is not there',
      `${host}UPDATE Node c Property name: x;`,
      "3:8 SF-DESCRIPTOR-REFERENCE did you mean 'a'?",
    ],
    [
      'models inside each other',
      'CREATE NodeModel m; Node x Type n;\nCREATE NodeModel n; Node y Type m;\nCREATE Node a Type m;',
      '2:21 SF-MODEL-CYCLE',
    ],
    [
      'a VNFD that is not there',
      'CREATE NodeModel m VNFD file:///tmp/v.yaml;\nCREATE Node a Type m;',
      '1:25 SF-DESCRIPTOR-REFERENCE',
    ],
    [
      'an operation on nothing',
      `${host}CREATE Operation o Target f Priority 0 Action deny;`,
      "3:8 SF-DESCRIPTOR-REFERENCE did you mean 'a'?",
    ],
    ['a transaction that stays open', `Transaction Begin;\n${host}`, '1:1 SF-DESCRIPTOR-VALUE'],
    ['a transaction that never began', `${host}Commit;`, '3:1 SF-DESCRIPTOR-VALUE'],
    ['definitions alone', 'CREATE NodeModel m;', '1:1 SF-DESCRIPTOR-MISSING'],
    ['a missing semicolon', 'CREATE Node a Type host\nCREATE Node b Type host;', '2:1 SF-DESCRIPTOR-SYNTAX'],
    [
      'a prefix that is none',
      'CREATE Node a Type host;\nCREATE Node n Type l2-group Property ip-prefix: 10.0.0.300/24;',
      '2:8 SF-MODEL-PREFIX',
    ],
  ])('%s', (_name, text, problem) => {
    expect(found(text).filter((one) => !one.includes('ASSUMED') && !one.includes('UNREACHABLE'))).toEqual([problem]);
  });

  test('a mistake costs its statement, not the script', () => {
    expect(found('CREATE Node a Type;\nCREATE Node b Type host;\nCREATE Link c;')).toEqual([
      '1:19 SF-DESCRIPTOR-SYNTAX',
      '3:8 SF-DESCRIPTOR-SYNTAX',
    ]);
  });
});

test('real deviations are taken with a warning', () => {
  const text =
    'CREATE Nodemodel probe Property string: rate\nCREATE Node a Type probe Property "rate": "3";\nCREATE Node b Type host;\nCREATE Connection c Endnodes a, b';
  expect(found(text.replace('rate\nCREATE', 'rate;\nCREATE')).filter((one) => one.includes('SYNTAX'))).toEqual([
    '1:8 SF-DESCRIPTOR-SYNTAX',
    '2:35 SF-DESCRIPTOR-SYNTAX',
    '4:21 SF-DESCRIPTOR-SYNTAX',
    '4:34 SF-DESCRIPTOR-SYNTAX',
  ]);
});

test('updates and deletions leave what they leave, and a deleted node is no function', () => {
  const service = read(
    script(
      `${host}UPDATE Node a Property location: here;\nDELETE TemplateInstance b;\nCREATE Node n Type l2-group Contain a;`,
    ),
  );
  expect(service.block.children.map(({ name }) => name)).toEqual(['a']);
  expect(service.block.children[0]!.children[0]!.carried).toMatchObject({ nemo: { properties: { location: 'here' } } });
  expect(service.block.children[0]!.children[0]!.ports).toMatchObject([{ network: 'n' }]);
});

const vnfd = script(
  `vnf:
  name: two
  VNFC:
  - {name: left, VNFC image: left.qcow2, vcpus: 2, ram: 512, bridge-ifaces: [{name: ge0}, {name: ge1}, {name: eth0}]}
  - {name: right, VNFC image: right.qcow2, bridge-ifaces: [{name: eth0}]}
  internal-connections:
  - {name: inner, elements: [{VNFC: left, local_iface_name: eth0}, {VNFC: right, local_iface_name: eth0}]}
  external-connections:
  - {name: outside, VNFC: left, local_iface_name: ge1}
`,
  'vnfs/two.yaml',
);

test('a parameter chooses the interface of the VNFD to which a connection point is bound', () => {
  const text = (chosen: string) =>
    `CREATE NodeModel sample Property string: vnfd-interface VNFD https://example.net/x.git\n  /vnfs/two.yaml;
  ConnectionPoint data at VNFD: vnfd-interface;
CREATE Node s Type sample Property vnfd-interface: ${chosen};
CREATE Node lan Type l2-group Property ip-prefix: 10.5.0.0/24;
CREATE Connection c Type p2p Endnodes s.data, lan;`;
  const network = (chosen: string) =>
    read(script(text(chosen)), vnfd).block.children[0]!.children[0]!.ports.map(
      (port) => `${port.name}@${port.network}`,
    );
  expect(network('ge0')).toEqual(['ge0@lan', 'ge1@undefined', 'eth0@s-inner']);
  expect(network('outside')).toEqual(['ge0@undefined', 'ge1@lan', 'eth0@s-inner']);
  expect(found(text('ge7'), vnfd)).toEqual(["3:33 SF-DESCRIPTOR-REFERENCE did you mean 'ge0'?"]);
  expect(found(text('eth0'), vnfd)).toEqual(['3:33 SF-DESCRIPTOR-VALUE']);
});

test('what grows without end is refused', () => {
  const doubling = Array.from(
    { length: 25 },
    (_, i) =>
      `CREATE NodeModel m${i}; Node x Type ${i === 0 ? 'host' : `m${i - 1}`}; Node y Type ${i === 0 ? 'host' : `m${i - 1}`};`,
  );
  expect(found(`${doubling.join('\n')}\nCREATE Node a Type m24;`)).toEqual([
    expect.stringContaining('SF-DESCRIPTOR-TOO-LARGE'),
  ]);
  const deep = Array.from({ length: 1_000 }, (_, i) => `CREATE NodeModel m${i}; Node x Type m${i + 1};`).toReversed();
  expect(found(`${deep.join('\n')}\nCREATE Node a Type m0;`)[0]).toContain('SF-DESCRIPTOR-TOO-DEEP');
  expect(found(script(`CREATE Node a Type host;${' '.repeat(2 ** 20)}`))[0]).toMatch(/TOO-LARGE/);
});

test('no error is lost among warnings', () => {
  const many = Array.from({ length: 60 }, (_, i) => `CREATE Node a${i} Type host;`).join('\n');
  const wrong = 'CREATE Operation o Target nothing Priority 0 Action deny;';
  const { service, problems } = readDescriptor([script(`${many}\n${wrong}`)]);
  expect(service).toBeUndefined();
  expect(problems.filter(({ severity }) => severity === 'error').map(({ position }) => position!.line)).toEqual([61]);
});

test('the script of the reference is read as it says', () => {
  const page = readFileSync(new URL('../../../docs/reference/nemo.md', import.meta.url)).toString();
  const [, example] = /```\n(.*?)```/s.exec(page)!;
  const inspect = 'vnf: {VNFC: [{name: v, VNFC image: i, bridge-ifaces: [{name: eth0}, {name: eth1}, {name: eth2}]}]}';
  const service = read(script(example!), script(inspect, 'inspect.yaml'));
  const ports = service.block.children.map((fn) =>
    fn.children.map((unit) => unit.ports.map(({ name, network }) => `${unit.name}.${name}@${network}`)),
  );
  expect(ports).toEqual([
    [['web.c2@lan']],
    [
      ['first.eth0@guard-in', 'first.eth1@guard-between', 'first.eth2@undefined'],
      ['second.eth0@guard-between', 'second.eth1@undefined', 'second.eth2@lan'],
    ],
  ]);
});

/** Names of functions and networks are in one space in NEMO. What the environment needs is written as properties. */
function apart(service: Service): Service {
  const names = new Set(service.networks.map(({ name }) => name));
  const clash = service.block.children.some(({ name }) => names.has(name));
  const children = clash ? [] : service.block.children.map((fn) => ({ ...fn, children: fn.children.map(withoutMacs) }));
  const apartFrom = { ...service, block: { ...service.block, children } };
  return clash ? { ...apartFrom, chains: [], balancers: [] } : apartFrom;
}

/** Of several ports NEMO does not say which has the Ethernet address of the node. */
function withoutMacs(unit: Block): Block {
  if (unit.ports.length === 1) return unit;
  return { ...unit, ports: unit.ports.map(({ mac: _mac, ...port }) => port) };
}

test('the Ethernet address of a host is that of its port, and written again; another word is carried', () => {
  const text = (mac: string) =>
    `CREATE Node h Type host Property mac-address: ${mac};\nCREATE Node lan Type l2-group Property ip-prefix: 10.5.0.0/24;\nCREATE Connection c Type p2p Endnodes h, lan;\n`;
  const service = read(script(text('"02:00:5E:10:00:01"')));
  expect(service.block.children[0]!.children[0]!.ports[0]).toMatchObject({ mac: '02:00:5e:10:00:01' });
  const { files, losses } = writeDescriptor(service, 'nemo');
  expect(losses).toEqual([]);
  expect(new TextDecoder().decode(files[0]!.bytes)).toMatch(
    /Node h Type host Property mac-address: "?02:00:5e:10:00:01"?;/,
  );
  const other = read(script(text('any')));
  expect(other.block.children[0]!.children[0]).toMatchObject({
    carried: { nemo: { properties: { 'mac-address': 'any' } } },
  });
});

/** What is carried repeats what is read; hops are noted with their ports; order of networks and ports is no meaning. */
function plain(service: Service): unknown {
  const bare = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(bare);
    if (value === null || typeof value !== 'object') return value;
    const kept = Object.entries(value).filter(([name]) => name !== 'carried');
    return Object.fromEntries(kept.map(([name, inner]) => [name, bare(inner)]));
  };
  const sorted = { ...service, networks: service.networks.toSorted((a, b) => a.name.localeCompare(b.name)) };
  return bare(sorted);
}

test('what was written is read as the same service, without what was reported as lost', () => {
  keepsMeaning('nemo', { among: apart, normal: (service) => plain(service) as Service, numRuns: 20 });
});

test('whatever becomes of the script, the answer is problems with known codes', () => {
  survivesDamage(files);
  survivesDamage([script(golden.toString()), vnfd], 20);
});

/** What is connected with what, whatever things are called: images and interfaces. */
interface Wiring {
  readonly units: readonly string[];
  readonly inside: readonly (readonly string[])[];
  readonly outside: readonly string[];
}

function wiringOf(service: Service): Wiring {
  const units = service.block.children.flatMap(({ children }) => children);
  const image = (unit: Block) => unit.execution!.image!.replace('name:', '');
  const ends = (network: string) =>
    units.flatMap((unit) =>
      unit.ports.filter((port) => port.network === network).map(({ name }) => `${image(unit)} ${name}`),
    );
  const networks = service.networks.map(({ name }) => ends(name).toSorted());
  return {
    units: units.map(image).toSorted(),
    inside: networks.filter(({ length }) => length > 1).toSorted(byText),
    outside: networks
      .filter(({ length }) => length === 1)
      .flat()
      .toSorted(),
  };
}

const byText = (a: readonly string[], b: readonly string[]) => a.join().localeCompare(b.join());

describe.skipIf(!hasRealFiles)(`scripts of vibNEMO, with the descriptors that it made of them${noRealFiles}`, () => {
  const files = (...names: readonly string[]) => {
    const all = realFiles('nemo-vibnemo', /./);
    return names.map((name) => all.find(({ path }) => path === name)!);
  };
  const goldenOf = (name: string) => parse(new TextDecoder().decode(files(name)[0]!.bytes));

  test('two VNFs of OpenMANO become one of three machines', () => {
    const service = read(...files('complex_vnfd.txt', 'dataplaneVNF1.yaml', 'dataplaneVNF2.yaml'));
    const { vnf } = goldenOf('complex_vnfd.yaml');
    const images = new Map<string, string>(
      vnf.VNFC.map((one: Record<'name' | 'VNFC image', string>): [string, string] => [one.name, one['VNFC image']]),
    );
    const end = (one: Record<'VNFC' | 'local_iface_name', string>) => `${images.get(one.VNFC)} ${one.local_iface_name}`;
    expect(service.block.children.map(({ name }) => name)).toEqual(['complex-vnfd']);
    expect(wiringOf(service)).toEqual({
      units: [...images.values()].toSorted(),
      inside: vnf['internal-connections']
        .map((one: { elements: Record<'VNFC' | 'local_iface_name', string>[] }) => one.elements.map(end).toSorted())
        .toSorted(byText),
      outside: vnf['external-connections'].map(end).toSorted(),
    });
    const inside = vnf['internal-connections'].map(({ name }: { name: string }) => name);
    const called = service.networks.map((network) => nameIn('nemo', network));
    expect(called.filter((name) => inside.includes(name)).toSorted()).toEqual(inside.toSorted());
    const [node1] = service.block.children[0]!.children;
    expect(node1).toMatchObject({ name: 'node1', requirements: { cpu: 14, memoryMiB: 16_384 } });
  });

  test('a VNF of OSM used twice becomes one of two machines', () => {
    const service = read(...files('osm_vlc_v2.txt', 'vlc_vnf.yaml'));
    const [vnfd] = goldenOf('Ref_video_vnfd.yaml')['vnfd:vnfd-catalog'].vnfd;
    const units = service.block.children.flatMap(({ children }) => children);
    expect(units.map(({ execution }) => execution!.image)).toEqual(
      vnfd.vdu.map(({ image }: { image: string }) => `name:${image}`),
    );
    for (const [i, { 'vm-flavor': flavor }] of vnfd.vdu.entries())
      expect(units[i]!.requirements).toEqual({
        cpu: flavor['vcpu-count'],
        memoryMiB: flavor['memory-mb'],
        storageMiB: flavor['storage-gb'] * 1_024,
      });
    const { inside, outside } = wiringOf(service);
    // vibNEMO renames the interfaces of the machines: eth0 is eth1 in one of them.
    expect(inside.map(({ length }) => length)).toEqual(
      vnfd['internal-vld'].map((link: Record<string, unknown[]>) => link['internal-connection-point']!.length),
    );
    expect(outside).toHaveLength(vnfd['connection-point'].length);
    const points = vnfd['connection-point'].map(({ name }: { name: string }) => `video-${name}`);
    expect(service.networks.map((network) => nameIn('nemo', network))).toEqual(expect.arrayContaining(points));
  });

  test('every script is read, or refused for what is wrong with it', () => {
    const [one, two] = files('dataplaneVNF1.yaml', 'dataplaneVNF2.yaml');
    read(...files('complex_vnfd_2.txt'), one!, two!);
    const codes = (given: readonly DescriptorFile[]) => {
      const { problems } = readDescriptor(given);
      return problems
        .filter(({ severity }) => severity === 'error')
        .map(({ code, position }) => `${position!.line} ${code}`);
    };
    // These delete what other scripts made.
    expect(codes(files('delete_complex_vnfd.txt'))).toEqual([
      '1 SF-DESCRIPTOR-REFERENCE',
      '3 SF-DESCRIPTOR-REFERENCE',
      '1 SF-DESCRIPTOR-MISSING',
    ]);
    expect(codes(files('osm_vlc_v2.txt', 'vlc_vnf.yaml', 'osm_delete_vlc.txt'))).toEqual([
      '3 SF-DESCRIPTOR-REFERENCE',
      '1 SF-DESCRIPTOR-MISSING',
    ]);
    expect(codes(files('osm_vlc_v2.txt'))).toEqual(['1 SF-DESCRIPTOR-REFERENCE']);
    const models = realFiles('rdcl3d/NEMO/SFC/NODEMODEL', /\.nemo$/);
    for (const model of models) expect(codes([model])).toEqual(['1 SF-DESCRIPTOR-MISSING']);
    const [intent] = realFiles('rdcl3d/NEMO/SFC/INTENT', /\.nemo$/);
    // Its author wrote ext-grup.
    expect(found(intent!, ...models).filter((problem) => problem.includes('REFERENCE'))).toEqual([
      "6:8 SF-DESCRIPTOR-REFERENCE did you mean 'ext-group'?",
      "7:8 SF-DESCRIPTOR-REFERENCE did you mean 'ext-group'?",
    ]);
    const corrected = script(new TextDecoder().decode(intent!.bytes).replaceAll('ext-grup', 'ext-group'), intent!.path);
    const service = read(corrected, ...models);
    expect(service.chains).toMatchObject([
      { from: 'site/site', through: ['fw1/fw1', 'cache2/cache2'], to: 'headquarter/headquarter' },
    ]);
    const written = writeDescriptor(service, 'nemo');
    expect(written.losses).toEqual([]);
    expect(plain(read(...written.files))).toEqual(plain(service));
  });
});
