import { SuperfluidityError } from '@superfluidity/core';
import { ports } from '@superfluidity/openstack';
import { LIMITS } from './config.ts';
import type { ChainPorts } from './neutron/chains.ts';
import type { Units } from './units.ts';
import type { World } from './world.ts';

/** Which port of Neutron a port of the fabric is: the server of its unit says it. */
export class UnitPorts implements ChainPorts {
  readonly #world: World;
  readonly #units: Units;

  constructor(world: World, units: Units) {
    this.#world = world;
    this.#units = units;
  }

  /** Neutron's id of the port, as long as there is a server that has it. */
  async find(portId: string, signal: AbortSignal): Promise<string | undefined> {
    const records = await this.#units.records(signal);
    return records.flatMap((record) => record.ports).find(({ status }) => status.id === portId)?.portId;
  }

  async active(portId: string, signal: AbortSignal): Promise<string> {
    const { cloud, clock, name } = this.#world;
    const doing = `use port ${portId} at ${name}`;
    const found = await this.find(portId, signal);
    if (found === undefined) {
      throw new SuperfluidityError('SF-SITE-UNIT-UNKNOWN', { doing, reason: 'no unit of the site has it' });
    }
    const deadline = clock.now() + LIMITS.wiredMs;
    for (;;) {
      const { status } = await ports.show(cloud, found, signal);
      if (status === 'ACTIVE') return found;
      if (clock.now() >= deadline) {
        const reason = `Neutron has not wired it within ${LIMITS.wiredMs} ms: it is ${status}`;
        throw new SuperfluidityError('SF-SITE-UNIT-NOT-READY', { doing, reason, request: `port ${found}` });
      }
      await clock.sleep(LIMITS.lookMs, signal);
    }
  }
}
