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

  async active(portId: string, signal: AbortSignal): Promise<string> {
    const { cloud, clock, name } = this.#world;
    const doing = `use port ${portId} at ${name}`;
    const records = await this.#units.records(signal);
    const found = records.flatMap((record) => record.ports).find(({ status }) => status.id === portId);
    if (found === undefined) {
      throw new SuperfluidityError('SF-SITE-UNIT-UNKNOWN', { doing, reason: 'no unit of the site has it' });
    }
    const deadline = clock.now() + LIMITS.wiredMs;
    for (;;) {
      const { status } = await ports.show(cloud, found.portId, signal);
      if (status === 'ACTIVE') return found.portId;
      if (clock.now() >= deadline) {
        const reason = `Neutron has not wired it within ${LIMITS.wiredMs} ms: it is ${status}`;
        throw new SuperfluidityError('SF-SITE-UNIT-NOT-READY', { doing, reason, request: `port ${found.portId}` });
      }
      await clock.sleep(LIMITS.lookMs, signal);
    }
  }
}
