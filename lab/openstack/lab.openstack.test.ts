import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from './rest.ts';
import { findLab } from './testing.ts';
import { type End, httpGet, ping, TestCloud } from './testing-cloud.ts';

const { lab, reason } = findLab({ services: ['nova', 'heat', 'octavia', 'mistral'] });

describe.skipIf(lab === undefined)(`the laboratory of OpenStack${reason === undefined ? '' : ` (${reason})`}`, () => {
  let cloud: TestCloud;
  let network: string;
  let subnet: string;
  let [a, b]: End[] = [];

  beforeAll(async () => {
    cloud = await TestCloud.open(lab!);
    network = (await cloud.timed('network', () => cloud.create('network', '/networks', {})))['id']!;
    const wish = { network_id: network, ip_version: 4, cidr: '10.77.0.0/24', enable_dhcp: false };
    subnet = (await cloud.timed('subnet', () => cloud.create('subnet', '/subnets', wish)))['id']!;
    const port = { network_id: network, port_security_enabled: false };
    a = await cloud.end('a', port);
    b = await cloud.end('b', port);
  });

  afterAll(async () => {
    console.log(await cloud.close());
  });

  it('carries packets between ports', async () => {
    const answer = await cloud.timed('three pings', () => ping(a!.namespace, b!.address));
    expect(answer).toContain('3 received');
  });

  it('starts servers', async () => {
    const { session, tag } = cloud;
    const image = (await session.get(cloud.api('image', '/v2/images?name=lab-image')))['images']![0]!['id']!;
    const port = await cloud.create('port', '/ports', { network_id: network, port_security_enabled: false });
    const server = { name: tag, imageRef: image, flavorRef: '1', networks: [{ port: port['id'] }] };
    const url = await cloud.timed('server to ACTIVE', async () => {
      const made = (await session.post(cloud.api('compute', '/servers'), { server }))['server']!;
      const one = cloud.api('compute', `/servers/${made['id']}`);
      cloud.later(async () => {
        await session.request('DELETE', one);
        await cloud.until(
          'the server',
          '404',
          async () => (await session.request('GET', one, { accept: [404] })).status,
        );
      });
      await cloud.until('the server', 'ACTIVE', async () => (await session.get(one))['server']!['status']);
      return one;
    });
    await cloud.until('the port of the server', 'ACTIVE', () => cloud.portStatus(port['id']!));
    if (lab!.options.compute !== 'libvirt') return;
    const address: string = port['fixed_ips']![0]!['ip_address']!;
    await cloud.timed('server answers ping', () => cloud.eventually(() => ping(a!.namespace, address, 1)));
    const page = await cloud.timed('server answers HTTP', () => cloud.eventually(() => httpGet(a!.namespace, address)));
    expect(page).toContain(tag);
    const said = await session.post(`${url}/action`, { 'os-getConsoleOutput': { length: 100 } });
    expect(said['output']).toContain('lab guest: ready');
  });

  it('deploys stacks', async () => {
    const { session, tag } = cloud;
    const template = {
      heat_template_version: '2018-08-31',
      resources: {
        net: { type: 'OS::Neutron::Net' },
        subnet: {
          type: 'OS::Neutron::Subnet',
          properties: { network: { get_resource: 'net' }, cidr: '10.78.0.0/24', enable_dhcp: false },
        },
        port: {
          type: 'OS::Neutron::Port',
          properties: { network: { get_resource: 'net' }, fixed_ips: [{ subnet: { get_resource: 'subnet' } }] },
        },
      },
      outputs: { address: { value: { get_attr: ['port', 'fixed_ips', 0, 'ip_address'] } } },
    };
    const stacks = cloud.api('orchestration', '/stacks');
    const url = await cloud.timed('stack of 3 resources', async () => {
      const made = (await session.post(stacks, { stack_name: tag, template, timeout_mins: 5 }))['stack']!;
      const one = `${stacks}/${tag}/${made['id']}`;
      cloud.later(() => session.request('DELETE', one, { accept: [404] }));
      await cloud.until('the stack', 'CREATE_COMPLETE', async () => (await session.get(one))['stack']!['stack_status']);
      return one;
    });
    const outputs = (await session.get(url))['stack']!['outputs']!;
    expect(outputs[0]!['output_value']).toMatch(/^10\.78\.0\.\d+$/);
    await cloud.timed('stack deleted', async () => {
      await session.request('DELETE', url);
      await cloud.until('the stack', 'DELETE_COMPLETE', async () => (await session.get(url))['stack']!['stack_status']);
    });
  });

  it('gives load balancers an address', async () => {
    const { session, tag } = cloud;
    const balancers = cloud.api('load-balancer', '/v2/lbaas/loadbalancers');
    const made = await cloud.timed('balancer to ACTIVE', async () => {
      const wish = { name: tag, vip_subnet_id: subnet };
      const balancer = (await session.post(balancers, { loadbalancer: wish }))['loadbalancer']!;
      const url = `${balancers}/${balancer['id']}`;
      cloud.later(async () => {
        await session.request('DELETE', `${url}?cascade=true`);
        await cloud.until(
          'the balancer',
          '404',
          async () => (await session.request('GET', url, { accept: [404] })).status,
        );
      });
      const state = async () => (await session.get(url))['loadbalancer']!['provisioning_status'];
      await cloud.until('the balancer', 'ACTIVE', state);
      return balancer;
    });
    const port = (await session.get(cloud.neutron(`/ports/${made['vip_port_id']}`)))['port']!;
    expect(port['fixed_ips']![0]!['ip_address']).toBe(made['vip_address']);
  });

  it('runs workflows', async () => {
    const { session } = cloud;
    const name = cloud.tag.replaceAll('-', '_');
    const content = [
      "version: '2.0'",
      `${name}:`,
      '  type: direct',
      '  input: [x]',
      '  output: { answer: <% $.answer %> }',
      '  tasks:',
      '    a: { action: std.echo output=<% $.x + 1 %>, publish: { answer: <% task().result %> }, on-success: [b] }',
      '    b: { action: std.noop }',
      '',
    ].join('\n');
    const mistral = (path: string) => cloud.api('workflowv2', path);
    await session.request('POST', mistral('/workflows'), { content, headers: { 'content-type': 'text/plain' } });
    cloud.later(() => session.request('DELETE', mistral(`/workflows/${name}`)));
    const execution = await cloud.timed('workflow of 2 tasks', async (): Promise<Json> => {
      const made = await session.post(mistral('/executions'), { workflow_name: name, input: '{"x": 41}' });
      const url = mistral(`/executions/${made['id']}`);
      cloud.later(() => session.request('DELETE', url));
      await cloud.until('the execution', 'SUCCESS', async () => (await session.get(url))['state']);
      return session.get(url);
    });
    expect(JSON.parse(execution['output']!)).toEqual({ answer: 42 });
  });
});
