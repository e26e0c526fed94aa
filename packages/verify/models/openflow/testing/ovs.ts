import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';
const PROGRAMS = [
  '/usr/sbin/ovsdb-server',
  '/usr/sbin/ovs-vswitchd',
  '/usr/bin/ovs-ofctl',
  '/usr/bin/ovsdb-tool',
  SCHEMA,
];

export function missing(): string | undefined {
  const absent = PROGRAMS.filter((path) => !existsSync(path));
  return absent.length === 0 ? undefined : `there is no ${absent.join(', ')}`;
}

const START_MILLISECONDS = 10_000;

/** Open vSwitch without a kernel: one bridge on the dummy datapath, in a folder of its own, that only traces packets. */
export class OvsLab {
  readonly #folder = mkdtempSync(join(tmpdir(), 'ovs-lab-'));
  readonly #children: ChildProcess[] = [];
  #socket: Socket | undefined;
  #received = '';
  #next = 0;
  readonly #answers = new Map<number, (answer: { result?: string; error?: string }) => void>();

  #path(name: string): string {
    return join(this.#folder, name);
  }

  async start(ports: readonly string[]): Promise<void> {
    execFileSync('ovsdb-tool', ['create', this.#path('conf.db'), SCHEMA]);
    const remote = `unix:${this.#path('db.sock')}`;
    this.#run('/usr/sbin/ovsdb-server', [this.#path('conf.db'), `--remote=p${remote}`, this.#control('db')]);
    await this.#until(() => existsSync(this.#path('db.sock')));
    this.#run('/usr/sbin/ovs-vswitchd', [remote, '--enable-dummy=override', '--disable-system', this.#control('vs')]);
    const add = ports.flatMap((port, i) => [
      '--',
      'add-port',
      'br0',
      port,
      '--',
      'set',
      'interface',
      port,
      'type=dummy',
      `ofport_request=${i + 1}`,
    ]);
    const bridge = ['--', 'set', 'bridge', 'br0', 'datapath_type=dummy', 'fail-mode=secure'];
    execFileSync('ovs-vsctl', [`--db=${remote}`, '--timeout=10', '--', 'add-br', 'br0', ...bridge, ...add]);
    await this.#until(() => existsSync(this.#path('vs.ctl')));
    this.#socket = createConnection(this.#path('vs.ctl'));
    this.#socket.setEncoding('utf8').on('data', (text: string) => this.#receive(text));
  }

  #control(name: string): string {
    return `--unixctl=${this.#path(`${name}.ctl`)}`;
  }

  #run(program: string, options: readonly string[]): void {
    const env = { ...process.env, OVS_RUNDIR: this.#folder, OVS_LOGDIR: this.#folder };
    this.#children.push(spawn(program, [...options, '--no-chdir', '-vconsole:off'], { env, stdio: 'ignore' }));
  }

  async #until(holds: () => boolean): Promise<void> {
    for (let spent = 0; !holds(); spent += 20) {
      if (spent > START_MILLISECONDS) throw new Error('Open vSwitch does not start');
      await wait(20);
    }
  }

  /**
   * In place of all flows that there were, without those that OVS refuses because their parts do not fit together. Some
   * actions are only in OpenFlow 1.0, others only in later versions: each kind goes by itself.
   */
  load(flows: readonly string[]): void {
    const remote = `unix:${this.#path('br0.mgmt')}`;
    execFileSync('ovs-ofctl', ['del-flows', remote]);
    const isLater = (flow: string) => /goto_table|write_actions|clear_actions/.test(flow);
    this.#add(
      flows.filter((flow) => !isLater(flow)),
      '-OOpenFlow10',
    );
    this.#add(flows.filter(isLater), '-OOpenFlow14');
  }

  #add(flows: readonly string[], version: string): void {
    const file = this.#path('flows');
    const remote = `unix:${this.#path('br0.mgmt')}`;
    const kept = [...flows];
    while (kept.length > 0) {
      writeFileSync(file, `${kept.join('\n')}\n`);
      const options = [version, 'add-flows', remote, file];
      const { status, stderr } = spawnSync('ovs-ofctl', options, { encoding: 'utf8', timeout: 10_000 });
      if (status === 0) return;
      const line = /:(\d+): /.exec(stderr.split('\n').find((text) => text.startsWith('ovs-ofctl:')) ?? '')?.[1];
      kept.splice(line === undefined ? -1 : Number(line) - 1, 1);
    }
  }

  dump(...options: readonly string[]): string {
    const remote = `unix:${this.#path('br0.mgmt')}`;
    return execFileSync('ovs-ofctl', ['-OOpenFlow14', ...options, 'dump-flows', remote], { encoding: 'utf8' });
  }

  ports(): string {
    return execFileSync('ovs-ofctl', ['show', `unix:${this.#path('br0.mgmt')}`], { encoding: 'utf8' });
  }

  /** ovs-vswitchd(8), ofproto/trace; `state` is what connection tracking says. */
  async trace(packet: string, state?: string): Promise<string> {
    const id = (this.#next += 1);
    const params = ['br0', packet, ...(state === undefined ? [] : ['--ct-next', state])];
    const answer = new Promise<{ result?: string; error?: string }>((resolve) => this.#answers.set(id, resolve));
    this.#socket!.write(JSON.stringify({ method: 'ofproto/trace', params, id }));
    const { result, error } = await answer;
    if (typeof result !== 'string') throw new Error(`${packet}: ${error}`);
    return result;
  }

  /** Answers follow each other without anything between them; strings have no braces that do not match. */
  #receive(text: string): void {
    this.#received += text;
    for (;;) {
      const end = endOfObject(this.#received);
      if (end === undefined) return;
      const answer = JSON.parse(this.#received.slice(0, end)) as { id: number; result?: string; error?: string };
      this.#received = this.#received.slice(end);
      this.#answers.get(answer.id)?.(answer);
      this.#answers.delete(answer.id);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket?.destroy();
    for (const child of this.#children.toReversed()) {
      if (child.exitCode !== null) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await Promise.race([ended, wait(2_000)]);
      child.kill('SIGKILL');
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function endOfObject(text: string): number | undefined {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const letter = text[i]!;
    if (quoted) {
      if (letter === '\\') i += 1;
      else if (letter === '"') quoted = false;
    } else if (letter === '"') quoted = true;
    else if (letter === '{') depth += 1;
    else if (letter === '}' && (depth -= 1) === 0) return i + 1;
  }
  return undefined;
}
