import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from './command.ts';
import { type Json, Session } from './rest.ts';
import { findLab, labLogin } from './testing.ts';

const { lab, reason } = findLab();
/** Names of what this run makes. */
const tag = `lab-test-${randomBytes(3).toString('hex')}`;
const WAIT_MS = 120_000;

describe.skipIf(lab === undefined)(`the laboratory of OpenStack${reason === undefined ? '' : ` (${reason})`}`, () => {
  const timings: { what: string; ms: number }[] = [];
  const undo: (() => Promise<unknown>)[] = [];
  let session: Session;
  let network: string;
  let subnet: string;
  let image: string;
  const api = (type: string, path: string) => `${session.catalogue.get(type)}${path}`;
  const neutron = (path: string) => api('network', `/v2.0${path}`);

  async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
    const startedMs = performance.now();
    const result = await work();
    timings.push({ what, ms: Math.round(performance.now() - startedMs) });
    return result;
  }

  /** Asks until the answer is a good one. */
  async function until(what: string, ask: () => Promise<string>, good: string): Promise<void> {
    const deadline = performance.now() + WAIT_MS;
    for (let state = await ask(); state !== good; state = await ask()) {
      if (/ERROR|FAILED/.test(state) || performance.now() >= deadline) throw new Error(`${what} is ${state}`);
      await sleep(50);
    }
  }

  async function eventually(work: () => Promise<string>): Promise<string> {
    const deadline = performance.now() + WAIT_MS;
    while (true) {
      try {
        return await work();
      } catch (error) {
        if (performance.now() >= deadline) throw error;
      }
    }
  }

  const portStatus = async (id: string) =>
    (await session.get(neutron(`/ports/${id}?fields=status`)))['port']!['status']! as string;

  async function createPort(more: Readonly<Record<string, unknown>> = {}): Promise<Json> {
    const answer = await session.post(neutron('/ports'), {
      port: { network_id: network, name: tag, port_security_enabled: false, ...more },
    });
    const port = answer['port']!;
    undo.push(() => session.request('DELETE', neutron(`/ports/${port['id']}`), { accept: [404] }));
    return port;
  }

  beforeAll(async () => {
    const { authUrl, user, project, password } = labLogin(lab!);
    session = await timed('token', () => Session.open(authUrl, { user, password, project }));
    network = (await timed('network', () => session.post(neutron('/networks'), { network: { name: tag } })))[
      'network'
    ]!['id']!;
    undo.push(() => session.request('DELETE', neutron(`/networks/${network}`)));
    const wish = { network_id: network, name: tag, ip_version: 4, cidr: '10.77.0.0/24', enable_dhcp: false };
    subnet = (await timed('subnet', () => session.post(neutron('/subnets'), { subnet: wish })))['subnet']!['id']!;
    image = (await session.get(api('image', '/v2/images?name=lab-image')))['images']![0]!['id']!;
  });

  afterAll(async () => {
    for (const step of undo.toReversed()) await step();
    console.log(timings.map(({ what, ms }) => `${String(ms).padStart(7)} ms  ${what}`).join('\n'));
  });

  it('makes ports ACTIVE that reach each other', async () => {
    const ends = [];
    for (const [index, name] of ['a', 'b'].entries()) {
      const port = await timed(`port ${name} to ACTIVE`, async () => {
        const made = await createPort({
          'binding:host_id': lab!.options.host,
          device_owner: 'compute:nova',
          device_id: `${tag}-${name}`,
        });
        await until('the port', () => portStatus(made['id']!), 'ACTIVE');
        return made;
      });
      const namespace = `${tag}-${name}`;
      const device = `tap${String(port['id']).slice(0, 11)}`;
      const address = port['fixed_ips']![0]!['ip_address']! as string;
      await run(['ip', 'netns', 'add', namespace]);
      undo.push(() => run(['ip', 'netns', 'delete', namespace]));
      await run(['ip', 'link', 'set', device, 'netns', namespace]);
      await run(['ip', '-n', namespace, 'link', 'set', device, 'address', port['mac_address']!, 'up']);
      await run(['ip', '-n', namespace, 'address', 'add', `${address}/24`, 'dev', device]);
      ends.push({ namespace, address, index });
    }
    const [a, b] = ends;
    await timed('first ping', () =>
      run(['ip', 'netns', 'exec', a!.namespace, 'ping', '-c', '3', '-i', '0.2', '-W', '5', b!.address]),
    );
  });

  it('starts servers', async () => {
    const server = { name: tag, imageRef: image, flavorRef: '1', networks: [{ uuid: network }] };
    const id = (
      await timed('server to ACTIVE', async () => {
        const made = (await session.post(api('compute', '/servers'), { server }))['server']!;
        undo.push(async () => {
          await session.request('DELETE', api('compute', `/servers/${made['id']}`));
          await until(
            'the server',
            async () =>
              String(
                (await session.request('GET', api('compute', `/servers/${made['id']}`), { accept: [404] })).status,
              ),
            '404',
          );
        });
        const url = api('compute', `/servers/${made['id']}`);
        await until('the server', async () => (await session.get(url))['server']!['status']!, 'ACTIVE');
        return made;
      })
    )['id']!;
    const ports = (await session.get(neutron(`/ports?device_id=${id}`)))['ports'] as unknown as readonly Json[];
    expect(ports).toHaveLength(1);
    await until('the port of the server', () => portStatus(ports[0]!['id']!), 'ACTIVE');
    if (lab!.options.compute !== 'libvirt') return;
    const address = ports[0]!['fixed_ips']![0]!['ip_address']! as string;
    const here = ['ip', 'netns', 'exec', `${tag}-a`] as const;
    await timed('server answers ping', () => eventually(() => run([...here, 'ping', '-c', '1', '-W', '1', address])));
    const request = `exec 3<>/dev/tcp/${address}/80 && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3`;
    const page = await timed('server answers HTTP', () =>
      eventually(() => run([...here, 'timeout', '5', 'bash', '-c', request])),
    );
    expect(page).toContain(tag);
    const action = api('compute', `/servers/${id}/action`);
    const said = await session.post(action, { 'os-getConsoleOutput': { length: 100 } });
    expect(said['output']).toContain('lab guest: ready');
  });

  it('deploys stacks', async () => {
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
    const stacks = api('orchestration', '/stacks');
    const url = await timed('stack of 3 resources', async () => {
      const made = (await session.post(stacks, { stack_name: tag, template, timeout_mins: 5 }))['stack']!;
      const one = `${stacks}/${tag}/${made['id']}`;
      undo.push(() => session.request('DELETE', one, { accept: [404] }));
      await until('the stack', async () => (await session.get(one))['stack']!['stack_status']!, 'CREATE_COMPLETE');
      return one;
    });
    const { outputs } = (await session.get(url))['stack'] as unknown as {
      outputs: readonly { output_value: string }[];
    };
    expect(outputs[0]!.output_value).toMatch(/^10\.78\.0\.\d+$/);
    await timed('stack deleted', async () => {
      await session.request('DELETE', url);
      const state = async () => (await session.get(url))['stack']!['stack_status']! as string;
      await until('the stack', state, 'DELETE_COMPLETE');
    });
  });

  it('gives load balancers an address', async () => {
    const balancers = api('load-balancer', '/v2/lbaas/loadbalancers');
    const made = await timed('balancer to ACTIVE', async () => {
      const wish = { name: tag, vip_subnet_id: subnet };
      const balancer = (await session.post(balancers, { loadbalancer: wish }))['loadbalancer']!;
      const url = `${balancers}/${balancer['id']}`;
      undo.push(async () => {
        await session.request('DELETE', `${url}?cascade=true`);
        const state = async () => String((await session.request('GET', url, { accept: [404] })).status);
        await until('the balancer', state, '404');
      });
      const state = async () => (await session.get(url))['loadbalancer']!['provisioning_status']! as string;
      await until('the balancer', state, 'ACTIVE');
      return balancer;
    });
    const port = (await session.get(neutron(`/ports/${made['vip_port_id']}`)))['port']!;
    expect(port['fixed_ips']![0]!['ip_address']).toBe(made['vip_address']);
  });

  it('runs workflows', async () => {
    const name = tag.replaceAll('-', '_');
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
    const mistral = (path: string) => api('workflowv2', path);
    await session.request('POST', mistral('/workflows'), { content, headers: { 'content-type': 'text/plain' } });
    undo.push(() => session.request('DELETE', mistral(`/workflows/${name}`)));
    const execution = await timed('workflow of 2 tasks', async () => {
      const made = await session.post(mistral('/executions'), { workflow_name: name, input: '{"x": 41}' });
      const url = mistral(`/executions/${made['id']}`);
      undo.push(() => session.request('DELETE', url));
      await until('the execution', async () => (await session.get(url))['state']!, 'SUCCESS');
      return session.get(url);
    });
    expect(JSON.parse(execution['output']!)).toEqual({ answer: 42 });
  });
});
