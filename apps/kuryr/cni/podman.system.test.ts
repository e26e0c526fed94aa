import { execFile } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ipJson, missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configurationList } from './install.ts';
import { TestNode } from './testing/node.ts';

const BUSYBOX = ['/usr/bin/busybox', '/bin/busybox'].find((path) => existsSync(path));
const absent =
  missingForKernelTests(['ip', 'cc', 'podman', 'runc']) ??
  (existsSync('/usr/lib/cni/tuning') ? undefined : 'needs containernetworking-plugins') ??
  (BUSYBOX === undefined ? 'needs busybox' : undefined);
const run = promisify(execFile);

/** Not our idea of a runtime: Podman calls plugins by the library of the specification's authors. */
describe.skipIf(absent !== undefined)(titled('containers of Podman', absent), () => {
  let node: TestNode;
  const at = (path: string) => join(node.folder, 'podman', path);

  beforeAll(async () => {
    node = await TestNode.open({ bridge: true });
    const { ports } = await node.startDaemon();
    ports.setKnown(true);
    for (const folder of ['net.d', 'bin', 'rootfs/bin']) mkdirSync(at(folder), { recursive: true });
    copyFileSync(BUSYBOX!, at('rootfs/bin/busybox'));
    chmodSync(at('rootfs/bin/busybox'), 0o755);
    const chained = [{ type: 'tuning', sysctl: { 'net.ipv4.conf.eth0.log_martians': '1' } }];
    const list = configurationList({ network: 'kuryr', socket: node.socket, chained });
    writeFileSync(at('net.d/10-kuryr.conflist'), JSON.stringify(list));
    // Podman names the container as Kubernetes would name a pod, without a namespace.
    const program = `#!/bin/sh\nCNI_ARGS="$CNI_ARGS;K8S_POD_NAMESPACE=default" exec '${node.executable}'\n`;
    writeFileSync(at('bin/superfluidity-kuryr'), program, { mode: 0o755 });
    const config = [
      '[network]',
      'network_backend = "cni"',
      `cni_plugin_dirs = ["${at('bin')}", "/usr/lib/cni"]`,
      `network_config_dir = "${at('net.d')}"`,
      '[engine]',
      'cgroup_manager = "cgroupfs"',
      'events_logger = "none"',
      'runtime = "runc"',
    ];
    writeFileSync(at('containers.conf'), config.join('\n'));
  });
  afterAll(async () => {
    await podman('rm', '--all', '--force', '--time', '0').catch(() => {});
    await node[Symbol.asyncDispose]();
  });

  const podman = async (...args: readonly string[]) => {
    const storage = ['--root', at('root'), '--runroot', at('run'), '--storage-driver', 'vfs'];
    const env = { ...process.env, CONTAINERS_CONF: at('containers.conf') };
    return (await run('podman', [...storage, ...args], { env, timeout: 50_000 })).stdout;
  };
  const create = (name: string, ...command: readonly string[]) => {
    node.daemon.ports.put(node.port(name));
    const limits = [
      '--ulimit',
      'nofile=1024:1024',
      '--ulimit',
      'nproc=1024:1024',
      '--network',
      'kuryr',
      '--log-driver',
      'none',
    ];
    return ['run', '--name', name, ...limits, '--rootfs', at('rootfs'), '/bin/busybox', ...command] as const;
  };

  test('have the interface that the controller wants, reach each other, and leave nothing', async () => {
    const [first, ...rest] = create('waits', 'sleep', '60');
    await podman(first, '--detach', ...rest);
    const address = node.port('waits').status!.interfaces['eth0']!.addresses[0]!.split('/')[0]!;
    const [again, ...others] = create('asks', 'sh', '-c', `ip addr show eth0; ping -c 1 -W 2 ${address}`);
    const said = await podman(again, '--rm', ...others);
    const { mac, addresses } = node.port('asks').status!.interfaces['eth0']!;
    expect(said).toContain(mac);
    expect(said).toContain(addresses[0]);
    expect(said).toContain('1 packets received');
    const plugged = () => ipJson(node.name, 'link').filter(({ ifname }) => String(ifname).startsWith('tap'));
    expect(plugged()).toHaveLength(1);
    await podman('rm', '--force', '--time', '0', 'waits');
    expect(plugged()).toEqual([]);
  });
});
