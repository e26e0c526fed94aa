import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isSuperfluidityError, type Logger, newId, shortName, SuperfluidityError } from '@superfluidity/core';
import type { BalancerSpec } from '@superfluidity/fabric';
import { applyTree, type Launcher, LOG } from '@superfluidity/haproxy';
import {
  isAlive,
  killProcess,
  type ProcessRef,
  Records,
  run,
  type Scope,
  spawnDetached,
  waitForExit,
} from '@superfluidity/router';
import { balancerTree } from './balancer-tree.ts';
import type { Networks } from './networks.ts';
import type { SiteHost } from './topology.ts';
import { planSlot, plug, type PortNumbers, type Slot, unplug } from './wiring.ts';

/**
 * One HAProxy process for each balancer that the kernel cannot do, in a namespace that has the virtual address.
 */
interface ProxyRecord {
  readonly slot: Slot;
  readonly process?: ProcessRef;
}

const READY_TIMEOUT_MS = 5000;

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
    else await this.#apply(spec, known);
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
      await this.#apply(spec, { slot });
    } catch (error) {
      await this.remove(spec.id);
      throw error;
    }
  }

  async #apply(spec: BalancerSpec, known: ProxyRecord): Promise<void> {
    const folder = this.#folder(spec.id);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const namespace = known.slot.namespace!;
    const { process } = await applyTree(balancerTree(spec), folder, known.process, launcher(namespace, folder));
    if (process !== known.process) this.#records.put(spec.id, { ...known, process });
  }

  #folder(id: string): string {
    return join(this.#scope.folder, 'proxy', shortName('', id));
  }
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function launcher(namespace: string, folder: string): Launcher<ProcessRef> {
  return {
    async check(file) {
      try {
        await run(['haproxy', '-c', '-f', file]);
      } catch (error) {
        if (!isSuperfluidityError(error, 'SF-LINUX-COMMAND')) throw error;
        const { details } = error;
        throw new SuperfluidityError('SF-HAPROXY-CONFIG', {
          doing: 'check the configuration of a proxy',
          reason: details.reason,
          ...(details.answer === undefined ? {} : { answer: details.answer }),
        });
      }
    },
    start: (args) => spawnDetached(['haproxy', ...args], { namespace, stdoutPath: join(folder, LOG), env: { PATH } }),
    alive: isAlive,
    async kill(process) {
      killProcess(process, 'SIGKILL');
      await waitForExit(process, READY_TIMEOUT_MS);
    },
  };
}
