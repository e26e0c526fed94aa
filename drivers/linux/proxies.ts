import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type Logger, newId, shortName, SuperfluidityError } from '@superfluidity/core';
import type { BalancerSpec } from '@superfluidity/fabric';
import { run } from './kernel/command.ts';
import { isAlive, killProcess, type ProcessRef, spawnDetached, waitForExit } from './kernel/processes.ts';
import type { Networks } from './networks.ts';
import { Records } from './records.ts';
import type { Scope } from './scope.ts';
import type { SiteHost } from './topology.ts';
import { planSlot, plug, type PortNumbers, type Slot, unplug } from './wiring.ts';

/**
 * One HAProxy process for each balancer that the kernel cannot do, in a namespace that has the virtual address. Draining goes
 * through its runtime socket; when members come or go a new process takes over and the old one ends with its last
 * connection (HAProxy management guide, section 4).
 */
interface ProxyRecord {
  readonly slot: Slot;
  readonly process?: ProcessRef;
}

const READY_TIMEOUT_MS = 5000;
const POLL_MS = 10;
const ANSWER_TIMEOUT_MS = 2000;

export class Proxies {
  readonly #scope: Scope;
  readonly #host: SiteHost;
  readonly #networks: Networks;
  readonly #numbers: PortNumbers;
  readonly #records: Records<ProxyRecord>;

  constructor(
    scope: Scope,
    hosts: ReadonlyMap<string, SiteHost>,
    networks: Networks,
    numbersOf: (host: string) => PortNumbers,
    log: Logger,
  ) {
    this.#scope = scope;
    this.#host = [...hosts.values()][0]!;
    this.#networks = networks;
    this.#numbers = numbersOf(this.#host.name);
    this.#records = new Records(`${scope.folder}/proxies`, log);
    for (const { slot } of this.#records.values()) for (const { number } of slot.ports) this.#numbers.claim(number);
  }

  slots(): readonly Slot[] {
    return this.#records.values().map(({ slot }) => slot);
  }

  works(id: string): boolean {
    const process = this.#records.get(id)?.process;
    return process !== undefined && isAlive(process);
  }

  async ensure(spec: BalancerSpec): Promise<void> {
    const known = this.#records.get(spec.id);
    if (known === undefined) await this.#create(spec);
    else await this.#change(spec, known);
  }

  async remove(id: string): Promise<void> {
    const known = this.#records.get(id);
    if (known === undefined) return;
    for (const target of [known.process].filter((one) => one !== undefined)) {
      killProcess(target, 'SIGKILL');
      await waitForExit(target, READY_TIMEOUT_MS);
    }
    await unplug(this.#scope, this.#host, known.slot);
    for (const { number } of known.slot.ports) this.#numbers.giveBack(number);
    rmSync(this.#folder(id), { recursive: true, force: true });
    this.#records.delete(id);
  }

  async #create(spec: BalancerSpec): Promise<void> {
    const slot = planSlot(this.#scope, this.#host, this.#numbers, {
      id: newId('unit').slice('unit-'.length),
      forwards: false,
      machine: false,
      ports: [
        {
          name: 'eth0',
          network: this.#networks.get(spec.network),
          address: spec.address,
          gateway: this.#networks.gateway(spec.network),
        },
      ],
    });
    this.#records.put(spec.id, { slot });
    try {
      await plug(this.#scope, this.#host, slot);
      const process = await this.#start(spec, slot, undefined);
      this.#records.put(spec.id, { slot, process });
    } catch (error) {
      await this.remove(spec.id);
      throw error;
    }
  }

  async #change(spec: BalancerSpec, known: ProxyRecord): Promise<void> {
    const folder = this.#folder(spec.id);
    const before = existsSync(join(folder, 'haproxy.cfg')) ? readFileSync(join(folder, 'haproxy.cfg'), 'utf8') : '';
    const alive = known.process !== undefined && isAlive(known.process);
    if (!alive || before !== proxyConfig(spec, folder)) {
      const process = await this.#start(spec, known.slot, alive ? known.process : undefined);
      this.#records.put(spec.id, { ...known, process });
    }
    for (const member of spec.members) {
      const state = member.draining ? 'drain' : 'ready';
      await this.#command(folder, `set server members/${serverName(member)} state ${state}`);
    }
  }

  async #start(spec: BalancerSpec, slot: Slot, before: ProcessRef | undefined): Promise<ProcessRef> {
    const folder = this.#folder(spec.id);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(file, proxyConfig(spec, folder), { mode: 0o600 });
    await run(['haproxy', '-c', '-f', file]);
    const successor = before === undefined ? [] : ['-sf', String(before.pid)];
    const started = await spawnDetached(['haproxy', '-db', '-f', file, ...successor], {
      namespace: slot.namespace,
      stdoutPath: join(folder, 'haproxy.log'),
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
    });
    for (let waited = 0; waited < READY_TIMEOUT_MS; waited += POLL_MS) {
      const pid = await this.#command(folder, 'show info').then(
        (text) => Number(/^Pid: (\d+)$/m.exec(text)?.[1]),
        () => undefined,
      );
      if (pid === started.pid) return started;
      if (!isAlive(started)) break;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    killProcess(started, 'SIGKILL');
    const answer = readFileSync(join(folder, 'haproxy.log'), 'utf8').slice(-2000);
    throw new SuperfluidityError('SF-LINUX-COMMAND', {
      doing: `start the proxy of balancer ${spec.name}`,
      reason: 'it does not answer',
      request: `haproxy -db -f ${file}`,
      answer,
    });
  }

  /** One command to the runtime socket; the answer to its end. */
  #command(folder: string, command: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(socketPath(folder));
      let answer = '';
      socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy(new Error(`no answer to ${command}`)));
      socket.on('data', (chunk: Buffer) => {
        answer += chunk.toString();
      });
      socket.once('end', () => resolve(answer));
      socket.once('error', reject);
      socket.write(`${command}\n`);
    });
  }

  #folder(id: string): string {
    return join(this.#scope.folder, 'proxy', shortName('', id));
  }
}

function socketPath(folder: string): string {
  return join(folder, 'haproxy.sock');
}

function serverName(member: { readonly address: string; readonly port: number }): string {
  return `m_${member.address.replaceAll('.', '_')}_${member.port}`;
}

/** Flows may be silent for long; who asks something and gets no answer need not wait. */
const IDLE_TIMEOUT = { tcp: '1h', http: '60s' } as const;

/** Whether members drain is not in it: that is told to the running process. Without a path, health is a connection. */
export function proxyConfig(spec: BalancerSpec, folder: string): string {
  const { health, layer } = spec;
  const path = health?.kind === 'http' ? health.path.replaceAll(/[^A-Za-z0-9/_.~%?&=-]/g, '') : undefined;
  const asked = health?.kind === 'http' || health?.kind === 'tcp' ? ` port ${health.port}` : '';
  return `global
  stats socket ${socketPath(folder)} mode 600 level admin
  maxconn 4000
defaults
  mode ${layer}
  timeout connect 2s
  timeout client ${IDLE_TIMEOUT[layer]}
  timeout server ${IDLE_TIMEOUT[layer]}
  retries 2
  option redispatch
  balance roundrobin
frontend virtual
  bind ${spec.address}:${spec.port}
  default_backend members
backend members
${path === undefined ? '' : `  option httpchk GET ${path}\n`}${spec.members
  .map(
    (member) =>
      `  server ${serverName(member)} ${member.address}:${member.port} check${asked} inter 500ms fall 2 rise 1\n`,
  )
  .join('')}`;
}
