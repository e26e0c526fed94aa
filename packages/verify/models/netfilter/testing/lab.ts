import { execFileSync, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** Why the comparison with the kernel cannot run here. */
export function missing(programs: readonly string[]): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root';
  const absent = programs.filter((program) => {
    try {
      execFileSync('which', [program], { stdio: 'ignore' });
      return false;
    } catch {
      return true;
    }
  });
  return absent.length === 0 ? undefined : `needs ${absent.join(', ')}`;
}

export const PORTS = [0, 1, 2] as const;
export const routerMac = (port: number) => `02:00:00:00:01:0${port}`;
export const outsideMac = (port: number) => `02:00:00:00:02:0${port}`;

const probe = fileURLToPath(new URL('probe.py', import.meta.url));

/**
 * A router in a namespace, eth0 to eth2 with 10.0.0.1 to 10.0.2.1, and around it another namespace that sends frames into
 * every interface and sees what comes out. Ports lead to 10.0.P.2, the default route to eth0.
 */
export class KernelLab implements AsyncDisposable {
  readonly router: string;
  readonly #outside: string;
  readonly #probes: Prober[] = [];

  constructor() {
    const id = `${process.pid}-${Date.now() % 100_000}`;
    this.router = `sft-vr-${id}`;
    this.#outside = `sft-vo-${id}`;
  }

  async start(): Promise<void> {
    ip('netns', 'add', this.router);
    ip('netns', 'add', this.#outside);
    /** No neighbour discovery, which rules would count. */
    for (const name of [this.router, this.#outside]) {
      ip(
        'netns',
        'exec',
        name,
        'sysctl',
        '-qw',
        'net.ipv6.conf.all.disable_ipv6=1',
        'net.ipv6.conf.default.disable_ipv6=1',
      );
    }
    for (const port of PORTS) {
      const [inner, outer] = [`eth${port}`, `o${port}`];
      ip('-n', this.router, 'link', 'add', inner, 'type', 'veth', 'peer', 'name', outer, 'netns', this.#outside);
      ip('-n', this.router, 'link', 'set', inner, 'address', routerMac(port), 'up');
      ip('-n', this.#outside, 'link', 'set', outer, 'address', outsideMac(port), 'up');
      ip('-n', this.router, 'address', 'add', `10.0.${port}.1/24`, 'dev', inner);
      ip(
        '-n',
        this.router,
        'neigh',
        'add',
        `10.0.${port}.2`,
        'lladdr',
        outsideMac(port),
        'dev',
        inner,
        'nud',
        'permanent',
      );
      ip('-n', this.router, 'route', 'add', `10.${port + 1}.0.0/16`, 'via', `10.0.${port}.2`);
      this.run('sysctl', ['-qw', `net.ipv4.conf.eth${port}.rp_filter=0`]);
    }
    ip('-n', this.router, 'link', 'set', 'lo', 'up');
    ip('-n', this.router, 'route', 'add', 'default', 'via', '10.0.0.2');
    ip('-n', this.router, 'route', 'add', 'blackhole', '10.2.128.0/17');
    const settings = ['ip_forward=1', 'icmp_echo_ignore_all=1', 'conf.all.rp_filter=0', 'conf.all.send_redirects=0'];
    for (const each of settings) this.run('sysctl', ['-qw', `net.ipv4.${each}`]);
    this.#probes.push(
      new Prober(
        this.#outside,
        PORTS.map((port) => `o${port}`),
      ),
      new Prober(this.router, ['local']),
    );
    for (const each of this.#probes) await each.ready();
    await wired(
      this.router,
      PORTS.map((port) => `eth${port}`),
    );
  }

  /** In the namespace of the router. */
  run(program: string, args: readonly string[], input?: string): string {
    return execFileSync('ip', ['netns', 'exec', this.router, program, ...args], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(input === undefined ? {} : { input }),
    });
  }

  send(port: number, frame: Uint8Array): void {
    this.#probes[0]!.write(`send o${port} ${Buffer.from(frame).toString('hex')}\n`);
  }

  /** What has come out since the last time: the port, or -1 for the router itself, and the IP packet. */
  async collect(milliseconds: number): Promise<{ port: number; packet: Buffer }[]> {
    const lines: string[] = [];
    for (const each of this.#probes) lines.push(...(await each.flush(milliseconds)));
    return lines.map((line) => {
      const [where, hex] = line.split(' ');
      return { port: where === 'local' ? -1 : Number(where!.slice(1)), packet: Buffer.from(hex!, 'hex') };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.#probes) await each.end();
    for (const name of [this.router, this.#outside]) {
      try {
        ip('netns', 'delete', name);
      } catch {
        // It was never made, or is gone.
      }
    }
  }
}

const WIRED_MS = 10_000;
const LOOK_MS = 5;

/**
 * Until the kernel has noticed, in the background, that the other end of each wire is up: a device that is not known to have a
 * carrier throws away what is sent by it.
 */
export async function wired(namespace: string, devices: readonly string[]): Promise<void> {
  for (const end = performance.now() + WIRED_MS; ; await sleep(LOOK_MS)) {
    const shown = execFileSync('ip', ['-n', namespace, '-j', 'link', 'show'], { encoding: 'utf8' });
    const links = JSON.parse(shown) as readonly { readonly ifname: string; readonly operstate: string }[];
    const waiting = devices.filter((name) => links.find(({ ifname }) => ifname === name)?.operstate !== 'UP');
    if (waiting.length === 0) return;
    if (performance.now() > end) throw new Error(`no carrier at ${waiting.join(', ')} of ${namespace}`);
  }
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

export class Prober {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  constructor(namespace: string, captures: readonly string[]) {
    this.#child = spawn('ip', ['netns', 'exec', namespace, 'python3', probe, ...captures]);
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async ready(): Promise<void> {
    const { value } = await this.#lines.next();
    if (value !== 'ready') throw new Error(`the probe does not start: ${String(value)}`);
  }

  write(line: string): void {
    this.#child.stdin.write(line);
  }

  async flush(milliseconds: number): Promise<string[]> {
    this.write(`flush ${milliseconds}\n`);
    const found: string[] = [];
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error('the probe has ended');
      if (value === 'flushed') return found;
      found.push(value);
    }
  }

  async end(): Promise<void> {
    const closed = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdin.end();
    await closed;
  }
}
