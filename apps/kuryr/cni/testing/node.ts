import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@superfluidity/core';
import type { KuryrPort, PodInterface } from '@superfluidity/driver-kubernetes/kuryr';
import {
  changeLink,
  createBridge,
  createNamespace,
  deleteNamespace,
  namespacePath,
  transact,
} from '@superfluidity/netlink';
import { ipJson } from '@superfluidity/netlink/testing';
import { Daemon, type DaemonOptions } from '../daemon.ts';
import { buildExecutable } from '../executable/build.ts';
import type { CniResult } from '../specification.ts';
import { TestVSwitch } from './vswitch.ts';

let count = 0;

export interface Answer {
  readonly code: number | null;
  /** JSON of standard output; undefined where there was nothing. */
  readonly output:
    | (CniResult & { readonly code?: number; readonly msg?: string; readonly details?: string })
    | undefined;
}

export interface PodOptions {
  readonly uid?: string;
  readonly interfaces?: Readonly<Record<string, Partial<PodInterface>>>;
}

export interface CallOptions {
  readonly container?: string;
  readonly netns?: string;
  readonly interface?: string;
  readonly config?: object;
  readonly uid?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly executable?: string;
}

/** A node of its own: a network namespace, a daemon, an executable, and pods with real namespaces. */
export class TestNode {
  readonly name: string;
  readonly folder = mkdtempSync(join(tmpdir(), 'superfluidity-cni-'));
  readonly #pods: string[] = [];
  #daemon: Daemon | undefined;
  #vswitch: TestVSwitch | undefined;
  #options: Partial<DaemonOptions> = {};

  private constructor() {
    count += 1;
    this.name = `sfk-${process.pid}-${count}`;
  }

  /** With `bridge`, a bridge `pods`; with `vswitch`, Open vSwitch with a bridge `br-int`. */
  static async open(
    parts: { readonly bridge?: boolean; readonly vswitch?: boolean; readonly seconds?: number } = {},
  ): Promise<TestNode> {
    const node = new TestNode();
    createNamespace(node.name);
    transact(node.name, [changeLink(1, { up: true })]);
    await buildExecutable(node.executable, parts.seconds === undefined ? {} : { seconds: parts.seconds });
    if (parts.bridge === true) transact(node.name, [createBridge({ name: 'pods', up: true })]);
    if (parts.vswitch === true) {
      node.#vswitch = await TestVSwitch.start(node.name);
      node.#vswitch.addBridge('br-int');
    }
    return node;
  }

  get executable(): string {
    return join(this.folder, 'bin/superfluidity-kuryr');
  }

  get socket(): string {
    return join(this.folder, 'run/cni.sock');
  }

  get daemon(): Daemon {
    return this.#daemon!;
  }

  get vswitch(): TestVSwitch {
    return this.#vswitch!;
  }

  async startDaemon(options: Partial<DaemonOptions> = {}): Promise<Daemon> {
    this.#options = options;
    this.#daemon = await Daemon.open({ ...this.daemonOptions(), log: silentLogger, ...options });
    return this.#daemon;
  }

  daemonOptions(): Omit<DaemonOptions, 'log'> {
    return {
      node: this.name,
      folder: join(this.folder, 'state'),
      socket: this.socket,
      ovsdb: this.#vswitch?.socket ?? join(this.folder, 'no-vswitch'),
      trunk: {},
      makesBridges: false,
      healthPort: 0,
      namespace: this.name,
    };
  }

  async stopDaemon(): Promise<void> {
    await this.#daemon?.close();
    this.#daemon = undefined;
  }

  async restartDaemon(): Promise<void> {
    await this.stopDaemon();
    await this.startDaemon(this.#options);
  }

  /** A namespace, as the runtime makes it before it calls the plugin; its path. */
  sandbox(): string {
    count += 1;
    const name = `sfp-${process.pid}-${count}`;
    createNamespace(name);
    transact(name, [changeLink(1, { up: true })]);
    this.#pods.push(name);
    return namespacePath(name);
  }

  removeSandbox(path: string): void {
    deleteNamespace(nameOf(path));
  }

  /** What the controller would write. */
  port(name: string, { uid = uidOf(name), interfaces = { eth0: {} } }: PodOptions = {}): KuryrPort {
    const named = Object.entries(interfaces).map(([device, wish], i): [string, PodInterface] => {
      const number = numberOf(`${name}/${device}`);
      return [
        device,
        {
          id: `${number.toString(16).padStart(8, '0')}-0000-4000-8000-00000000000${i}`,
          mac: `02:00:00:00:${(number >> 8).toString(16).padStart(2, '0')}:${(number & 255).toString(16).padStart(2, '0')}`,
          addresses: [`10.${80 + i}.${number >> 8}.${number & 255}/16`],
          routes: [],
          mtu: 1_450,
          active: true,
          isDefault: i === 0,
          plugging: { kind: 'bridge', bridge: 'pods' },
          ...wish,
        },
      ];
    });
    return {
      metadata: { namespace: 'default', name },
      spec: { podUid: uid, node: this.name },
      status: { interfaces: Object.fromEntries(named) },
    };
  }

  /** The plugin as a runtime calls it. */
  call(verb: string, pod: string, how: CallOptions = {}): Promise<Answer> {
    const { env, input } = this.invocation(verb, pod, how);
    return runPlugin(how.executable ?? this.executable, env, input);
  }

  /** What a runtime gives the plugin. */
  invocation(
    verb: string,
    pod: string,
    {
      container = `c-${pod}`,
      netns = '',
      interface: device = 'eth0',
      uid = uidOf(pod),
      config = {},
      env = {},
    }: CallOptions,
  ): { readonly env: Readonly<Record<string, string>>; readonly input: string } {
    const args = [
      'IgnoreUnknown=1',
      'K8S_POD_NAMESPACE=default',
      `K8S_POD_NAME=${pod}`,
      `K8S_POD_INFRA_CONTAINER_ID=${container}`,
      `K8S_POD_UID=${uid}`,
    ];
    const variables = {
      PATH: process.env['PATH'] ?? '',
      CNI_COMMAND: verb,
      CNI_CONTAINERID: container,
      CNI_NETNS: netns,
      CNI_IFNAME: device,
      CNI_ARGS: args.join(';'),
      CNI_PATH: '/opt/cni/bin',
      ...env,
    };
    return { env: variables, input: this.configuration(config) };
  }

  configuration(more: object = {}): string {
    const own = { cniVersion: '1.1.0', name: 'kuryr', type: 'superfluidity-kuryr', socket: this.socket };
    return JSON.stringify({ ...own, ...more });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopDaemon();
    await this.#vswitch?.[Symbol.asyncDispose]();
    for (const name of this.#pods) deleteNamespace(name);
    deleteNamespace(this.name);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function runPlugin(
  executable: string,
  env: Readonly<Record<string, string>>,
  input: string | Buffer,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = execFile(executable, [], { env, maxBuffer: 2 ** 23 }, (error, stdout) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      try {
        resolve({ code, output: stdout === '' ? undefined : JSON.parse(stdout) });
      } catch (cause) {
        reject(new Error(`the plugin printed ${JSON.stringify(stdout)}`, { cause }));
      }
    });
    child.stdin!.on('error', () => {});
    child.stdin!.end(input);
  });
}

/** What `ip netns` calls the namespace at this path. */
export const nameOf = (netns: string): string => netns.slice(netns.lastIndexOf('/') + 1);

/** What is in a namespace, by its name. */
export const devices = (namespace: string): readonly string[] =>
  ipJson(namespace, 'link').map(({ ifname }) => String(ifname));

/** Whether the address answers within a second, from inside of a namespace. */
export function pings(netns: string, address: string, size = 56): boolean {
  try {
    execFileSync(
      'ip',
      ['netns', 'exec', nameOf(netns), 'ping', '-c', '1', '-W', '1', '-M', 'do', '-s', String(size), address],
      {
        stdio: 'ignore',
      },
    );
    return true;
  } catch {
    return false;
  }
}

/** A program inside of a namespace. */
export const inside = (netns: string, ...argv: readonly string[]) =>
  spawn('ip', ['netns', 'exec', nameOf(netns), ...argv]);

const numbers = new Map<string, number>();

function numberOf(name: string): number {
  const number = numbers.get(name) ?? numbers.size + 10;
  numbers.set(name, number);
  return number;
}

export const uidOf = (pod: string): string => `00000000-0000-4000-9000-${numberOf(pod).toString(16).padStart(12, '0')}`;

/** How many bytes of so many a pod got from another one, by TCP. */
export async function streamed(size: number, from: string, address: string, to: string): Promise<number> {
  const listen = `require('net').createServer((s) => s.end(Buffer.alloc(${size}))).listen(7777, () => console.log('up'))`;
  const ask = `let n = 0; require('net').connect(7777, '${address}').on('data', (d) => n += d.length).on('close', () => console.log(n))`;
  const server = inside(from, process.execPath, '-e', listen);
  await once(server.stdout, 'data');
  const client = inside(to, process.execPath, '-e', ask);
  const [heard] = (await once(client.stdout, 'data')) as [Buffer];
  server.kill('SIGKILL');
  return Number(heard.toString());
}
