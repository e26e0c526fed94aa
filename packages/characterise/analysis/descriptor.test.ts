import { readDescriptor } from '@superfluidity/dialects';
import { expect, test } from 'vitest';
import { configuredDescriptor } from './descriptor.ts';

const file = (path: string, text: string) => ({ path, bytes: new TextEncoder().encode(text) });
const service = `superfluidity: 1
service:
  name: origin
  version: "1"
  networks: [{name: lan, prefix: 10.0.0.0/24}]
  functions:
    - name: video
      environment: container
      image: "host:"
      command: [sleep, infinity]
      ports: [lan]
      requirements: {cpu: 1, accelerators: [gpu, sr-iov]}
    - name: cache
      environment: container
      image: "host:"
      command: [sleep, infinity]
      ports: [lan]
`;

test('a configuration is written into the units that bindings name, and read again', () => {
  const bindings = {
    vm_vcpus: { to: 'cpu', units: ['video'] },
    threads: { to: 'env', name: 'THREADS' },
    place: { to: 'site', units: ['cache'] },
    copies: { to: 'instances', units: ['cache/cache'] },
  } as const;
  const configuration = { vm_ram: 4092, vm_vcpus: 4, vnic_type: 'normal', threads: 8, copies: 3, place: 'edge' };
  const { files, losses, format } = configuredDescriptor([file('s.yaml', service)], configuration, { bindings });
  expect([format, losses]).toEqual(['native', []]);
  const [video, cache] = readDescriptor(files).service!.block.children.map(({ children }) => children[0]!);
  expect(video!.requirements).toEqual({ cpu: 4, memoryMiB: 4092, accelerators: ['gpu'] });
  expect(video!.execution!.env).toEqual({ THREADS: '8' });
  expect(cache!.requirements).toEqual({ memoryMiB: 4092, location: { sites: ['edge'] } });
  expect([video!.scale, cache!.scale].map((scale) => scale?.initial ?? 1)).toEqual([1, 3]);
  const direct = configuredDescriptor([file('s.yaml', service)], { vnic_type: 'direct' }, { bindings }).service;
  expect(direct.block.children[1]!.children[0]!.requirements.accelerators).toEqual(['sr-iov']);
});

test('parameters of a Heat template go into an environment', () => {
  const template = `heat_template_version: 2018-08-31
parameters:
  vm_ram: {type: number}
  nic: {type: string, default: normal}
resources:
  net: {type: OS::Neutron::Net, properties: {name: lan}}
  subnet: {type: OS::Neutron::Subnet, properties: {network: {get_resource: net}, ip_version: 4, cidr: 10.0.0.0/24}}
  port: {type: OS::Neutron::Port, properties: {network: {get_resource: net}, binding:vnic_type: {get_param: nic}}}
  flavor: {type: OS::Nova::Flavor, properties: {ram: {get_param: vm_ram}, vcpus: 2, disk: 10}}
  server:
    type: OS::Nova::Server
    properties: {image: origin, flavor: {get_resource: flavor}, networks: [{port: {get_resource: port}}]}
`;
  const made = configuredDescriptor([file('origin.yaml', template)], { vm_ram: 4092 }, { bindings: {} });
  expect(made.format).toBe('heat');
  const units = readDescriptor(made.files).service!.block.children.flatMap(({ children }) => children);
  expect(units.map(({ requirements }) => requirements.memoryMiB)).toEqual([4092]);
});

test('what cannot be bound is refused', () => {
  const configure = (configuration: Record<string, number>, bindings = {}) =>
    configuredDescriptor([file('s.yaml', service)], configuration, { bindings });
  const code = expect.objectContaining({ code: 'SF-CHARACTERISE-BINDING' });
  expect(() => configure({ colour: 1 })).toThrow(code);
  expect(() => configure({ vm_ram: 1 }, { vm_ram: { to: 'cpu', units: ['vidio'] } })).toThrow(/did you mean 'video'/);
  expect(() => configuredDescriptor([file('s.yaml', 'superfluidity: 1')], {}, { bindings: {} })).toThrow(code);
});
