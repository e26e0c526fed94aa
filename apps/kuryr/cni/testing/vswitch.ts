import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';
const START_MS = 15_000;

export function missingForVSwitch(): string | undefined {
  const needs = ['/usr/sbin/ovsdb-server', '/usr/sbin/ovs-vswitchd', '/usr/bin/ovs-vsctl', SCHEMA];
  const absent = needs.filter((path) => !existsSync(path));
  return absent.length === 0 ? undefined : `needs ${absent.join(', ')}`;
}

/** Open vSwitch of one node, in user space, with its files in a folder of its own. */
export class TestVSwitch {
  readonly #folder = mkdtempSync(join(tmpdir(), 'superfluidity-ovs-'));
  readonly #namespace: string;
  readonly #children = new Map<string, ChildProcess>();

  private constructor(namespace: string) {
    this.#namespace = namespace;
  }

  static async start(namespace: string): Promise<TestVSwitch> {
    const vswitch = new TestVSwitch(namespace);
    execFileSync('ovsdb-tool', ['create', vswitch.#path('conf.db'), SCHEMA]);
    await vswitch.startDatabase();
    await vswitch.startSwitch();
    return vswitch;
  }

  get socket(): string {
    return this.#path('db.sock');
  }

  vsctl(...args: readonly string[]): string {
    return execFileSync('ovs-vsctl', [`--db=unix:${this.socket}`, '--timeout=10', ...args], {
      encoding: 'utf8',
    }).trim();
  }

  addBridge(name: string): void {
    this.vsctl('add-br', name, '--', 'set', 'bridge', name, 'datapath_type=netdev');
  }

  async startDatabase(): Promise<void> {
    this.#run('ovsdb-server', [this.#path('conf.db'), `--remote=punix:${this.socket}`, this.#control('db')]);
    for (let waitedMs = 0; !existsSync(this.socket); waitedMs += 20) {
      if (waitedMs > START_MS) throw new Error('ovsdb-server does not start');
      await pause(20);
    }
    this.vsctl('--no-wait', 'init');
  }

  async startSwitch(): Promise<void> {
    this.#run('ovs-vswitchd', [`unix:${this.socket}`, this.#control('vs')]);
    await pause(0);
  }

  async stop(program: 'ovsdb-server' | 'ovs-vswitchd'): Promise<void> {
    const child = this.#children.get(program);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    if (program === 'ovsdb-server') rmSync(this.socket, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('ovs-vswitchd');
    await this.stop('ovsdb-server');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  #control(name: string): string {
    return `--unixctl=${this.#path(`${name}.ctl`)}`;
  }

  #run(program: string, args: readonly string[]): void {
    const env = { ...process.env, OVS_RUNDIR: this.#folder, OVS_LOGDIR: this.#folder, OVS_DBDIR: this.#folder };
    const options = ['--no-chdir', '-vconsole:off', '-vsyslog:off', '-vfile:off'];
    const argv = ['netns', 'exec', this.#namespace, program, ...args, ...options];
    this.#children.set(program, spawn('ip', argv, { env, stdio: 'ignore' }));
  }
}
