import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/**
 * Hosts to try playbooks on, without virtual machines: each is a set of namespaces (network, processes, mounts, control groups)
 * with systemd and sshd of this machine, whose file system it copies when it writes. They share one network, on which this
 * machine has an address too.
 */

const CGROUPS = '/sys/fs/cgroup';
const BOOT = fileURLToPath(new URL('../machine/boot-host.sh', import.meta.url));
const BOOTED_WITHIN_MS = 120_000;

export interface TestHost {
  readonly name: string;
  readonly address: string;
}

export class TestHosts {
  readonly folder: string;
  /** Private key by which root of each host lets in. */
  readonly key: string;
  readonly #id = `sfcl${process.pid}`;
  readonly #prefix = `10.98.${process.pid % 250}`;
  readonly #processes = new Map<string, ChildProcess>();

  static reasonToSkip(): string | undefined {
    if (process.getuid?.() !== 0) return 'needs root';
    const programs = [
      'ip',
      'nsenter',
      'unshare',
      'sshd',
      'ssh',
      'ssh-keygen',
      'ansible-playbook',
      'openssl',
      'pivot_root',
    ];
    const missing = programs.filter((one) => spawnSync('sh', ['-c', `command -v ${one}`]).status !== 0);
    if (!existsSync('/lib/systemd/systemd')) missing.push('systemd');
    return missing.length === 0 ? undefined : `there is no ${missing.join(', ')}`;
  }

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'superfluidity-hosts-'));
    this.key = join(this.folder, 'key');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', this.key]);
    ip('netns', 'add', this.#id);
    ip('-n', this.#id, 'link', 'set', 'lo', 'up');
    ip('-n', this.#id, 'link', 'add', 'hosts', 'type', 'bridge');
    ip('-n', this.#id, 'link', 'set', 'hosts', 'up');
    ip('link', 'add', this.#id, 'type', 'veth', 'peer', 'name', 'machine', 'netns', this.#id);
    ip('-n', this.#id, 'link', 'set', 'machine', 'master', 'hosts', 'up');
    ip('address', 'add', `${this.#prefix}.1/24`, 'dev', this.#id);
    ip('link', 'set', this.#id, 'up');
  }

  /** Resolves when its sshd answers. */
  async add(name: string): Promise<TestHost> {
    const address = `${this.#prefix}.${10 + this.#processes.size}`;
    const netns = `${this.#id}-${name}`;
    ip('netns', 'add', netns);
    ip('-n', netns, 'link', 'set', 'lo', 'up');
    ip('link', 'add', 'eth0', 'netns', netns, 'type', 'veth', 'peer', 'name', name, 'netns', this.#id);
    ip('-n', this.#id, 'link', 'set', name, 'master', 'hosts', 'up');
    ip('-n', netns, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    ip('-n', netns, 'link', 'set', 'eth0', 'up');
    ip('-n', netns, 'route', 'add', 'default', 'via', `${this.#prefix}.1`);
    const own = join(this.folder, name);
    mkdirSync(own);
    writeFileSync(join(own, 'authorized_keys'), readFileSync(`${this.key}.pub`));
    for (const group of this.#groups(name)) makeGroup(group);
    const join_ = this.#groups(name).map((group) => `echo $$ >${group}/cgroup.procs`);
    const unshare = 'unshare --mount --uts --ipc --pid --cgroup --fork --kill-child --propagation private';
    const start = `${join_.join('\n')}\nexec nsenter --net=/run/netns/${netns} -- ${unshare} /bin/sh "$0" "$@"`;
    const child = spawn('/bin/sh', ['-c', start, BOOT, name, own], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4_000)));
    this.#processes.set(name, child);
    const host = { name, address };
    for (const deadline = Date.now() + BOOTED_WITHIN_MS; ; await sleep(300)) {
      if (this.ssh(host, 'true').status === 0) return host;
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`host ${name} did not boot: ${said}`);
    }
  }

  ssh({ address }: TestHost, ...command: readonly string[]) {
    const options = [
      'StrictHostKeyChecking=accept-new',
      `UserKnownHostsFile=${this.folder}/known_hosts`,
      'BatchMode=yes',
    ];
    const args = [...options, 'ConnectTimeout=5'].flatMap((one) => ['-o', one]);
    return spawnSync('ssh', [...args, '-i', this.key, `root@${address}`, ...command], {
      encoding: 'utf8',
      timeout: 60_000,
    });
  }

  /** As if all had lost their power. */
  async close(): Promise<void> {
    for (const [name, child] of this.#processes) {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      }
      await this.#removeGroups(name);
      spawnSync('ip', ['netns', 'delete', `${this.#id}-${name}`]);
    }
    for (const group of this.#groups('.')) removeGroup(group);
    spawnSync('ip', ['link', 'delete', this.#id]);
    spawnSync('ip', ['netns', 'delete', this.#id]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #groups(name: string): readonly string[] {
    return hierarchies().map((hierarchy) => join(CGROUPS, hierarchy, this.#id, name));
  }

  /** Whoever was in a namespace of processes ends with its first one, a moment later. */
  async #removeGroups(name: string): Promise<void> {
    for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(100)) {
      for (const group of this.#groups(name)) removeGroup(group);
      if (!this.#groups(name).some((group) => existsSync(group))) return;
    }
  }
}

const ip = (...args: readonly string[]) => execFileSync('ip', args);

function hierarchies(): readonly string[] {
  if (existsSync(join(CGROUPS, 'cgroup.controllers'))) return ['.'];
  // Beside them that of the second version, where systemd looks for it and runc makes groups.
  return readdirSync(CGROUPS).filter((name) => existsSync(join(CGROUPS, name, 'cgroup.procs')));
}

function makeGroup(path: string): void {
  mkdirSync(path, { recursive: true });
  if (!path.startsWith(join(CGROUPS, 'cpuset'))) return;
  // Without processors and memory of its own a group takes nobody (cpuset(7)).
  for (const group of [join(path, '..'), path])
    for (const file of ['cpuset.cpus', 'cpuset.mems'])
      if (existsSync(join(group, file))) writeFileSync(join(group, file), readFileSync(join(CGROUPS, 'cpuset', file)));
}

function removeGroup(path: string): void {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) removeGroup(join(path, entry.name));
  try {
    rmdirSync(path);
  } catch {
    // Somebody is in it still.
  }
}
