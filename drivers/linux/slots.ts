import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson, type ErrorReport, type Logger, newId, SuperfluidityError } from '@superfluidity/core';
import type { PortSpec, PortStatus } from '@superfluidity/fabric';
import { qualityOf } from '@superfluidity/model';
import type { PoolClass, UnitSpec, UnitState, UnitStatus } from '@superfluidity/site';
import { deleteNamespace, listNamespaces } from '@superfluidity/netlink';
import { killInside, type PortPlace, Records, type Scope, slotNamespace } from '@superfluidity/router';
import type { Networks } from './networks.ts';
import type { SiteHost } from './topology.ts';
import { planSlot, plug, portDevice, PortNumbers, type Slot, unplug } from './wiring.ts';
import {
  destroyWorkload,
  prepareWorkload,
  type UnitTemplate,
  type Workload,
  type WorkloadContext,
} from './workload.ts';

export type PortTemplate = PoolClass['template']['ports'][number];

export interface SlotRecord {
  readonly slot: Slot;
  readonly template: UnitTemplate;
  readonly ports: readonly PortTemplate[];
  /** Equal for slots that may stand in for each other. */
  readonly key: string;
  /** `building` and `starting` are left over by a crash only: then the slot is removed. */
  readonly phase: 'building' | 'ready' | 'starting' | 'unit';
  readonly workload?: Workload;
  readonly unit?: SlotUnit;
}

export interface SlotUnit {
  readonly spec: UnitSpec;
  readonly state: UnitState;
  readonly pooled: boolean;
  readonly error?: ErrorReport;
}

export interface SlotWish {
  readonly template: UnitTemplate;
  readonly ports: readonly (PortTemplate & Pick<PortSpec, 'address' | 'mac'>)[];
}

/** Addresses and service addresses are given at the last moment: they make no class of their own. */
export function slotKey(template: UnitTemplate, ports: readonly PortTemplate[]): string {
  // But for machines, which get them on their kernel's command line.
  const fixed = template.execution.environment === 'vm';
  const plain = ports.map(({ name, network, allow, serviceAddresses, ...port }) => ({
    name,
    network,
    allow,
    ...qualityOf(port),
    ...(fixed ? { serviceAddresses } : {}),
  }));
  return createHash('sha256')
    .update(canonicalJson({ template, ports: plain }))
    .digest('hex')
    .slice(0, 24);
}

export function templateOf(spec: UnitSpec): SlotWish {
  const { id: _id, index: _index, facts: _facts, ports, ...template } = spec;
  return { template, ports: ports.map(({ id: _portId, ...port }) => port) };
}

/** Makes, keeps and removes slots with what runs in them; knows nothing of why. */
export class Slots {
  readonly #scope: Scope;
  readonly #hosts: ReadonlyMap<string, SiteHost>;
  readonly #networks: Networks;
  readonly #records: Records<SlotRecord>;
  readonly #numbers = new Map<string, PortNumbers>();
  readonly #destroying = new Map<string, Promise<void>>();
  readonly #log: Logger;

  constructor(scope: Scope, hosts: ReadonlyMap<string, SiteHost>, networks: Networks, log: Logger) {
    this.#scope = scope;
    this.#hosts = hosts;
    this.#networks = networks;
    this.#log = log;
    this.#records = new Records(join(scope.folder, 'slots'), log);
    for (const host of hosts.keys()) this.#numbers.set(host, new PortNumbers());
    for (const { slot } of this.#records.values()) {
      for (const port of slot.ports) {
        this.#numbers.get(slot.host)?.claim(port.number);
        this.#networks.claim(port.network, port.address);
      }
    }
  }

  records(): readonly SlotRecord[] {
    return this.#records.values();
  }

  get(id: string): SlotRecord | undefined {
    return this.#records.get(id);
  }

  put(record: SlotRecord): SlotRecord {
    this.#records.put(record.slot.id, record);
    return record;
  }

  numbers(host: string): PortNumbers {
    return this.#numbers.get(host)!;
  }

  /** Where a port of a unit is. */
  findPort(portId: string): PortPlace | undefined {
    for (const { slot, unit } of this.#records.values()) {
      const at = unit?.spec.ports.findIndex(({ id }) => id === portId) ?? -1;
      if (at === -1) continue;
      const { number, address } = slot.ports[at]!;
      const { serviceAddresses } = unit!.spec.ports[at]!;
      const addresses = serviceAddresses.length > 0 ? serviceAddresses : [address];
      return { host: slot.host, device: portDevice(number), addresses };
    }
    return undefined;
  }

  host(name: string): SiteHost {
    const host = this.#hosts.get(name);
    if (host !== undefined) return host;
    throw new SuperfluidityError('SF-SITE-NO-HOST', {
      reason: `there is no host ${name}`,
      data: { host: name, known: [...this.#hosts.keys()] },
    });
  }

  folder(slotId: string): string {
    return join(this.#scope.folder, 'units', slotId);
  }

  context({ slot, template, ports }: Pick<SlotRecord, 'slot' | 'template' | 'ports'>): WorkloadContext {
    return {
      scope: this.#scope,
      slot,
      folder: this.folder(slot.id),
      template,
      hostNamespace: this.host(slot.host).namespace,
      serviceAddresses: ports.flatMap(({ serviceAddresses }) => serviceAddresses),
    };
  }

  /** Everything up to the start of the unit's own program. On failure nothing is left. */
  async build(wish: SlotWish, signal: AbortSignal, step: () => Promise<void> = async () => {}): Promise<SlotRecord> {
    const { template, ports } = wish;
    const host = this.host(template.host);
    const slot = this.#plan(host, wish);
    const draft: SlotRecord = { slot, template, ports, key: slotKey(template, ports), phase: 'building' };
    const check = async () => {
      await step();
      if (signal.aborted) throw new SuperfluidityError('SF-CORE-CANCELLED', { reason: 'cancelled' });
    };
    try {
      this.put(draft);
      mkdirSync(this.folder(slot.id), { recursive: true, mode: 0o700 });
      await plug(this.#scope, host, slot, signal);
      await check();
      const workload = await prepareWorkload(this.context(draft), signal);
      await check();
      return this.put({ ...draft, phase: 'ready', workload });
    } catch (error) {
      await this.destroy(draft);
      throw error;
    }
  }

  #plan(host: SiteHost, { template, ports }: SlotWish): Slot {
    const taken: { network: string; address: string }[] = [];
    try {
      const wishes = ports.map((port) => {
        const address = this.#networks.takeAddress(port.network, port.address);
        taken.push({ network: port.network, address });
        return {
          name: port.name,
          network: this.#networks.get(port.network),
          address,
          gateway: this.#networks.gateway(port.network),
          ...(port.mac === undefined ? {} : { mac: port.mac }),
          ...(port.allow === undefined ? {} : { allow: port.allow }),
          ...qualityOf(port),
        };
      });
      return planSlot(this.#scope, host, this.#numbers.get(host.name)!, {
        id: newId('unit').slice('unit-'.length),
        forwards: template.execution.forwards === true,
        machine: template.execution.environment === 'vm',
        ports: wishes,
      });
    } catch (error) {
      for (const { network, address } of taken) this.#networks.giveBack(network, address);
      throw error;
    }
  }

  /** Removes all of it, whatever there is. Addresses are free again when it resolves. */
  destroy(record: SlotRecord): Promise<void> {
    const { id } = record.slot;
    const running = this.#destroying.get(id);
    if (running !== undefined) return running;
    const work = this.#destroy(record).finally(() => this.#destroying.delete(id));
    this.#destroying.set(id, work);
    return work;
  }

  async #destroy({ slot, template }: SlotRecord): Promise<void> {
    await destroyWorkload(this.#scope, slot.id, this.folder(slot.id), template.execution.environment);
    const host = this.#hosts.get(slot.host);
    if (host !== undefined) await unplug(this.#scope, host, slot);
    this.#records.delete(slot.id);
    for (const port of slot.ports) {
      this.#numbers.get(slot.host)?.giveBack(port.number);
      this.#networks.giveBack(port.network, port.address);
    }
  }

  /** What a crash left half made, and namespaces and folders that no record speaks of. */
  async clearLeftovers(others: readonly string[]): Promise<void> {
    const unfinished = this.#records.values().filter(({ phase }) => phase === 'building' || phase === 'starting');
    await Promise.all(unfinished.map((record) => this.destroy(record)));
    const known = new Set([...others, ...this.#records.values().map(({ slot }) => slot.id)]);
    const prefix = slotNamespace(this.#scope, '');
    const orphans = listNamespaces().filter((name) => name.startsWith(prefix) && !known.has(name.slice(prefix.length)));
    await killInside(orphans);
    // Machines and what else runs on the hosts themselves.
    const own = new Set(this.#records.values().map(({ workload }) => workload?.process?.pid));
    const hosts = [...this.#hosts.values()].map(({ namespace }) => namespace);
    await killInside(hosts, (target) => own.has(target.pid));
    for (const name of orphans) {
      this.#log.warn({ namespace: name }, 'removed a namespace of which nothing is known');
      deleteNamespace(name);
    }
    const folder = join(this.#scope.folder, 'units');
    for (const id of existsSync(folder) ? readdirSync(folder) : []) {
      if (known.has(id)) continue;
      await destroyWorkload(this.#scope, id, this.folder(id), 'container');
      rmSync(this.folder(id), { recursive: true, force: true });
    }
  }

  status(record: SlotRecord): UnitStatus | undefined {
    const { slot, unit, workload, template } = record;
    if (unit === undefined) return undefined;
    const { spec } = unit;
    return {
      id: spec.id,
      service: spec.service,
      path: spec.path,
      index: spec.index,
      host: spec.host,
      environment: template.execution.environment,
      state: unit.state,
      ports: spec.ports.map((port, i) => portStatus(port, slot, i)),
      pooled: unit.pooled,
      handles: {
        slot: slot.id,
        ...(slot.namespace === undefined ? {} : { namespace: slot.namespace }),
        ...(workload?.container === undefined ? {} : { container: workload.container }),
        ...(workload?.process === undefined ? {} : { pid: String(workload.process.pid) }),
      },
      ...(unit.error === undefined ? {} : { error: unit.error }),
    };
  }
}

function portStatus(spec: PortSpec, slot: Slot, i: number): PortStatus {
  const port = slot.ports[i]!;
  const { address, mac, sid } = port;
  return { id: spec.id, name: spec.name, network: spec.network, host: slot.host, address, mac, sid };
}
