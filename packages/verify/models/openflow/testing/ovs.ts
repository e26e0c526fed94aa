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

/** Bridges of the lab: their ports by the name that they have, with `type`, `peer` and so on as in ovs-vswitchd.conf.db(5). */
export interface LabBridge {
  readonly name: string;
  readonly ports: readonly LabPort[];
}

export interface LabPort {
  readonly name: string;
  readonly number: number;
  readonly tag?: number;
  readonly trunks?: readonly number[];
  /** Default: `dummy`, a port to which nothing is connected. */
  readonly type?: string;
  readonly options?: Readonly<Record<string, string>>;
}

export interface DatapathPort {
  readonly bridge: string;
  readonly port: string;
  readonly type: string;
}

/** Open vSwitch without a kernel: bridges on the dummy datapath, in a folder of its own, that only trace packets. */
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

  async start(bridges: readonly LabBridge[]): Promise<void> {
    execFileSync('ovsdb-tool', ['create', this.#path('conf.db'), SCHEMA]);
    const remote = `unix:${this.#path('db.sock')}`;
    this.#run('/usr/sbin/ovsdb-server', [this.#path('conf.db'), `--remote=p${remote}`, this.#control('db')]);
    await this.#until(() => existsSync(this.#path('db.sock')));
    // `system` and not `override`: tunnels stay tunnels, ports of machines become dummies.
    const dummies = ['--enable-dummy=system', '--disable-system', '--disable-system-route'];
    this.#run('/usr/sbin/ovs-vswitchd', [remote, ...dummies, this.#control('vs')]);
    execFileSync('ovs-vsctl', [`--db=${remote}`, '--timeout=10', ...bridges.flatMap(commandsOf)]);
    await this.#until(() => existsSync(this.#path('vs.ctl')));
    this.#socket = createConnection(this.#path('vs.ctl'));
    this.#socket.setEncoding('utf8').on('data', (text: string) => this.#receive(text));
    // As with a datapath in the kernel: `set(tunnel(...))` instead of headers towards a neighbour that would have to be there.
    await this.appctl('dpif/set-dp-features', bridges[0]!.name, 'tnl_push_pop', 'false');
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
  load(flows: readonly string[], bridge = 'br0'): void {
    execFileSync('ovs-ofctl', ['del-flows', this.#management(bridge)]);
    const isLater = (flow: string) => /goto_table|write_actions|clear_actions|group:|push_|pop_|mpls/.test(flow);
    this.#add(
      flows.filter((flow) => !isLater(flow)),
      bridge,
      '-OOpenFlow10',
    );
    this.#add(flows.filter(isLater), bridge, '-OOpenFlow14');
  }

  #add(flows: readonly string[], bridge: string, version: string): void {
    const file = this.#path('flows');
    const remote = this.#management(bridge);
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

  /** In place of all groups that there were, and the flows that lead to them. */
  loadGroups(groups: readonly string[], bridge = 'br0'): string {
    const remote = this.#management(bridge);
    execFileSync('ovs-ofctl', ['-OOpenFlow15', 'del-groups', remote]);
    for (const group of groups) execFileSync('ovs-ofctl', ['-OOpenFlow15', 'add-group', remote, group]);
    return execFileSync('ovs-ofctl', ['-OOpenFlow15', 'dump-groups', remote], { encoding: 'utf8' });
  }

  /** ovs-ofctl(8), add-tlv-map: which option of Geneve is which field. */
  mapOptions(map: string, bridge = 'br0'): void {
    execFileSync('ovs-ofctl', ['add-tlv-map', this.#management(bridge), map]);
  }

  dump(bridge = 'br0'): string {
    return execFileSync('ovs-ofctl', ['-OOpenFlow14', 'dump-flows', this.#management(bridge)], { encoding: 'utf8' });
  }

  ports(bridge = 'br0'): string {
    return execFileSync('ovs-ofctl', ['show', this.#management(bridge)], { encoding: 'utf8' });
  }

  #management(bridge: string): string {
    return `unix:${this.#path(`${bridge}.mgmt`)}`;
  }

  /** ovs-vswitchd(8), ofproto/trace; `state` is what connection tracking says, `bytes` the packet itself in hexadecimal. */
  async trace(packet: string, how: { bridge?: string; state?: string; bytes?: string } = {}): Promise<string> {
    const { bridge = 'br0', state, bytes } = how;
    const next = state === undefined ? [] : ['--ct-next', state];
    return await this.appctl('ofproto/trace', bridge, packet, ...next, ...(bytes === undefined ? [] : [bytes]));
  }

  /** ovs-appctl(8). */
  async appctl(method: string, ...params: readonly string[]): Promise<string> {
    const id = (this.#next += 1);
    const answer = new Promise<{ result?: string; error?: string }>((resolve) => this.#answers.set(id, resolve));
    this.#socket!.write(JSON.stringify({ method, params, id }));
    const { result, error } = await answer;
    if (typeof result !== 'string') throw new Error(`${method} ${params.join(' ')}: ${error}`);
    return result;
  }

  /** Ports by the number that they have in the datapath; patches have none, and one tunnel of a type has all its ends. */
  async datapathPorts(): Promise<ReadonlyMap<number, DatapathPort>> {
    const found = new Map<number, DatapathPort>();
    let bridge = '';
    for (const line of (await this.appctl('dpif/show')).split('\n')) {
      bridge = /^ {2}(\S+):$/.exec(line)?.[1] ?? bridge;
      const port = /^ {4}(\S+) \d+\/(\d+): \(([\w-]+)/.exec(line);
      if (port !== null) found.set(Number(port[2]), { bridge, port: port[1]!, type: port[3]! });
    }
    return found;
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

function commandsOf({ name, ports }: LabBridge): readonly string[] {
  const bridge = ['--', 'add-br', name, '--', 'set', 'bridge', name, 'datapath_type=dummy', 'fail-mode=secure'];
  const added = ports.flatMap(({ name: port, number, tag, trunks = [], type = 'dummy', options = {} }) => [
    '--',
    'add-port',
    name,
    port,
    ...(tag === undefined ? [] : [`tag=${tag}`]),
    ...(trunks.length === 0 ? [] : [`trunks=${trunks.join(',')}`]),
    '--',
    'set',
    'interface',
    port,
    `type=${type}`,
    `ofport_request=${number}`,
    ...Object.entries(options).map(([key, value]) => `options:${key}=${value}`),
  ]);
  return [...bridge, ...added];
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
