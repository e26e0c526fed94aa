import type { SubnetDriver } from '../drivers/types.ts';
import type { VifPools } from '../drivers/vif-pools.ts';
import type { Handler } from '../world.ts';

/** The key under which it is looked for networks that no namespace names. No object has it. */
export const LEFT_NETWORKS = '*';
/** Pods that are still there have ports that come back later. */
const AGAIN_MS = 2_000;

/**
 * Lets go of ports in networks that no namespace names any more: they are somebody else's, who cannot remove them as long as ports
 * of pools lie there.
 */
export class LeftNetworkHandler implements Handler {
  readonly name = 'left-networks';
  readonly isEverywhere = true;
  readonly #networks: NonNullable<SubnetDriver['networks']>;
  readonly #vifs: Pick<VifPools, 'cloudNetworks' | 'releaseNetwork'>;

  constructor(
    networks: NonNullable<SubnetDriver['networks']>,
    vifs: Pick<VifPools, 'cloudNetworks' | 'releaseNetwork'>,
  ) {
    this.#networks = networks;
    this.#vifs = vifs;
  }

  async handle(_key: string, signal: AbortSignal): Promise<number | undefined> {
    const named = await this.#networks(signal);
    const left = [...this.#vifs.cloudNetworks()].filter((network) => !named.has(network));
    for (const network of left) await this.#vifs.releaseNetwork(network);
    return left.length === 0 ? undefined : AGAIN_MS;
  }

  subject(): undefined {
    return undefined;
  }
}
