import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Cloud, type Port, subnets } from '@superfluidity/openstack';

const LIMIT_MS = 60_000;
const LOOK_MS = 200;

/** Answers with the address from which it was asked. */
export const WHO_ASKS = (port: number): string =>
  `require('node:http').createServer((request, response) => response.end(request.socket.remoteAddress)).listen(${port}, '0.0.0.0')`;

async function ip(...args: readonly string[]): Promise<void> {
  await promisify(execFile)('ip', args, { timeout: LIMIT_MS });
}

/** What a server of HTTP says to who is in the namespace, or why it says nothing. */
export async function asked(namespace: string, url: string): Promise<string> {
  const program = `fetch('${url}', { signal: AbortSignal.timeout(5000) }).then((answer) => answer.text()).then((text) => process.stdout.write(text), (error) => process.stdout.write(String(error.cause ?? error)))`;
  const argv = ['netns', 'exec', namespace, process.execPath, '-e', program];
  const { stdout } = await promisify(execFile)('ip', argv, { timeout: LIMIT_MS });
  return stdout;
}

/**
 * The inside of a server that Nova's fake driver has made: the laboratory plugs its port as a device of this machine, which
 * gets a namespace, its address, those of chains, and a program that says who asks on port 9200.
 */
export class CloudEnd {
  readonly namespace: string;
  readonly address: string;
  readonly #program: ChildProcess;

  private constructor(namespace: string, address: string, program: ChildProcess) {
    this.namespace = namespace;
    this.address = address;
    this.#program = program;
  }

  static async open(cloud: Cloud, port: Port, serviceAddresses: readonly string[]): Promise<CloudEnd> {
    const { subnet_id, ip_address: address } = port.fixed_ips[0]!;
    const subnet = await subnets.show(cloud, subnet_id, AbortSignal.timeout(LIMIT_MS));
    const device = `tap${port.id.slice(0, 11)}`;
    const namespace = `sf-end-${port.id.slice(0, 8)}`;
    const inside = (...args: readonly string[]) => ip('-n', namespace, ...args);
    await ip('netns', 'add', namespace);
    try {
      await plugged(device);
      await ip('link', 'set', device, 'netns', namespace);
      await inside('link', 'set', 'lo', 'up');
      await inside('link', 'set', device, 'address', port.mac_address, 'mtu', '1400', 'up');
      await inside('address', 'add', `${address}/${subnet.cidr.split('/')[1]}`, 'dev', device);
      await inside('route', 'add', 'default', 'via', subnet.gateway_ip!);
      for (const one of serviceAddresses) await inside('address', 'add', `${one}/32`, 'dev', 'lo');
      const argv = ['netns', 'exec', namespace, process.execPath, '-e', WHO_ASKS(9200)];
      return new CloudEnd(namespace, address, spawn('ip', argv, { stdio: 'ignore' }));
    } catch (error) {
      await ip('netns', 'delete', namespace);
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#program.exitCode === null && this.#program.signalCode === null) {
      const ended = once(this.#program, 'exit');
      this.#program.kill('SIGKILL');
      await ended;
    }
    await ip('netns', 'delete', this.namespace);
  }
}

async function plugged(device: string): Promise<void> {
  for (let waited = 0; ; waited += LOOK_MS) {
    try {
      return await ip('link', 'show', device);
    } catch (error) {
      if (waited >= LIMIT_MS) throw error;
      await sleep(LOOK_MS);
    }
  }
}
