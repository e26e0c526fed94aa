import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../command.ts';
import type { Lab } from './lab.ts';
import { type Json, Session } from './rest.ts';
import { labLogin } from './testing.ts';

const WAIT_MS = 120_000;
const POLL_MS = 50;

/** A port whose device is in a namespace of its own, with its address: a machine as far as packets can tell. */
export interface End {
  readonly portId: string;
  readonly namespace: string;
  readonly device: string;
  readonly address: string;
}

/** What a test makes in the laboratory, under a name of its own, timed and taken away again. */
export class TestCloud {
  readonly tag = `lab-test-${randomBytes(3).toString('hex')}`;
  readonly lab: Lab;
  readonly session: Session;
  readonly #timings: { readonly what: string; readonly ms: number }[] = [];
  readonly #undo: (() => Promise<unknown>)[] = [];

  private constructor(lab: Lab, session: Session) {
    this.lab = lab;
    this.session = session;
  }

  static async open(lab: Lab): Promise<TestCloud> {
    const startedMs = performance.now();
    const { authUrl, user, project, password } = labLogin(lab);
    const cloud = new TestCloud(lab, await Session.open(authUrl, { user, password, project }));
    cloud.#timings.push({ what: 'token', ms: Math.round(performance.now() - startedMs) });
    return cloud;
  }

  /** URL of a path of a service. */
  api(type: string, path: string): string {
    return `${this.session.catalogue.get(type)}${path}`;
  }

  neutron(path: string): string {
    return this.api('network', `/v2.0${path}`);
  }

  async timed<T>(what: string, work: () => Promise<T>): Promise<T> {
    const startedMs = performance.now();
    const result = await work();
    this.#timings.push({ what, ms: Math.round(performance.now() - startedMs) });
    return result;
  }

  /** Done at the end, the last one first. */
  later(step: () => Promise<unknown>): void {
    this.#undo.push(step);
  }

  /** Takes everything away and gives the timings. */
  async close(): Promise<string> {
    for (const step of this.#undo.toReversed()) await step();
    return this.#timings.map(({ what, ms }) => `${String(ms).padStart(7)} ms  ${what}`).join('\n');
  }

  /** Asks until the answer is the good one. */
  async until(what: string, good: string, ask: () => Promise<unknown>): Promise<void> {
    const deadline = performance.now() + WAIT_MS;
    for (let state = String(await ask()); state !== good; state = String(await ask())) {
      if (/ERROR|FAILED/.test(state) || performance.now() >= deadline) throw new Error(`${what} is ${state}`);
      await sleep(POLL_MS);
    }
  }

  /** Tries until it works. */
  async eventually<T>(work: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + WAIT_MS;
    while (true) {
      try {
        return await work();
      } catch (error) {
        if (performance.now() >= deadline) throw error;
        await sleep(POLL_MS);
      }
    }
  }

  /** POSTs, and DELETEs at the end. */
  async create(kind: string, collection: string, wish: Readonly<Record<string, unknown>>): Promise<Json> {
    const made = (await this.session.post(this.neutron(collection), { [kind]: { name: this.tag, ...wish } }))[kind]!;
    this.later(() => this.session.request('DELETE', this.neutron(`${collection}/${made['id']}`), { accept: [404] }));
    return made;
  }

  /** Routes for a subnet; not any more at the end. */
  async connect(router: string, subnet: string): Promise<void> {
    const interfaces = (verb: string) =>
      this.session.request('PUT', this.neutron(`/routers/${router}/${verb}_router_interface`), {
        body: { subnet_id: subnet },
        accept: [404],
      });
    await interfaces('add');
    this.later(() => interfaces('remove'));
  }

  async portStatus(id: string): Promise<string> {
    return (await this.session.get(this.neutron(`/ports/${id}?fields=status`)))['port']!['status']!;
  }

  /** A bound port that has become ACTIVE, in a namespace. */
  async end(name: string, wish: Readonly<Record<string, unknown>>): Promise<End> {
    const port = await this.timed(`port ${name} to ACTIVE`, async () => {
      const made = await this.create('port', '/ports', {
        'binding:host_id': this.lab.options.host,
        device_owner: 'compute:nova',
        device_id: `${this.tag}-${name}`,
        ...wish,
      });
      await this.until('the port', 'ACTIVE', () => this.portStatus(made['id']!));
      return made;
    });
    return this.inside(name, port['id']!, port['mac_address']!, `${port['fixed_ips']![0]!['ip_address']}/24`);
  }

  /** The device that the laboratory has plugged for a port, in a namespace. `at` with the length of the prefix. */
  async inside(name: string, portId: string, mac: string, at: string): Promise<End> {
    const namespace = `${this.tag}-${name}`;
    const device = `tap${portId.slice(0, 11)}`;
    await run(['ip', 'netns', 'add', namespace]);
    this.later(() => run(['ip', 'netns', 'delete', namespace]));
    await run(['ip', 'link', 'set', device, 'netns', namespace]);
    await run(['ip', '-n', namespace, 'link', 'set', device, 'address', mac, 'up']);
    await run(['ip', '-n', namespace, 'address', 'add', at, 'dev', device]);
    return { portId, namespace, device, address: at.split('/')[0]! };
  }
}

export async function ping(namespace: string, address: string, count = 3): Promise<string> {
  return run(['ip', 'netns', 'exec', namespace, 'ping', '-c', String(count), '-i', '0.2', '-W', '2', address]);
}

/** What a TCP server says to a request for a page. */
export async function httpGet(namespace: string, address: string): Promise<string> {
  const script = 'exec 3<>/dev/tcp/$0/80 && printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3 && cat <&3';
  return run(['ip', 'netns', 'exec', namespace, 'timeout', '5', 'bash', '-c', script, address]);
}
