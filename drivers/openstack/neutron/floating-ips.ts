import { floatingIps } from '@superfluidity/openstack';
import { LIMITS } from '../config.ts';
import { factOf } from '../marks.ts';
import type { World } from '../world.ts';
import type { Networks } from './networks.ts';

/** Addresses at which units are reached from outside, where the site gives them some. */
export class FloatingIps {
  readonly #world: World;
  readonly #networks: Networks;

  constructor(world: World, networks: Networks) {
    this.#world = world;
    this.#networks = networks;
  }

  get wanted(): boolean {
    return this.#world.config.health.reach.kind === 'floating-ip';
  }

  /** The address that leads to the port. */
  async ensure(unitId: string, portId: string, signal: AbortSignal): Promise<string> {
    const { cloud, marks } = this.#world;
    const description = marks.description(unitId);
    const external = await this.#networks.externalNetwork(signal);
    const known = await floatingIps.find(cloud, { description }, signal);
    if (known?.port_id === portId) return known.floating_ip_address;
    signal.throwIfAborted();
    const lasting = AbortSignal.timeout(LIMITS.createMs);
    if (known !== undefined) {
      return (await floatingIps.update(cloud, known.id, { port_id: portId }, lasting)).floating_ip_address;
    }
    const made = await floatingIps.create(
      cloud,
      { floating_network_id: external, port_id: portId, description },
      lasting,
    );
    await floatingIps.setTags(cloud, made.id, marks.tags(unitId, { unit: unitId }), lasting);
    return made.floating_ip_address;
  }

  async remove(unitIds: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    if (!this.wanted) return;
    const { cloud, marks } = this.#world;
    const found = await floatingIps.list(cloud, {}, signal);
    const ours = found.filter((one) => marks.isOurs(one) && unitIds.has(factOf(one.tags, 'unit') ?? ''));
    await Promise.all(ours.map(({ id }) => floatingIps.delete(cloud, id, signal)));
  }
}
