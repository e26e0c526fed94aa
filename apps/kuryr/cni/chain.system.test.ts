import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ipJson, missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configurationList, install } from './install.ts';
import { inside, nameOf, runPlugin, TestNode, uidOf } from './testing/node.ts';

/** Of Debian's containernetworking-plugins. */
const PLUGINS = '/usr/lib/cni';
const absent =
  missingForKernelTests(['ip', 'cc', 'iptables']) ??
  (existsSync(join(PLUGINS, 'tuning')) ? undefined : 'needs containernetworking-plugins');

/** What a runtime does with a list of configurations: section 3 of the specification. */
class Runtime {
  readonly #node: TestNode;
  readonly #list: ReturnType<typeof configurationList>;
  readonly #wrapper: string;

  constructor(node: TestNode, list: ReturnType<typeof configurationList>) {
    this.#node = node;
    this.#list = list;
    this.#wrapper = join(node.folder, 'in-node');
    // Plugins work in the network of the node, where the runtime is.
    execFileSync('sh', ['-c', 'cat >"$1" && chmod 755 "$1"', 'sh', this.#wrapper], {
      input: `#!/bin/sh\nexec ip netns exec ${node.name} "$PLUGIN"\n`,
    });
  }

  async run(
    verb: string,
    pod: string,
    netns: string,
    prevResult?: object,
    runtimeConfig?: object,
  ): Promise<object | undefined> {
    const { plugins, cniVersion, name } = this.#list;
    let result = prevResult;
    for (const plugin of verb === 'DEL' ? plugins.toReversed() : plugins) {
      const { capabilities, ...own } = plugin as { readonly capabilities?: object; readonly type: string };
      // Version 1.1.1 looks for what it would have made for IPv6 also of pods that have none.
      if (verb === 'CHECK' && own.type === 'portmap') continue;
      const config = {
        ...own,
        cniVersion,
        name,
        ...(result === undefined ? {} : { prevResult: result }),
        ...(capabilities === undefined || runtimeConfig === undefined ? {} : { runtimeConfig }),
      };
      const isOurs = own.type === 'superfluidity-kuryr';
      const env = {
        PATH: process.env['PATH'] ?? '',
        PLUGIN: isOurs ? this.#node.executable : join(PLUGINS, own.type),
        CNI_COMMAND: verb,
        CNI_CONTAINERID: `c-${pod}`,
        CNI_NETNS: netns,
        CNI_IFNAME: 'eth0',
        CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${pod};K8S_POD_UID=${uidOf(pod)}`,
        CNI_PATH: PLUGINS,
      };
      const { code, output } = await runPlugin(this.#wrapper, env, JSON.stringify(config));
      if (code !== 0) throw new Error(`${verb} of ${own.type}: ${JSON.stringify(output)}`);
      if (verb === 'ADD') result = output;
    }
    return result;
  }
}

describe.skipIf(absent !== undefined)(titled('plugins behind ours', absent), () => {
  let node: TestNode;
  let runtime: Runtime;
  beforeAll(async () => {
    node = await TestNode.open();
    const { ports } = await node.startDaemon({ makesBridges: true });
    ports.setKnown(true);
    const chained = [
      { type: 'tuning', sysctl: { 'net.ipv4.conf.eth0.log_martians': '1' }, mac: '02:00:00:00:77:77' },
      { type: 'portmap', capabilities: { portMappings: true }, snat: true },
    ];
    runtime = new Runtime(node, configurationList({ network: 'kuryr', socket: node.socket, chained }));
  });
  afterAll(() => node?.[Symbol.asyncDispose]());

  test('change the interface and forward to it; CHECK and DEL take what came of all', async () => {
    const gateway = '10.80.0.1';
    const netns = node.sandbox();
    const pod = nameOf(netns);
    node.daemon.ports.put(node.port('web', { interfaces: { eth0: { gateway } } }));
    const mapped = { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }] };
    const result = await runtime.run('ADD', 'web', netns, undefined, mapped);
    expect(result).toMatchObject({ cniVersion: '1.0.0', interfaces: [{}, { mac: '02:00:00:00:77:77' }] });
    expect(ipJson(pod, 'link', 'show', 'eth0')).toMatchObject([{ address: '02:00:00:00:77:77' }]);
    // The bridge was not there: it is the gateway of the pods of this node.
    expect(ipJson(node.name, 'addr', 'show', 'pods')).toMatchObject([{ addr_info: [{ local: gateway }, {}] }]);

    const listen = `require('net').createServer((s) => s.end('from the pod')).listen(80, () => console.log('up'))`;
    const server = inside(netns, process.execPath, '-e', listen);
    await once(server.stdout, 'data');
    const ask = `require('net').connect(8080, '${gateway}').on('data', (d) => console.log(String(d))).on('error', console.log)`;
    const [heard] = (await once(inside(node.name, process.execPath, '-e', ask).stdout, 'data')) as [Buffer];
    server.kill('SIGKILL');
    expect(heard.toString()).toContain('from the pod');

    await runtime.run('CHECK', 'web', netns, result, mapped);
    execFileSync('ip', ['-n', pod, 'link', 'set', 'eth0', 'address', '02:00:00:00:77:78']);
    await expect(runtime.run('CHECK', 'web', netns, result, mapped)).rejects.toThrow('02:00:00:00:77:78');
    await runtime.run('DEL', 'web', netns, result, mapped);
    await runtime.run('DEL', 'web', netns, result, mapped);
    expect(ipJson(pod, 'link').map(({ ifname }) => ifname)).toEqual(['lo']);
  });

  test('before ours have their results kept', async () => {
    const netns = node.sandbox();
    node.daemon.ports.put(node.port('after'));
    const prevResult = {
      cniVersion: '1.1.0',
      interfaces: [{ name: 'net1', mac: '02:00:00:00:55:55', sandbox: netns }],
      ips: [{ address: '192.0.2.5/24', interface: 0 }],
      dns: { nameservers: ['192.0.2.53'] },
    };
    const { output } = await node.call('ADD', 'after', { netns, config: { prevResult } });
    expect(output).toMatchObject({
      interfaces: [{ name: 'net1' }, {}, { name: 'eth0' }],
      ips: [{ address: '192.0.2.5/24', interface: 0 }, { interface: 2 }],
      dns: { nameservers: ['192.0.2.53'] },
    });
    await node.call('DEL', 'after');
  });
});

describe.skipIf(absent !== undefined)(titled('what is installed', absent), () => {
  test('is an executable that runs and a list that names it, with the plugins behind it', async () => {
    await using node = await TestNode.open();
    const [bin, conf] = [join(node.folder, 'opt'), join(node.folder, 'net.d')];
    const { executable, list } = await install({
      bin,
      conf,
      socket: node.socket,
      network: 'pods',
      chained: [{ type: 'tuning' }],
    });
    const { plugins } = JSON.parse(execFileSync('cat', [list], { encoding: 'utf8' })) as {
      readonly plugins: readonly object[];
    };
    expect(plugins).toEqual([{ type: 'superfluidity-kuryr', socket: node.socket }, { type: 'tuning' }]);
    expect(await runPlugin(executable, { CNI_COMMAND: 'VERSION' }, '{}')).toMatchObject({ code: 0 });
    // The same, by a copy of what was built elsewhere.
    await install({ bin: `${bin}2`, conf, socket: node.socket, network: 'pods', chained: [], executable });
    expect(execFileSync('cmp', [executable, join(`${bin}2`, 'superfluidity-kuryr')], { encoding: 'utf8' })).toBe('');
    await expect(
      install({ bin, conf, socket: node.socket, network: 'pods', chained: [], executable: '/nowhere' }),
    ).rejects.toMatchObject({ code: 'SF-CNI-INSTALL' });
  });
});
