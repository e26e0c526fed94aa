import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { authWords } from '@superfluidity/openstack/testing';
import type { LabNode } from '../../../lab/kubernetes/lab.ts';
import { buildExecutable } from '../cni/executable/build.ts';
import { CONFIGURATION_LIST, PLUGIN } from '../api/plugin.ts';
import { unplugLeft } from '../cni/testing/leftovers.ts';
import { kill } from './kill.ts';
import type { OwnNetwork } from './own-network.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const CLOUD = 'own';
const START_MS = 60_000;

/**
 * Controller and daemons as processes of this machine, as an operator starts them. The daemons work in the network of the machine,
 * where Open vSwitch is, for nodes that are namespaces without one.
 */
export class Programs {
  readonly #folder = mkdtempSync(join(tmpdir(), 'superfluidity-kuryr-'));
  readonly #running = new Map<string, ChildProcess>();
  readonly #clean: (() => Promise<void>)[] = [];
  #controllers = 0;

  /** Credentials lie in a file for nobody else's eyes. */
  async open(network: OwnNetwork): Promise<void> {
    const clouds = { [CLOUD]: { auth: authWords(network.project.config) } };
    writeFileSync(this.#at('clouds.yaml'), JSON.stringify({ clouds }), { mode: 0o600 });
    await buildExecutable(this.#at(PLUGIN));
  }

  /** Resolves when it listens: it leads some seconds later. `config` without the cloud. */
  async startController(config: { readonly neutron?: object | undefined }): Promise<void> {
    // JSON is YAML.
    const path = this.#at('kuryr.yaml');
    const neutron = { ...config.neutron, cloud: CLOUD };
    writeFileSync(path, JSON.stringify({ ...config, neutron }), { mode: 0o600 });
    this.#controllers += 1;
    await this.#start('controller', ['--config', path, '--identity', `controller-${this.#controllers}`], 'told here');
  }

  /** Resolves when the runtime of the node has been told that there is a network. `more` are further options of the command. */
  async startDaemon(
    node: LabNode,
    kubeconfig: string,
    ovsdb: string,
    more: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const { name, cniBin, cniConf } = node;
    mkdirSync(this.#at(name), { recursive: true });
    const options = {
      node: name,
      kubeconfig,
      ovsdb,
      folder: this.#at(`${name}/state`),
      socket: this.#at(`${name}/cni.sock`),
      'health-port': '0',
      'cni-bin': cniBin,
      'cni-conf': cniConf,
      executable: this.#at(PLUGIN),
      ...more,
    };
    const argv = Object.entries(options).flatMap(([key, value]) => [`--${key}`, value]);
    await this.#start('daemon', argv, 'installed', name);
    this.#clean.push(async () => {
      rmSync(join(cniConf, CONFIGURATION_LIST), { force: true });
      rmSync(join(cniBin, PLUGIN), { force: true });
      await unplugLeft(name, ovsdb);
    });
  }

  has(name: string): boolean {
    return this.#running.has(name);
  }

  /** How many ports lie ready in the pools of the controller, how many of them carry traffic, and how many are being made. */
  async pooled(): Promise<{ readonly ready: number; readonly active: number; readonly making: number }> {
    const port = this.log('controller')
      .match(/are told here","port":(\d+)/g)
      ?.at(-1)
      ?.match(/\d+/)?.[0];
    const text = await fetch(`http://127.0.0.1:${port}/metrics`).then((answer) => answer.text());
    const sum = (state: string) =>
      [...text.matchAll(new RegExp(`^\\w*kuryr_pool_ports\\{[^}]*state="${state}"[^}]*\\} (\\d+)`, 'gm'))].reduce(
        (total, [, count]) => total + Number(count),
        0,
      );
    return { ready: sum('ready'), active: sum('active'), making: sum('making') };
  }

  /** What it said, of all that had this name. */
  log(name: string): string {
    return readFileSync(this.#at(`${name}.log`), 'utf8');
  }

  /** As a fault would end it. */
  async kill(name: string, signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const child = this.#running.get(name);
    this.#running.delete(name);
    if (child !== undefined) await kill(child, signal);
  }

  async close(): Promise<void> {
    for (const name of this.#running.keys()) await this.kill(name, 'SIGTERM');
    for (const step of this.#clean) await step();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #start(command: string, argv: readonly string[], until: string, name = command): Promise<void> {
    const env = { PATH: process.env['PATH'] ?? '', OS_CLIENT_CONFIG_FILE: this.#at('clouds.yaml') };
    const options = { env, stdio: ['ignore', 'ignore', 'pipe'] as ['ignore', 'ignore', 'pipe'] };
    const child = spawn(process.execPath, [MAIN, command, ...argv], options);
    this.#running.set(name, child);
    const listening = Promise.withResolvers<void>();
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      appendFileSync(this.#at(`${name}.log`), text);
      if (text.includes(until)) listening.resolve();
    });
    child.once('exit', () => listening.reject(new Error(`${name} ended`)));
    const late = setTimeout(() => listening.reject(new Error(`${name} does not listen`)), START_MS);
    await listening.promise
      .finally(() => clearTimeout(late))
      .catch((cause: unknown) => {
        throw new Error(`${name}: ${this.log(name).slice(-3_000)}`, { cause });
      });
  }

  #at(path: string): string {
    return join(this.#folder, path);
  }
}
