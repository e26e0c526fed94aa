import { existsSync, readFileSync } from 'node:fs';
import { inputSchema, inputsOf, readDescriptor, readYamlText } from '@superfluidity/dialects';
import { expect, test } from 'vitest';

const path = 'kubernetes-cluster.yaml';
const files = [{ path, bytes: readFileSync(new URL(path, import.meta.url)) }];
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA= me@host';
const unitsWith = (inputs: Readonly<Record<string, unknown>>) => {
  const { service, problems } = readDescriptor(files, inputs);
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  return service!.block.children.flatMap(({ children }) => children);
};

test('asks for masters, infra, workers and the kind of machine', () => {
  const { properties, required } = inputSchema(inputsOf(files)) as Record<string, never>;
  expect(required).toEqual([]);
  expect(properties).toMatchObject({
    masters: { type: 'number', default: 1, enum: [1, 3, 5] },
    infra: { default: 1, minimum: 0, maximum: 10 },
    workers: { default: 2, minimum: 1, maximum: 100 },
    machine: { default: 'vm', enum: ['vm', 'bare-metal', 'system-container'] },
    superfluidity_playbook: { default: 'site.yml' },
    superfluidity_key: { writeOnly: true },
  });
});

test('becomes as many machines, masters first, which let the owner of the key in', () => {
  const units = unitsWith({ masters: 3, infra: 2, workers: '5', public_key: KEY, memory_mib: 8192 });
  expect(units.map(({ name, scale, requirements }) => [name, scale?.initial, requirements.after])).toEqual([
    ['master', 3, undefined],
    ['infra', 2, ['master/master']],
    ['worker', 5, ['master/master']],
  ]);
  for (const { execution, requirements, ports } of units) {
    expect(execution).toMatchObject({ environment: 'vm', image: 'name:debian-12', env: { PUBLIC_KEY: KEY } });
    expect(requirements).toMatchObject({ cpu: 2, memoryMiB: 8192 });
    expect(ports[0]!.allow).toEqual([{ from: '10.20.0.0/24' }, { protocol: 'tcp', ports: [22, 6443] }]);
  }
  // More workers later, up to a hundred.
  expect(units[2]!.scale).toEqual({ initial: 5, min: 1, max: 100 });
});

test('or as many programs that play machines on a Linux site', () => {
  const units = unitsWith({ machine: 'system-container', public_key: KEY });
  for (const { execution, requirements } of units) {
    expect(execution).toMatchObject({ environment: 'process', files: 'machine', env: { PUBLIC_KEY: KEY } });
    expect(execution!.command).toEqual(['sh', '-c', 'exec sh boot.sh']);
    expect(execution).not.toHaveProperty('image');
    expect(requirements).toMatchObject({ cpu: 2, memoryMiB: 4096 });
  }
  expect(existsSync(new URL('machine/boot.sh', import.meta.url))).toBe(true);
});

test.each([
  ['masters', 2, /1, 3 or 5/],
  ['workers', 0, /1 to 100/],
  ['infra', 'many', /a number/],
  ['machine', 'toaster', /vm, bare-metal or system-container/],
  ['fabric', 'calico', /linux or neutron:CLOUD/],
  ['public_key', 'a\nb', /one line/],
  ['pod_network', 'everything', /prefix/],
  ['superfluidity_key', '-----BEGIN OPENSSH PRIVATE KEY-----', /secret:NAME/],
  ['nodes', 3, /is none of masters/],
])('refuses %s = %j by its name', (name, value, because) => {
  const { service, problems } = readDescriptor(files, { [name]: value });
  expect(service).toBeUndefined();
  expect(problems).toEqual([
    expect.objectContaining({ path: `inputs.${name}`, message: expect.stringMatching(because) }),
  ]);
});

test('begins with what the playbooks begin with', () => {
  const text = readFileSync(new URL('group_vars/all.yml', import.meta.url));
  const defaults = readYamlText(text).value as Record<string, unknown>;
  const inputs = new Map(inputsOf(files).map(({ name, initial }) => [name, initial]));
  for (const name of ['pod_network', 'service_network', 'fabric', 'kubernetes_version'])
    expect(defaults[name], name).toBe(inputs.get(name));
  // An input that is no variable of theirs must not take the place of one.
  const derived = readFileSync(new URL('derived.yml', import.meta.url), 'utf8');
  for (const name of inputs.keys()) expect(derived).not.toMatch(new RegExp(`^${name}:`, 'm'));
});
