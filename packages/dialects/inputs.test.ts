import { describe, expect, it } from 'vitest';
import { inputsOf, readDescriptor } from './descriptor.ts';
import { inputSchema } from './inputs.ts';

const file = (path: string, text: string) => ({ path, bytes: new TextEncoder().encode(text) });

const heat = [
  file(
    'web.yaml',
    `heat_template_version: 2018-08-31
parameters:
  count: {type: number, label: How many, description: Web servers, constraints: [{range: {min: 1, max: 4}}]}
  image: {type: string, default: ubuntu-24.04, constraints: [{allowed_values: [ubuntu-24.04, debian-13]}]}
  name: {type: string, default: web, constraints: [{length: {min: 2, max: 8}, description: two to eight letters}, {allowed_pattern: "[a-z]+"}]}
  password: {type: string, hidden: true}
resources:
  net: {type: OS::Neutron::Net, properties: {name: lan}}
  subnet: {type: OS::Neutron::Subnet, properties: {network: {get_resource: net}, cidr: 10.5.0.0/24}}
  web:
    type: OS::Heat::ResourceGroup
    properties:
      count: {get_param: count}
      resource_def:
        type: OS::Nova::Server
        properties:
          name: {get_param: name}
          image: {get_param: image}
          flavor: m1.small
          networks: [{network: {get_resource: net}}]
`,
  ),
];

const tosca = [
  file(
    'vnfd.yaml',
    `tosca_definitions_version: tosca_simple_yaml_1_3
topology_template:
  inputs:
    cpus: {type: integer, description: Processors, constraints: [{in_range: [1, 8]}]}
    image: {type: string, default: "name:ubuntu-24.04", constraints: [{valid_values: ["name:ubuntu-24.04", "name:debian-13"]}]}
    key: {type: string, default: none, metadata: {sensitive: "true"}}
  node_templates:
    web:
      type: tosca.nodes.nfv.Vdu.Compute
      properties: {name: web, description: web, vdu_profile: {min_number_of_instances: 1, max_number_of_instances: 2}}
      capabilities:
        virtual_compute:
          properties:
            virtual_cpu: {num_virtual_cpu: {get_input: cpus}}
            virtual_memory: {virtual_mem_size: 512 MiB}
    cp:
      type: tosca.nodes.nfv.VduCp
      properties: {layer_protocols: [ipv4], order: 0}
      requirements: [{virtual_binding: web}]
`,
  ),
];

const unitsOf = (files: typeof heat, inputs?: Record<string, unknown>) => {
  const { service, problems } = readDescriptor(files, inputs);
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  return service!.block.children!.flatMap((fn) => fn.children ?? [fn]);
};
const wrong = (files: typeof heat, inputs: Record<string, unknown>) =>
  readDescriptor(files, inputs)
    .problems.filter(({ severity }) => severity === 'error')
    .map(({ path, message }) => `${path}: ${message}`);

describe('the inputs of a template', () => {
  it('are told as a JSON Schema from which a form is made', () => {
    expect(inputSchema(inputsOf(heat))).toEqual({
      type: 'object',
      required: ['count', 'password'],
      properties: {
        count: { type: 'number', title: 'How many', description: 'Web servers', minimum: 1, maximum: 4 },
        image: { type: 'string', default: 'ubuntu-24.04', enum: ['ubuntu-24.04', 'debian-13'] },
        name: { type: 'string', default: 'web', minLength: 2, maxLength: 8, pattern: '[a-z]+' },
        password: { type: 'string', writeOnly: true, pattern: expect.stringContaining('secret:') },
      },
    });
    expect(inputSchema(inputsOf(tosca))).toMatchObject({
      required: ['cpus'],
      properties: { cpus: { type: 'integer', minimum: 1, maximum: 8 }, key: { writeOnly: true } },
    });
    expect(inputsOf([file('native.yaml', 'superfluidity: 1\n')])).toEqual([]);
  });

  it('arrive in the units of a Heat template, as texts too', () => {
    const given = { count: '3', image: 'debian-13', name: 'shop', password: 'secret:db' };
    const [unit] = unitsOf(heat, given);
    expect(unit!.scale).toMatchObject({ initial: 3 });
    expect(unit!.execution!.image).toContain('debian-13');
    expect(unitsOf(heat, { count: 2, password: 'secret:db' })[0]!.execution!.image).toContain('ubuntu-24.04');
  });

  it('arrive in the units of a TOSCA template', () => {
    for (const cpus of [2, 7]) expect(unitsOf(tosca, { cpus })[0]!.requirements).toMatchObject({ cpu: cpus });
  });

  it('are refused with their path, and a hidden value is not repeated', () => {
    expect(wrong(heat, { count: 9, image: 'windows', name: 'x', password: 'hunter2', colour: 'red' })).toEqual([
      "inputs.colour: input 'colour' is none of count, image, name, password",
      "inputs.count: input 'count' must be at least 1 and at most 4",
      "inputs.image: input 'image' must be one of ubuntu-24.04, debian-13",
      "inputs.name: input 'name' must be otherwise: two to eight letters",
      "inputs.password: input 'password' is hidden: give `secret:NAME`, and the value to `superfluidity secret set NAME`",
    ]);
    expect(wrong(heat, {})).toEqual([
      "inputs.count: input 'count' has no value, and no default",
      "inputs.password: input 'password' has no value, and no default",
    ]);
    expect(wrong(heat, { count: 'many', password: 'secret:db', name: 'Shop' })).toEqual([
      "inputs.count: input 'count' must be a number",
      "inputs.name: input 'name' must be like [a-z]+",
    ]);
    expect(wrong(tosca, { cpus: 2.5 })).toEqual(["inputs.cpus: input 'cpus' must be a whole number"]);
    expect(wrong([file('native.yaml', 'superfluidity: 1\n')], { a: 1 })).toEqual([
      "inputs.a: input 'a' is none of none: it has no inputs",
    ]);
  });

  it('does not take for ever over a pattern that somebody made for that', () => {
    const evil = heat[0]!;
    const text = new TextDecoder().decode(evil.bytes).replace('"[a-z]+"', '"(a+)+b"').replace('max: 8', 'max: 99');
    const started = performance.now();
    expect(wrong([file('web.yaml', text)], { count: 1, password: 'secret:db', name: 'a'.repeat(60) })).toEqual([]);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});
