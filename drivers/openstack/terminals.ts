import { SuperfluidityError } from '@superfluidity/core';
import type { Terminal, TerminalOffer, UnitStatus, UnitTerminals } from '@superfluidity/site';
import type { World } from './world.ts';

/** The console of a server is read; nobody writes on it. */
const ABSENT = 'the consoles of a cloud are read, not written: log in over the network, with the key pair of the site';

export class CloudTerminals implements UnitTerminals {
  readonly #world: World;
  readonly #unit: (id: string) => Promise<UnitStatus | undefined>;

  constructor(world: World, unit: (id: string) => Promise<UnitStatus | undefined>) {
    this.#world = world;
    this.#unit = unit;
  }

  async offer(id: string): Promise<TerminalOffer> {
    if ((await this.#unit(id)) !== undefined) return { absent: ABSENT };
    throw new SuperfluidityError('SF-SITE-UNIT-UNKNOWN', { reason: `there is no unit ${id} at ${this.#world.name}` });
  }

  async open(id: string): Promise<Terminal> {
    await this.offer(id);
    throw new SuperfluidityError('SF-SITE-NO-TERMINAL', { doing: `open a terminal in ${id}`, reason: ABSENT });
  }
}
