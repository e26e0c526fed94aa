import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, openSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { namespacePath } from '@superfluidity/netlink';
import { binariesFolder } from '../../../../lab/kubernetes/binaries.ts';
import { buildImages, IMAGES } from '../../../../lab/kubernetes/images.ts';
import { cgroupHierarchies } from '../../../../lab/kubernetes/node.ts';
import { configurationList } from '../install.ts';
import type { TestNode } from './node.ts';

const run = promisify(execFile);
const START_MS = 30_000;

/** Where the programs of Kubernetes are built, if they are. */
export const kubeletPath = (): string => join(binariesFolder(), 'kubelet');

/** A real containerd and a real kubelet on a node of a test. It has no API server: its pods are files in a folder. */
export class TestKubelet {
  readonly #node: TestNode;
  readonly #children: ChildProcess[] = [];

  static async start(node: TestNode): Promise<TestKubelet> {
    const kubelet = new TestKubelet(node);
    try {
      await kubelet.#start();
    } catch (error) {
      await kubelet.stop();
      throw error;
    }
    return kubelet;
  }

  private constructor(node: TestNode) {
    this.#node = node;
  }

  /** Name of the pod as the kubelet makes it of that of the file. */
  podName(name: string): string {
    return `${name}-${this.#node.name}`;
  }

  addPod(name: string, command: readonly string[]): void {
    const container = { name: 'main', image: IMAGES.busybox, imagePullPolicy: 'Never', command };
    const spec = { terminationGracePeriodSeconds: 0, enableServiceLinks: false, containers: [container] };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec };
    writeFileSync(this.#at(`pods/${name}.json`), JSON.stringify(pod));
  }

  removePod(name: string): void {
    rmSync(this.#at(`pods/${name}.json`));
  }

  log(): string {
    return readFileSync(this.#at('kubelet.log'), 'utf8');
  }

  async stop(): Promise<void> {
    for (const child of this.#children.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    // Mounts of containers and their volumes lie below.
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
      .filter((path) => path.startsWith(this.#at('')))
      .toSorted((a, b) => b.length - a.length);
    for (const path of mounts) await run('umount', ['--lazy', path]).catch(() => {});
    // Of containers of all runtimes: it goes when it is empty.
    for (const hierarchy of cgroupHierarchies()) {
      try {
        rmdirSync(join('/sys/fs/cgroup', hierarchy, 'k8s.io'));
      } catch {
        // Somebody else's are in it.
      }
    }
  }

  async #start(): Promise<void> {
    for (const folder of ['pods', 'net.d', 'volumes', 'logs']) mkdirSync(this.#at(folder), { recursive: true });
    const list = configurationList({ network: 'kuryr', socket: this.#node.socket, chained: [{ type: 'tuning' }] });
    writeFileSync(this.#at('net.d/10-kuryr.conflist'), JSON.stringify(list));
    await run('cp', ['/usr/lib/cni/tuning', '/usr/lib/cni/loopback', join(this.#node.folder, 'bin')]);
    writeFileSync(this.#at('containerd.toml'), this.#containerd());
    writeFileSync(this.#at('kubelet.json'), JSON.stringify(this.#kubelet()));
    await buildImages(this.#at('images.tar'));
    this.#spawn('containerd', ['containerd', '--config', this.#at('containerd.toml')]);
    const ctr = ['--address', this.#at('containerd.sock')];
    await this.#until(() => run('ctr', [...ctr, 'version']));
    await run('ctr', [...ctr, '--namespace', 'k8s.io', 'images', 'import', this.#at('images.tar')]);
    this.#spawn('kubelet', [
      kubeletPath(),
      `--config=${this.#at('kubelet.json')}`,
      `--root-dir=${this.#at('kubelet')}`,
      `--cert-dir=${this.#at('pki')}`,
      `--hostname-override=${this.#node.name}`,
    ]);
  }

  async #until(works: () => Promise<unknown>): Promise<void> {
    for (let waitedMs = 0; ; waitedMs += 100) {
      try {
        await works();
        return;
      } catch (error) {
        if (waitedMs > START_MS) throw error;
        await pause(100);
      }
    }
  }

  #spawn(name: string, argv: readonly string[]): void {
    const log = openSync(this.#at(`${name}.log`), 'a', 0o600);
    const options = { stdio: ['ignore', log, log] as ['ignore', number, number] };
    // `ip netns exec` would hide the control groups behind a /sys of its own.
    this.#children.push(spawn('nsenter', [`--net=${namespacePath(this.#node.name)}`, ...argv], options));
  }

  #at(path: string): string {
    return join(this.#node.folder, 'kube', path);
  }

  /** As that of the laboratory. */
  #containerd(): string {
    const disabled = ['internal.v1.opt', 'snapshotter.v1.aufs', 'snapshotter.v1.btrfs', 'snapshotter.v1.devmapper'];
    return `version = 2
root = "${this.#at('containerd')}"
state = "${this.#at('state')}"
disabled_plugins = [${disabled.map((name) => `"io.containerd.${name}"`).join(', ')}]
[grpc]
address = "${this.#at('containerd.sock')}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "${IMAGES.pause}"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "${join(this.#node.folder, 'bin')}"
conf_dir = "${this.#at('net.d')}"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
BinaryName = "runc"
`;
  }

  #kubelet(): unknown {
    return {
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      enableServer: false,
      healthzPort: 0,
      readOnlyPort: 0,
      staticPodPath: this.#at('pods'),
      fileCheckFrequency: '1s',
      syncFrequency: '1s',
      containerRuntimeEndpoint: `unix://${this.#at('containerd.sock')}`,
      cgroupDriver: 'cgroupfs',
      // Groups of the machine are left alone.
      cgroupsPerQOS: false,
      enforceNodeAllocatable: [],
      failCgroupV1: false,
      failSwapOn: false,
      podLogsDir: this.#at('logs'),
      volumePluginDir: this.#at('volumes'),
      makeIPTablesUtilChains: false,
      localStorageCapacityIsolation: false,
      imageGCHighThresholdPercent: 100,
      evictionHard: { 'memory.available': '1Mi' },
      authentication: { anonymous: { enabled: false }, webhook: { enabled: false } },
      authorization: { mode: 'AlwaysAllow' },
    };
  }
}

export const missingForKubelet = (): string | undefined =>
  existsSync(kubeletPath()) ? undefined : `needs ${kubeletPath()}: npm run lab -- kubernetes up`;
