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
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { convert, readDescriptor, recognise, writeDescriptor } from '../descriptor.ts';
import { at, groupAt, listOf, textOf, type Group } from '../groups.ts';
import { keepsMeaning, survivesDamage } from '../testing/round-trip.ts';
import { services } from '../testing/services.ts';
import { objections } from './objections.ts';

/** Rules that mean the same in one form: no empty lists of ports. */
const port = ({ allow, ...rest }: Port): Port =>
  allow === undefined
    ? rest
    : {
        ...rest,
        allow: allow.map(({ ports, ...rule }) =>
          ports === undefined || ports.length === 0 ? rule : { ...rule, ports },
        ),
      };

/** What Kubernetes can say of how something runs. */
function execution(one: Execution): Execution {
  const { environment, image = '', drain, health, nested: _, program, ...rest } = one;
  const known =
    environment === 'click' || environment === 'unikernel' || environment === 'process' ? 'container' : environment;
  const machine = known === 'vm';
  const packets = known === 'nft';
  const common = {
    environment: known,
    ...(packets ? {} : { image: `name:${image}` }),
    ...(health === undefined || health.kind === 'ping' || health.kind === 'running' || health.timeoutMs < 1_000
      ? {}
      : { health }),
    ...(drain === undefined || drain.timeoutMs % 1_000 > 0 ? {} : { drain: { ...drain, signal: 'SIGTERM' as const } }),
  };
  if (machine) return common;
  const { command, env, forwards } = rest;
  return {
    ...common,
    ...(program === undefined ? {} : { program }),
    ...(command === undefined || packets ? {} : { command }),
    ...(env === undefined || Object.keys(env).length === 0 ? {} : { env }),
    ...(forwards === undefined ? {} : { forwards }),
  };
}

function sayable(service: Service): Service {
  const asked = ({ cpu, memoryMiB, storageMiB }: Requirements): Requirements => ({
    ...(cpu === undefined ? {} : { cpu }),
    ...(memoryMiB === undefined ? {} : { memoryMiB: Math.ceil(memoryMiB) }),
    ...(storageMiB === undefined ? {} : { storageMiB: Math.ceil(storageMiB) }),
  });
  const functions = service.block.children.map((fn): Block => {
    const children = fn.children.map((unit): Block => {
      const run = execution(unit.execution!);
      const machine = run.environment === 'vm';
      const rules = new Map<string, Port['allow']>();
      const ports = unit.ports.map((one) => {
        const { bandwidthMbps, allow, ...rest } = port(one);
        // One policy for each network, without ICMP.
        const sound = allow?.filter(({ protocol }) => protocol !== 'icmp');
        if (!rules.has(rest.network!)) rules.set(rest.network!, sound);
        const same = rules.get(rest.network!);
        const width = bandwidthMbps === undefined || bandwidthMbps === 0 || machine ? {} : { bandwidthMbps };
        return { ...rest, ...width, ...(same === undefined ? {} : { allow: same }) };
      });
      return { ...unit, execution: run, ports, requirements: asked(unit.requirements) };
    });
    return { ...fn, requirements: asked(fn.requirements), children };
  });
  return { ...service, block: { ...service.block, children: functions } };
}

/** Requirements stand at each unit; what is carried repeats what is read. */
function normal(service: Service): Service {
  const bare = <T extends object>(thing: T) => ({ ...thing, carried: {} });
  const children = service.block.children.map((fn) => ({
    ...bare(fn),
    requirements: {},
    children: fn.children.map((unit) => ({ ...bare(unit), requirements: inheritRequirements([fn, unit]) })),
  }));
  return {
    ...service,
    block: { ...bare(service.block), children },
    networks: service.networks.map(bare),
    balancers: service.balancers.map(bare),
  };
}

const golden = (name: string) => {
  const path = `${name}.yaml`;
  return [{ path, bytes: readFileSync(new URL(`./golden/${path}`, import.meta.url)) }];
};
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const one = (manifest: string) => [{ path: 'x.yaml', bytes: Buffer.from(manifest) }];

/** The objects of a text, in one order, without fields that are empty. */
function objectsOf(manifests: string): readonly Group[] {
  const documents = parseAllDocuments(manifests).map((document) => document.toJS() as unknown);
  const all = documents
    .filter((value) => value !== null)
    .flatMap((value) => (at(value, 'kind') === 'List' ? listOf(at(value, 'items')) : [value]));
  const plain = all.map(
    (value) => JSON.parse(JSON.stringify(value, (_, inner: unknown) => inner ?? undefined)) as Group,
  );
  return plain.toSorted((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1));
}

const written = (service: Service) => {
  const { files, losses } = writeDescriptor(service, 'kubernetes');
  return { losses, manifests: text(files[0]!.bytes) };
};

describe('manifests as Helm renders them', () => {
  const { service, problems, format } = readDescriptor(golden('shop'));

  test('are a service: units, networks, what comes in, a balancer', () => {
    expect(format).toBe('kubernetes');
    expect(service).toMatchObject({
      version: '1.4',
      networks: [{ name: 'data-plane', prefix: '192.168.20.0/24', mtu: 1400 }, { name: 'cluster' }],
      balancers: [{ name: 'web', unit: 'shop/web', port: 80, targetPort: 8080 }],
    });
    const [web, store] = service!.block.children[0]!.children;
    expect(web).toMatchObject({
      scale: { initial: 3, min: 2, max: 9 },
      execution: {
        environment: 'pod',
        image: 'name:registry.example/shop/web:1.4',
        command: ['/bin/web', '--greet=hello', '--cost=$(5)', '--region=north'],
        env: { GREETING: 'hello', region: 'north', REGION: 'north' },
        health: { kind: 'http', port: 8080, path: '/ready', timeoutMs: 2000 },
        drain: { signal: 'SIGTERM', timeoutMs: 20_000 },
      },
      requirements: {
        cpu: 0.1,
        memoryMiB: 512,
        accelerators: ['example.com/fpga'],
        affinity: [{ kind: 'apart', scope: 'host', with: ['shop/store'] }],
      },
      ports: [
        {
          name: 'eth0',
          network: 'cluster',
          allow: [
            { protocol: 'tcp', from: '10.0.0.0/8', ports: [8080] },
            { protocol: 'udp', from: '10.0.0.0/8', ports: [5000, 5001, 5002] },
          ],
        },
        { name: 'net7', network: 'data-plane' },
      ],
    });
    expect(store!.children.map(({ name, requirements }) => [name, requirements.storageMiB])).toEqual([
      ['store', 2560],
      ['backup', undefined],
    ]);
  });

  test('what has no words here is carried, and listed where it stands', () => {
    expect(problems.map(({ code, position }) => `${position!.line} ${code.replace('SF-DESCRIPTOR-', '')}`)).toEqual([
      '70 UNSUPPORTED',
      '51 ASSUMED',
      '136 UNSUPPORTED',
      '200 UNSUPPORTED',
      '162 UNSUPPORTED',
      '162 ASSUMED',
      '213 UNSUPPORTED',
      '228 UNSUPPORTED',
    ]);
    // What a Secret holds is told to nobody.
    expect(JSON.stringify(problems)).not.toContain('czNjcjN0');
  });

  test('are written as they were', () => {
    const { losses, manifests } = written(service!);
    expect(losses).toEqual([]);
    expect(objectsOf(manifests)).toEqual(objectsOf(text(golden('shop')[0]!.bytes)));
  });

  test('what has changed is written, and nothing else is', () => {
    const [shop] = service!.block.children;
    const [web, store] = shop!.children;
    const changed: Block = {
      ...web!,
      scale: { initial: 4, min: 4, max: 12 },
      execution: {
        ...web!.execution!,
        image: 'name:registry.example/shop/web:1.5',
        command: ['/bin/web', '$HOME', '$(X)'],
      },
      requirements: { ...web!.requirements, memoryMiB: 768 },
    };
    const block = { ...service!.block, children: [{ ...shop!, children: [changed, store!] }] };
    const { manifests } = written({ ...service!, block });
    const before = new Map(objectsOf(text(golden('shop')[0]!.bytes)).map((object) => [nameOf(object), object]));
    const differ = objectsOf(manifests).filter(
      (object) => canonicalJson(object) !== canonicalJson(before.get(nameOf(object)) ?? null),
    );
    expect(differ.map(nameOf)).toEqual(['Deployment release-shop-web', 'HorizontalPodAutoscaler web']);
    const container = at(differ[0], 'spec', 'template', 'spec', 'containers', 0) as Group;
    expect(container).toMatchObject({
      image: 'registry.example/shop/web:1.5',
      imagePullPolicy: 'IfNotPresent',
      command: ['/bin/web', '$HOME', '$$(X)'],
      readinessProbe: { periodSeconds: 7 },
      resources: { requests: { cpu: '100m', memory: '768Mi' }, limits: { cpu: 0.5, 'example.com/fpga': 1 } },
    });
    expect(container['args']).toBeUndefined();
    expect(differ[1]).toMatchObject({ spec: { minReplicas: 4, maxReplicas: 12, metrics: [{ type: 'Resource' }] } });
    const again = readDescriptor(one(manifests)).service!.block.children[0]!.children[0]!;
    expect([again.scale, again.execution, again.requirements]).toEqual([
      changed.scale,
      changed.execution,
      changed.requirements,
    ]);
  });
});

const nameOf = (object: Group) => `${String(object['kind'])} ${textOf(groupAt(object, 'metadata')['name'])!}`;

describe('pods on a virtual machine', () => {
  const { service, problems } = readDescriptor(golden('nested'));

  test('are nested in it by the name of the node', () => {
    expect(problems.map(({ code }) => code.replace('SF-DESCRIPTOR-', ''))).toEqual([
      'UNSUPPORTED',
      'ASSUMED',
      'UNSUPPORTED',
    ]);
    const [worker, bbu] = service!.block.children.map(({ children: [unit] }) => unit!);
    expect(worker).toMatchObject({
      execution: { environment: 'vm', image: 'name:quay.example/disks/node:1' },
      requirements: { cpu: 4, memoryMiB: 8192 },
      ports: [{ network: 'cluster' }, { network: 'radio' }],
    });
    expect(bbu).toMatchObject({
      execution: { nested: { parent: 'worker-a/worker-a', parentMandatory: true } },
      requirements: { cpu: 1.5, memoryMiB: 1024 },
      ports: [{ name: 'eth0' }, { name: 'fronthaul', bandwidthMbps: 100, allow: [{ ports: [4991] }] }],
    });
    expect(service!.balancers).toMatchObject([{ address: '198.51.100.7', port: 38_412 }]);
  });

  test('are written as they were', () => {
    const { losses, manifests } = written(service!);
    expect(losses).toEqual([]);
    expect(objectsOf(manifests)).toEqual(objectsOf(text(golden('nested')[0]!.bytes)));
  });
});

describe('mistakes are found where they are', () => {
  test.each<[string, string, string, string, number]>([
    ['a quantity that is none', '{cpu: 100m,', '{cpu: 100 m,', 'SF-DESCRIPTOR-VALUE', 0],
    ['a field given twice', 'replicas: 3', 'replicas: 3\n  replicas: 4', 'SF-DESCRIPTOR-DUPLICATE-KEY', 1],
    ['a number for text', 'image: registry.example/shop/web:1.4', 'image: 14', 'SF-DESCRIPTOR-TYPE', 0],
    ['text for a number', 'replicas: 3', 'replicas: three', 'SF-DESCRIPTOR-TYPE', 0],
    ['networks that are none', 'data-plane@net7', '"[{"', 'SF-DESCRIPTOR-VALUE', 0],
    ['bounds of scaling', 'minReplicas: 2', 'minReplicas: 12', 'SF-MODEL-SCALE', -1],
  ])('%s', (_name, right, wrong, code, after) => {
    const whole = text(golden('shop')[0]!.bytes);
    expect(whole).toContain(right);
    const line = whole.slice(0, whole.indexOf(right)).split('\n').length + after;
    const { problems, service } = readDescriptor(one(whole.replace(right, wrong)));
    expect(service).toBeUndefined();
    const errors = problems.filter(({ severity }) => severity === 'error');
    expect(errors.map((problem) => [problem.code, problem.position!.line])).toEqual([[code, line]]);
  });

  test('what runs to its end only is no service, and templates that nobody has rendered are not read', () => {
    const job = 'apiVersion: batch/v1\nkind: Job\nmetadata: {name: x}\n';
    expect(readDescriptor(one(job)).problems.map(({ code }) => code)).toEqual(['SF-DESCRIPTOR-MISSING']);
    const chart = 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Values.name }}\n';
    expect(readDescriptor(one(chart)).problems.map(({ code }) => code)).toContain('SF-DESCRIPTOR-TYPE');
  });

  test('JSON is read as YAML is, and what others carry is not taken for a manifest', () => {
    const manifests = JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: objectsOf(text(golden('shop')[0]!.bytes)),
    });
    const { service } = readDescriptor([{ path: 'x.json', bytes: Buffer.from(manifests) }]);
    expect(service!.block.children[0]!.children.map(({ name }) => name)).toEqual(['web', 'store']);
    const native = convert(golden('shop'), 'native').files;
    expect(recognise(native)).toBe('native');
    expect(parse(text(native[0]!.bytes))).toHaveProperty('superfluidity');
  });
});

describe('the example', () => {
  const example = readFileSync(new URL('../../../examples/mobile-edge/service.yaml', import.meta.url));
  const { files, losses } = convert([{ path: 'service.yaml', bytes: example }], 'kubernetes');
  const manifests = text(files[0]!.bytes);

  test('is what an API server takes', () => {
    expect(objectsOf(manifests).flatMap((object) => objections(object))).toEqual([]);
    expect(objectsOf(manifests).map(({ kind }) => kind)).toContain('NetworkAttachmentDefinition');
  });

  test('loses what Kubernetes does not do, aloud, and is read as the rest', () => {
    const lost = losses.map(({ path }) => path);
    for (const path of [
      'chains',
      'policies',
      'functions[0].units[0].image',
      'functions[2].units[0].translates',
      'functions[3].units[0].health',
    ])
      expect(lost).toContain(path);
    expect(losses.every(({ position }) => position !== undefined)).toBe(true);
    const { service, problems } = readDescriptor(files);
    expect(problems).toEqual([]);
    const source = readDescriptor([{ path: 'service.yaml', bytes: example }]).service!;
    expect(service!.networks.map(({ name, prefix }) => [name, prefix])).toEqual(
      source.networks.map(({ name, prefix }) => [name, prefix]),
    );
    const programs = (of: Service) =>
      of.block.children.map(({ children }) =>
        children.map(({ execution: run }) => [run!.environment, run!.program, run!.forwards]),
      );
    expect(programs(service!)).toEqual(programs(source));
  });
});

test('pods that are written inside of a machine are bound to its node', () => {
  const native = `superfluidity: 1
service:
  name: nested
  version: "1.0"
  networks: [{name: lan, prefix: 10.1.0.0/16}]
  functions:
    - name: edge
      units:
        - name: host
          environment: vm
          image: name:quay.example/node:1
          ports: [lan]
          units:
            - {name: cache, environment: pod, image: name:cache, ports: [lan]}
            - name: proxy
              environment: pod
              image: name:proxy
              ports: [lan]
              requirements: {affinity: [{kind: together, scope: host, with: [edge/host/cache]}]}
  balancers: [{name: web, unit: edge/host/cache, address: 10.9.0.1, port: 80}]
`;
  const { files, losses, problems } = convert(one(native), 'kubernetes');
  expect(problems).toEqual([]);
  expect(losses.map(({ path, position }) => [path, position!.line])).toEqual([
    ['functions[0].units[0].units[0]', 14],
    ['functions[0].units[0].units[1]', 15],
  ]);
  expect(objectsOf(text(files[0]!.bytes)).flatMap((object) => objections(object))).toEqual([]);
  const { service } = readDescriptor(files);
  const [host, cache, proxy] = service!.block.children[0]!.children;
  expect(host!.name).toBe('host');
  for (const pod of [cache!, proxy!])
    expect(pod.execution!.nested).toEqual({ parent: 'edge/host', parentMandatory: true });
  expect(proxy!.requirements.affinity).toEqual([{ kind: 'together', scope: 'host', with: ['edge/host-cache'] }]);
  expect(service!.balancers[0]).toMatchObject({ unit: 'edge/host-cache', address: '10.9.0.1' });
});

test('what was written is read as the same service, without what was reported as lost', () => {
  keepsMeaning('kubernetes', { among: sayable, normal, numRuns: 12 });
});

test('an API server takes what is written of any service, whatever is lost', () => {
  fc.assert(
    fc.property(services, (any) => {
      const { manifests } = written(any);
      expect(objectsOf(manifests).flatMap((object) => objections(object))).toEqual([]);
    }),
    { numRuns: 12 },
  );
});

test('variables that double with each stay as they are written once they are long', () => {
  const env = Array.from(
    { length: 40 },
    (_, i) => `{name: A${i}, value: "${i === 0 ? 'xx' : `$(A${i - 1})$(A${i - 1})`}"}`,
  );
  const pod = `apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: i, env: [${env.join(', ')}]}]}\n`;
  const { service } = readDescriptor([{ path: 'pod.yaml', bytes: new TextEncoder().encode(pod) }]);
  const values = service!.block.children[0]!.children[0]!.execution!.env!;
  expect(values['A3']).toBe('x'.repeat(16));
  expect(values['A20']).toMatch(/^\$\(A\d+\)/);
  expect(Object.values(values).every((value) => value.length <= 65_536)).toBe(true);
});

test('whatever becomes of the file, the answer is problems with known codes', () => {
  survivesDamage(golden('shop'), 20);
  survivesDamage(golden('nested'), 20);
});

test('whose connections stay together, and who may come, is said by a Service', () => {
  const manifests = (spec: string) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: nginx}]}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, clusterIP: 10.96.0.9, ports: [{port: 80}], ${spec}}
`;
  const said =
    'sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}, loadBalancerSourceRanges: [10.0.0.0/8]';
  const { service } = readDescriptor(one(manifests(said)));
  const settings = { persistence: { kind: 'source-ip', timeoutMs: 60_000 }, allow: ['10.0.0.0/8'] } as const;
  expect(service!.balancers).toMatchObject([settings]);
  const { service: plain } = readDescriptor(one(manifests('type: ClusterIP')));
  const changed = { ...plain!, balancers: plain!.balancers.map((balancer) => ({ ...balancer, ...settings })) };
  expect(readDescriptor(one(written(changed).manifests)).service!.balancers).toMatchObject([settings]);
  const cookie = { ...plain!, balancers: [{ ...plain!.balancers[0]!, persistence: { kind: 'cookie' as const } }] };
  expect(written(cookie).losses.map(({ path }) => path)).toContain('balancers[0].persistence');
});
