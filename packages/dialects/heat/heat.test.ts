import {
  inheritRequirements,
  type Block,
  type Execution,
  type Port,
  type Requirements,
  type Service,
} from '@superfluidity/model';
import { canonicalJson } from '@superfluidity/core';
import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { convert, readDescriptor, writeDescriptor } from '../descriptor.ts';
import type { DescriptorFile } from '../files.ts';
import type { Group } from '../groups.ts';
import { keepsMeaning, survivesDamage } from '../testing/round-trip.ts';
import { services } from '../testing/services.ts';
import { objections } from './objections.ts';
import { toldBy, userData } from './user-data.ts';
import { joinWords, splitWords } from './words.ts';

const folder = fileURLToPath(new URL('./golden/two-tiers', import.meta.url));
const tiers = readdirSync(folder).map((path) => ({ path, bytes: readFileSync(`${folder}/${path}`) }));
const router = [{ path: 'server.yaml', bytes: readFileSync(new URL('./golden/server.yaml', import.meta.url)) }];
const text = ({ bytes }: DescriptorFile) => new TextDecoder().decode(bytes);
const one = (template: string) => [{ path: 'x.yaml', bytes: Buffer.from(template) }];

describe('a stack with a nested one', () => {
  const { service, problems, format } = readDescriptor(tiers);

  test('is a service: what functions come to, groups that scale, a balancer, what ports let in', () => {
    expect(format).toBe('heat');
    expect(service).toMatchObject({
      block: { name: 'web', description: 'Two tiers behind a balancer' },
      networks: [{ name: 'front', prefix: '10.60.0.0/24' }],
      balancers: [
        {
          name: 'balancer',
          unit: 'web/web',
          address: '10.60.0.5',
          port: 80,
          targetPort: 8080,
          layer: 'http',
          health: { kind: 'http', port: 8080, path: '/ready', timeoutMs: 3000 },
        },
      ],
    });
    const [db, web] = service!.block.children.map(({ children: [unit] }) => unit!);
    expect(db).toMatchObject({
      execution: { environment: 'vm', image: 'name:ubuntu-24.04' },
      requirements: { cpu: 2, memoryMiB: 4096, storageMiB: 120 * 1024 },
      ports: [{ name: 'db-port', network: 'front', address: '10.60.0.10', bandwidthMbps: 250 }],
      carried: { heat: { properties: { key_name: 'ops', availability_zone: 'inner' } } },
    });
    expect(db!.ports[0]).not.toHaveProperty('allow');
    expect(web).toMatchObject({
      scale: { initial: 2, min: 1, max: 5 },
      requirements: { after: ['db/db'] },
      ports: [
        {
          allow: [
            { protocol: 'tcp', ports: [80, 443] },
            { protocol: 'tcp', from: '192.0.2.0/24', ports: [22] },
          ],
        },
      ],
    });
    expect(service!.block.children).toHaveLength(2);
  });

  test('what has no words here is carried, and listed where it stands', () => {
    const told = problems.map(({ code, position, message }) => [
      code.replace('SF-DESCRIPTOR-', ''),
      position!.file,
      message.split("'")[1],
    ]);
    expect(told).toEqual([
      ['UNSUPPORTED', 'web.yaml', 'db/db'],
      ['UNSUPPORTED', 'member.yaml', 'm1.small'],
      ['UNSUPPORTED', 'web.yaml', 'address'],
      ['UNSUPPORTED', 'web.yaml', 'alarm'],
    ]);
    const lines = text(tiers.find(({ path }) => path === 'web.yaml')!).split('\n');
    for (const { message, position } of problems.slice(2))
      expect(lines[position!.line - 1]).toContain(message.split("'")[1]!);
  });

  test('is written as it was while it says the same, and made anew when it does not', () => {
    const { files, losses } = writeDescriptor(service!, 'heat');
    expect(losses).toEqual([]);
    const values = (all: readonly DescriptorFile[]) =>
      new Map(all.map((file) => [file.path, file.path.endsWith('.sh') ? text(file) : (parse(text(file)) as unknown)]));
    expect(values(files)).toEqual(values(tiers));
    const [db, web] = service!.block.children;
    const grown = { ...web!, children: [{ ...web!.children[0]!, scale: { initial: 3, min: 3, max: 3 } }] };
    const changed = { ...service!, block: { ...service!.block, children: [db!, grown] } };
    const again = writeDescriptor(changed, 'heat');
    expect(again.losses.map(({ message }) => message)).toEqual([
      expect.stringContaining('parameters, conditions, outputs'),
    ]);
    expect(again.files.map(text).join('\n')).toContain('key_name: ops');
    const { service: reread } = readDescriptor(again.files);
    expect(reread!.block.children[1]!.children[0]!.scale).toEqual({ initial: 3, min: 3, max: 3 });
    expect(reread!.balancers).toMatchObject([{ unit: 'web/web', address: '10.60.0.5' }]);
  });

  test('carried by another dialect, is not taken for a template', () => {
    const { files } = convert(tiers, 'native');
    expect(readDescriptor(files)).toMatchObject({ format: 'native', service: { networks: [{ name: 'front' }] } });
    expect(convert(files, 'heat').losses).toEqual([]);
  });

  test('values of an environment take the place of defaults', () => {
    const environment = { path: 'env.yaml', bytes: Buffer.from('parameters: {replicas: 4, secure: false}\n') };
    const { service: other } = readDescriptor([...tiers, environment]);
    const names = other!.block.children.map(({ name }) => name);
    expect(names).toContain('never');
    expect(other!.block.children.find(({ name }) => name === 'web')!.children[0]!.scale!.initial).toBe(4);
  });
});

test('a server between networks that nobody guards forwards, and a trunk gives it more ports', () => {
  const { service, problems } = readDescriptor(router);
  const [unit] = service!.block.children[0]!.children;
  expect(unit!.ports.map(({ name, network }) => [name, network])).toEqual([
    ['left', 'left-net'],
    ['right', 'right-net'],
    ['tagged', 'tagged-net'],
  ]);
  expect(service!.block.children[0]!.name).toBe('router-vm');
  expect(problems.filter(({ code }) => code === 'SF-DESCRIPTOR-ASSUMED')).toHaveLength(3);
});

describe('mistakes are found where they are', () => {
  const changed = (from: string, to: string) =>
    tiers.map((file) => {
      if (file.path !== 'web.yaml') return file;
      expect(text(file)).toContain(from);
      return { path: file.path, bytes: Buffer.from(text(file).replace(from, to)) };
    });
  const lineOf = (part: string) =>
    text(tiers.find(({ path }) => path === 'web.yaml')!)
      .split(part)[0]!
      .split('\n').length;

  test.each([
    [
      'a resource without a type',
      '    type: OS::Neutron::Net\n',
      '    typ: OS::Neutron::Net\n',
      'SF-DESCRIPTOR-MISSING',
      '  front:\n',
    ],
    [
      'properties that are no group',
      'properties: {size: 100}',
      'properties: 100',
      'SF-DESCRIPTOR-TYPE',
      'properties: {size: 100}',
    ],
    [
      'a field given twice',
      '  front:\n',
      '  front: {type: x}\n  front:\n',
      'SF-DESCRIPTOR-DUPLICATE-KEY',
      '  front:\n',
    ],
    ['an address outside of its network', '10.60.0.10', '10.61.0.10', 'SF-MODEL-ADDRESS', '  db_port:\n'],
    ['bounds of scaling', 'max_size: 5', 'max_size: 1', 'SF-MODEL-SCALE', '  web:\n'],
  ])('%s', (_name, right, wrong, code, near) => {
    const { service, problems } = readDescriptor(changed(right, wrong));
    expect(service).toBeUndefined();
    const errors = problems.filter(({ severity }) => severity === 'error');
    expect(errors.map((problem) => problem.code)).toEqual([code]);
    expect(errors[0]!.position!.file).toBe('web.yaml');
    expect(Math.abs(errors[0]!.position!.line - lineOf(near))).toBeLessThanOrEqual(1);
  });

  test('what stands for too much, itself, or nothing is refused in bounded time', () => {
    const list = JSON.stringify(Array.from({ length: 100 }, (_, i) => i));
    const nest = (depth: number): string =>
      depth === 0 ? 'x' : `{repeat: {for_each: {a${depth}: ${list}}, template: ${nest(depth - 1)}}}`;
    const server = (image: string) =>
      one(
        `heat_template_version: 2018-08-31\nresources:\n  a: {type: OS::Nova::Server, properties: {image: ${image}, flavor: x}}\n`,
      );
    const begin = process.threadCpuUsage();
    expect(readDescriptor(server(nest(6))).problems.map(({ code }) => code)).toEqual(['SF-DESCRIPTOR-TOO-LARGE']);
    const { user, system } = process.threadCpuUsage(begin);
    expect((user + system) / 1_000).toBeLessThan(5_000);
    const loop = 'heat_template_version: 2018-08-31\nresources: {a: {type: x.yaml}}\n';
    expect(readDescriptor(one(loop)).problems.map(({ code }) => code)).toEqual(['SF-DESCRIPTOR-REFERENCE']);
    const two = [...router, { path: 'other.yaml', bytes: router[0]!.bytes }];
    expect(readDescriptor(two).problems[0]).toMatchObject({
      code: 'SF-DESCRIPTOR-UNSUPPORTED',
      position: { file: 'other.yaml' },
    });
    expect(readDescriptor(one('heat_template_version: 2018-08-31\n')).problems.map(({ code }) => code)).toEqual([
      'SF-DESCRIPTOR-MISSING',
    ]);
    const subnet = `heat_template_version: 2018-08-31
resources:
  s: {type: OS::Nova::Server, properties: {image: x, flavor: y, networks: [{subnet: {get_resource: n}}]}}
  n: {type: OS::Neutron::Subnet, properties: {network: {get_resource: n}, cidr: 10.0.0.0/8}}
`;
    expect(readDescriptor(one(subnet)).service!.networks.map(({ name }) => name)).toEqual(['n']);
    const condition =
      'heat_template_version: 2018-08-31\nconditions: {a: b, b: {not: a}}\nresources:\n  s: {type: OS::Nova::Server, condition: a, properties: {image: x, flavor: y}}\n';
    expect(readDescriptor(one(condition)).service).toBeDefined();
  });
});

describe('long values that are used many times', () => {
  const many = (count: number, item: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => item(i)).join('');
  const list = `[${many(9_000, (i) => `${i},`)}]`;
  const read = (value: string, defaults: Readonly<Record<string, string>>, more = '') => {
    const parameters = many(Object.keys(defaults).length, (i) => {
      const [name, said] = Object.entries(defaults)[i]!;
      return `  ${name}: {type: json, default: ${said}}\n`;
    });
    return readDescriptor(
      one(
        `heat_template_version: 2018-08-31\nparameters:\n${parameters}resources:\n${more}  s: {type: "OS::Nova::Server", properties: {image: i, x: ${value}}}`,
      ),
    );
  };

  test.each([
    ['repeat', `{repeat: {template: ${'x'.repeat(65_000)}, for_each: {x: [{get_param: a}]}}}`, 'y'.repeat(65_000)],
    ['list_join', `{list_join: [${'d'.repeat(65_000)}, {get_param: a}]}`, list],
    ['str_replace', `{str_replace: {template: {get_param: a}, params: {x: y}}}`, 'x'.repeat(200_000)],
    ['list_concat_unique', `{list_concat_unique: [{get_param: a}]}`, list],
  ])('%s stands for text and lists up to a bound, and never throws', (_, value, said) => {
    expect(read(value, { a: said }).service?.block.children).toHaveLength(1);
  });

  test.each([
    ['str_split', '{str_split: [".", {get_param: a}]}', `"${'a.'.repeat(20_000)}"`],
    ['list_concat', '{list_concat: [{get_param: a}]}', list],
    ['equals', '{equals: [{get_param: a}, {get_param: a}]}', list],
    [
      'str_replace',
      `{str_replace: {template: ${'x'.repeat(1_000)}, params: {get_param: a}}}`,
      `{${many(9_000, (i) => `n${i}: 1,`)}}`,
    ],
    ['repeat', `{repeat: {template: y, for_each: {${many(1_500, (i) => `x${i}: {get_param: a},`)}}}}`, list],
  ])('%s of them is refused', (_, value, said) => {
    const { problems } = read(`[${many(60, () => `${value},`)}]`, { a: said });
    expect(problems).toMatchObject([{ code: 'SF-DESCRIPTOR-TOO-LARGE' }]);
  });

  test('rules of a group that many ports have are refused too', () => {
    const rule = '{protocol: tcp, port_range_min: 1, port_range_max: 256},';
    const group = `  g: {type: "OS::Neutron::SecurityGroup", properties: {rules: [${many(100, () => rule)}]}}\n`;
    const ports = many(
      100,
      (i) =>
        `  s${i}: {type: "OS::Nova::Server", properties: {networks: [{network: n}], security_groups: [{get_resource: g}]}}\n`,
    );
    expect(read('1', { a: '1' }, group + ports).problems).toMatchObject([{ code: 'SF-DESCRIPTOR-TOO-LARGE' }]);
  });
});

test('what a guest is told is read as it was', () => {
  const words = fc.array(fc.string({ maxLength: 8 }), { minLength: 1, maxLength: 4 });
  const env = fc.dictionary(fc.stringMatching(/^[A-Z]{1,4}$/), fc.string({ maxLength: 8 }), { minKeys: 1, maxKeys: 3 });
  fc.assert(
    fc.property(
      words,
      fc.option(env, { nil: undefined }),
      fc.option(fc.string(), { nil: undefined }),
      fc.boolean(),
      (command, variables, program, forwards) => {
        const told = {
          command,
          ...(variables === undefined ? {} : { env: variables }),
          ...(program === undefined ? {} : { program }),
          ...(forwards ? { forwards } : {}),
        };
        expect(toldBy(userData(told)!)).toEqual(told);
        expect(splitWords(joinWords(command))).toEqual(command);
      },
    ),
  );
  expect(toldBy('#cloud-config\npackages: [git]\n')).toBeUndefined();
  // A name of a field that is a group of fields, and so on, took minutes once.
  expect(toldBy(`#cloud-config\n${'{'.repeat(400)}a${'}'.repeat(400)}\n`)).toBeUndefined();
  expect(splitWords(`a "b \\"c" d'e f'\\ g ''`)).toEqual(['a', 'b "c', 'de f g', '']);
});

describe('the example', () => {
  const example = readFileSync(new URL('../../../examples/mobile-edge/service.yaml', import.meta.url));
  const { files, losses } = convert([{ path: 'service.yaml', bytes: example }], 'heat');

  test('is a stack of nested stacks, each of which is one by itself', () => {
    expect(files.map(({ path }) => path)).toEqual([
      'mobile-edge.yaml',
      ...['ue', 'radio', 'epc', 'offload', 'firewall', 'video'].map((fn) => `functions/${fn}.yaml`),
    ]);
    const alone = files.find(({ path }) => path === 'functions/radio.yaml')!;
    const { service, problems } = readDescriptor([alone]);
    expect(problems.map(({ code }) => code)).toEqual(['SF-DESCRIPTOR-ASSUMED']);
    expect(service!.block.children.map(({ name, children }) => [name, children.map((unit) => unit.name)])).toEqual([
      ['radio', ['rrh', 'bbu']],
    ]);
  });

  test('loses what Heat does not do, aloud, and is read as the rest', () => {
    const lost = losses.map(({ path }) => path);
    for (const path of [
      'policies',
      'functions[0].units[0].image',
      'functions[2].units[0].program',
      'chains[0].latencyMaxMs',
    ])
      expect(lost).toContain(path);
    expect(losses.every(({ position }) => position !== undefined)).toBe(true);
    // In whatever order a folder has them.
    const { service, problems } = readDescriptor(files.toReversed());
    // Containers of a site forward what their host forwards: nobody can say so in a template.
    expect(problems.map(({ code, message }) => [code, message.split("'")[1]])).toEqual(
      ['radio/rrh', 'radio/bbu', 'epc/epc'].map((unit) => ['SF-MODEL-CHAIN', unit]),
    );
    const source = readDescriptor([{ path: 'service.yaml', bytes: example }]).service!;
    expect(service!.networks).toEqual(source.networks);
    expect(service!.chains).toMatchObject([
      { name: 'stream', from: 'ue/ue.eth0', to: 'video/video.eth0', address: '10.99.0.10', ports: [8080] },
    ]);
    expect(service!.chains[0]!.through.map((hop) => hop.replace('.eth0', ''))).toEqual(source.chains[0]!.through);
  });
});

/** What Heat can say of how something runs. */
function execution(run: Execution): Execution {
  const { environment, image, command, env, program, forwards } = run;
  const known = environment === 'click' || environment === 'unikernel' ? 'vm' : environment;
  const inside = known === 'container' || known === 'pod';
  const bare = known === 'nft' || known === 'process';
  return {
    environment: known,
    ...(bare ? {} : { image: `name:${(image ?? '').replace(/\W+/g, '-')}` }),
    ...(command === undefined ? {} : { command }),
    ...(env === undefined || Object.keys(env).length === 0 ? {} : { env }),
    ...(inside || program === undefined ? {} : { program }),
    ...(inside || forwards !== true ? {} : { forwards }),
  };
}

/** No rate is nothing, and Neutron has not every code point. */
const port = ({ bandwidthMbps, guaranteedMbps, dscp, ...rest }: Port): Port => ({
  ...rest,
  ...(bandwidthMbps === undefined || bandwidthMbps === 0 ? {} : { bandwidthMbps }),
  ...(guaranteedMbps === undefined || guaranteedMbps === 0 ? {} : { guaranteedMbps }),
  ...(dscp === undefined || dscp === 3 ? {} : { dscp }),
});

function sayable(service: Service): Service {
  const asked = ({ cpu, memoryMiB, storageMiB }: Requirements, inside: boolean): Requirements => ({
    ...(cpu === undefined ? {} : { cpu: inside ? cpu : Math.max(1, Math.ceil(cpu)) }),
    ...(memoryMiB === undefined ? {} : { memoryMiB: Math.max(4, Math.ceil(memoryMiB)) }),
    ...(storageMiB === undefined || storageMiB === 0 || inside ? {} : { storageMiB: Math.ceil(storageMiB) * 1_024 }),
  });
  const scaled = new Set<string>();
  const children = service.block.children.map(
    (fn): Block => ({
      ...fn,
      requirements: asked(fn.requirements, false),
      children: fn.children.map((unit): Block => {
        const run = execution(unit.execution!);
        if (unit.scale !== undefined) scaled.add(`${fn.name}/${unit.name}`);
        const inside = run.environment === 'container' || run.environment === 'pod';
        return { ...unit, execution: run, ports: unit.ports.map(port), requirements: asked(unit.requirements, inside) };
      }),
    }),
  );
  const chains = service.chains.filter(
    (chain) => chain.through.length > 0 && [chain.from, ...chain.through, chain.to].every((hop) => !scaled.has(hop)),
  );
  // Octavia gives a balancer an address of a network.
  const balancers = service.balancers.flatMap((balancer) => {
    const unit = children
      .flatMap((fn) => fn.children.map((child) => ({ path: `${fn.name}/${child.name}`, ports: child.ports })))
      .find(({ path }) => path === balancer.unit)!;
    return unit.ports.length === 0 ? [] : [{ ...balancer, address: '10.1.9.9' }];
  });
  return { ...service, chains, balancers, block: { ...service.block, children } };
}

/** A rule for each protocol and port; requirements stand at each unit; what is carried repeats what is read. */
function normal(service: Service): Service {
  const single = ({ allow, ...rest }: Port): Port => {
    if (allow === undefined) return rest;
    const rules = allow.flatMap(({ protocol, ports = [] }) => {
      if (ports.length === 0 || protocol === 'icmp') return [protocol === undefined ? {} : { protocol }];
      const protocols = protocol === undefined ? (['tcp', 'udp'] as const) : [protocol];
      return protocols.flatMap((each) => ports.map((number) => ({ protocol: each, ports: [number] })));
    });
    return { ...rest, allow: rules };
  };
  const bare = <T extends object>(thing: T) => ({ ...thing, carried: {} });
  const children = service.block.children.map((fn) => ({
    ...bare(fn),
    requirements: {},
    children: fn.children.map((unit) => {
      const { storageMiB, ...rest } = inheritRequirements([fn, unit]);
      const inside = unit.execution!.environment === 'container' || unit.execution!.environment === 'pod';
      return {
        ...bare(unit),
        ports: unit.ports.map(single),
        requirements: storageMiB === undefined || inside ? rest : { ...rest, storageMiB },
      };
    }),
  }));
  return { ...service, block: { ...bare(service.block), children } };
}

test('what was written is read as the same service, without what was reported as lost', () => {
  keepsMeaning('heat', { among: sayable, normal, numRuns: 10 });
});

test('names of resources and parameters never meet, whatever units, ports and networks are called', () => {
  const names = ['image', 'flavor', 'default', 'qos', 'pool', 'member', 'security', 'service'];
  const unit = (name: string): Block => ({
    kind: 'unit',
    name,
    ports: names.map((network) => ({ name: network, network, allow: [], bandwidthMbps: 5 })),
    children: [],
    links: [],
    requirements: { cpu: 1, memoryMiB: 8 },
    execution: { environment: 'vm', image: 'name:x' },
  });
  const block: Block = { kind: 'service', name: 'service', ports: [], links: [], requirements: {}, children: [] };
  const functions = names.map((name): Block => ({ ...block, kind: 'function', name, children: names.map(unit) }));
  const service: Service = {
    block: { ...block, children: functions },
    version: '1.0',
    networks: names.map((name, i) => ({ name, prefix: `10.${i}.0.0/16` })),
    chains: [],
    balancers: names.map((name, i) => ({
      name,
      unit: `${name}/${name}`,
      address: `10.${i}.0.9`,
      port: 80,
      targetPort: 80,
      layer: 'tcp',
    })),
  };
  const { files, losses } = writeDescriptor(service, 'heat');
  expect(losses).toEqual([]);
  const { service: again, problems } = readDescriptor(files);
  expect(problems).toEqual([]);
  const { block: read, ...rest } = normal(again!);
  expect(canonicalJson(read.children)).toBe(canonicalJson(normal(service).block.children));
  expect([rest.networks, rest.balancers]).toEqual([service.networks, service.balancers]);
});

test('Heat takes what is written of any service, whatever is lost', () => {
  const templates = (files: readonly DescriptorFile[]) =>
    new Map(files.map((file) => [file.path, parse(text(file)) as Group]));
  fc.assert(
    fc.property(services, fc.boolean(), (any, narrow) => {
      const { files } = writeDescriptor(narrow ? sayable(any) : any, 'heat');
      expect(objections(templates(files))).toEqual([]);
    }),
    { numRuns: 12 },
  );
});

test('whatever becomes of the files, the answer is problems with known codes', () => {
  survivesDamage(tiers, 15);
  survivesDamage(router, 15);
});
