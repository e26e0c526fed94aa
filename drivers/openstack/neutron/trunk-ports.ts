import { isSuperfluidityError, reportError } from '@superfluidity/core';
import { type PoolPort, VlanIds, type VlanRange } from '@superfluidity/fabric';
import { addSubports, ports, removeSubports, type Trunk, trunks } from '@superfluidity/openstack';
import { InnerPorts, type InnerPortsOptions, lasting } from './inner-ports.ts';

/** Others may add to the trunk between our look at it and our request. */
const TRIES = 3;
/** Most are ACTIVE within two seconds; those that are not so much later were missed by their agent. */
const ANEW_MS = 30_000;

interface TrunkPortsOptions extends InnerPortsOptions {
  readonly anewMs?: number;
}

/**
 * Ports of pools that are subports of a trunk: what runs inside of a server has ports of its own, told apart by VLAN tags on
 * the server's. The place of such a port is its trunk.
 */
export class TrunkPorts extends InnerPorts {
  readonly #vlans: VlanIds;
  readonly #anewMs: number;

  /** `vlans`: of which ids are taken. Default: all. */
  constructor({ anewMs = ANEW_MS, ...options }: TrunkPortsOptions, vlans?: VlanRange) {
    // The trunk binds its subports where its parent is.
    super(options, 'trunk');
    this.#vlans = new VlanIds(vlans);
    this.#anewMs = anewMs;
  }

  /** As with a quota, fewer at once may still find room. */
  override isOverQuota(error: unknown): boolean {
    return isSuperfluidityError(error, 'SF-FABRIC-VLAN') || super.isOverQuota(error);
  }

  override async watch(ids: ReadonlySet<string>, tell: (port: PoolPort) => void, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.options;
    const left = new Set(ids);
    const told = (port: PoolPort) => {
      left.delete(port.id);
      tell(port);
    };
    const done = new AbortController();
    const anew = clock
      .sleep(this.#anewMs, AbortSignal.any([signal, done.signal]))
      .then(() => this.#addAnew([...left]))
      .catch((error: unknown) => {
        if (!done.signal.aborted && !signal.aborted)
          log.warn({ ports: [...left], error: reportError(error) }, 'subports that stay DOWN were not added anew');
      });
    try {
      await super.watch(ids, told, signal);
    } finally {
      done.abort();
      await anew;
    }
  }

  /** Once, and only where the port of the server itself carries traffic: else they wait for that. */
  async #addAnew(ids: readonly string[]): Promise<void> {
    const { cloud, log } = this.options;
    for (const [trunkId, some] of Map.groupBy(ids, (id) => this.whereIs(id))) {
      if (trunkId === undefined) continue;
      const { port_id: parent } = await trunks.show(cloud, trunkId, lasting());
      if ((await ports.show(cloud, parent, lasting())).status !== 'ACTIVE') continue;
      log.warn({ trunk: trunkId, ports: some }, 'subports stay DOWN, and are added anew');
      await removeSubports(cloud, trunkId, some, lasting());
      await this.attach(
        trunkId,
        some.map((id) => ({ id })),
      );
    }
  }

  protected async attach(trunkId: string, made: readonly Pick<PoolPort, 'id'>[]): Promise<void> {
    const { cloud } = this.options;
    for (let tried = 1; ; tried += 1) {
      const { sub_ports } = await trunks.show(cloud, trunkId, lasting());
      const there = new Set(sub_ports.map(({ segmentation_id }) => segmentation_id));
      const vlans = this.#vlans.take(trunkId, there, made.length);
      try {
        const wanted = made.map(({ id }, at) => ({
          port_id: id,
          segmentation_type: 'vlan' as const,
          segmentation_id: vlans[at]!,
        }));
        this.#note(await addSubports(cloud, trunkId, wanted, lasting()));
        return;
      } catch (error) {
        if (tried >= TRIES || !isSuperfluidityError(error, 'SF-OPENSTACK-CONFLICT')) throw error;
      } finally {
        this.#vlans.settled(trunkId, vlans);
      }
    }
  }

  protected async detach(trunkId: string, { id }: PoolPort, signal: AbortSignal): Promise<void> {
    try {
      await removeSubports(this.options.cloud, trunkId, [id], signal);
    } catch (error) {
      // 404: the trunk is gone, or the port is no longer in it.
      if (!isSuperfluidityError(error, 'SF-OPENSTACK-NOT-FOUND')) throw error;
    }
  }

  protected async look(_all: Promise<readonly PoolPort[]>, signal: AbortSignal): Promise<void> {
    for (const trunk of await trunks.list(this.options.cloud, {}, signal)) this.#note(trunk);
  }

  #note({ id, sub_ports }: Trunk): void {
    for (const { port_id, segmentation_id } of sub_ports) this.note(port_id, { at: id, vlan: segmentation_id });
  }
}
