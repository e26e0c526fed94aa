import { SuperfluidityError } from '@superfluidity/core';
import type { NetworkSegment } from '@superfluidity/fabric';
import { isConflict } from './cluster.ts';
import { ANNOTATIONS } from './marks.ts';
import type { KubeObject } from './objects.ts';
import type { World } from './world.ts';

/** Others write to the namespace between our look and our request. */
const ATTEMPTS = 5;

/**
 * The subnet of a cloud that stands at the namespace of the site, for Kuryr to read: its pods are there. A namespace has one, and
 * beside it stands whose it is, so that nobody takes that of another site or of a person away.
 */
export class Segments {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  async write(networkId: string, { subnet }: NetworkSegment, signal: AbortSignal): Promise<void> {
    const mine = this.#mark(networkId);
    const { name, cluster } = this.#world;
    const isThere = await this.#change(signal, (annotations) => {
      const [before, whose] = [annotations[ANNOTATIONS.subnet], annotations[ANNOTATIONS.subnetOf]];
      if (before === subnet && whose === mine) return undefined;
      if (before !== undefined && whose !== mine) throw this.#taken(networkId, before, whose);
      return { [ANNOTATIONS.subnet]: subnet, [ANNOTATIONS.subnetOf]: mine };
    });
    if (isThere) return;
    throw new SuperfluidityError('SF-KUBE-NETWORK', {
      doing: `join network ${networkId} at ${name}`,
      reason: `there is no namespace ${cluster.namespace}`,
    });
  }

  /** Of the network; without its id, of any of the site. Whether there was one. */
  async clear(networkId: string | undefined, signal: AbortSignal): Promise<boolean> {
    const isMine = (whose: string | undefined) =>
      networkId === undefined ? whose?.startsWith(`${this.#world.siteId} `) === true : whose === this.#mark(networkId);
    let had = false;
    await this.#change(signal, (annotations) => {
      if (!isMine(annotations[ANNOTATIONS.subnetOf])) return undefined;
      had = true;
      return { [ANNOTATIONS.subnet]: null, [ANNOTATIONS.subnetOf]: null };
    });
    return had;
  }

  /** False: there is no such namespace. */
  async #change(
    signal: AbortSignal,
    change: (now: Readonly<Record<string, string>>) => Readonly<Record<string, string | null>> | undefined,
  ): Promise<boolean> {
    const { cluster } = this.#world;
    const path = `/api/v1/namespaces/${cluster.namespace}`;
    for (let attempt = 1; ; attempt += 1) {
      const found = await cluster.get<KubeObject>(path, signal);
      if (found === undefined) return false;
      const annotations = change(found.metadata.annotations ?? {});
      if (annotations === undefined) return true;
      const { resourceVersion } = found.metadata;
      try {
        return (await cluster.merge(path, { metadata: { resourceVersion, annotations } }, signal)) !== undefined;
      } catch (error) {
        if (!isConflict(error) || attempt === ATTEMPTS) throw error;
      }
    }
  }

  #mark(networkId: string): string {
    return `${this.#world.siteId} ${networkId}`;
  }

  #taken(networkId: string, subnet: string, whose: string | undefined): SuperfluidityError {
    const { name, cluster } = this.#world;
    const [site, network] = whose?.split(' ') ?? [];
    const other =
      site === undefined
        ? `its annotation ${ANNOTATIONS.subnet} is of somebody else`
        : site === this.#world.siteId
          ? `it is in network ${network}`
          : `another site has its network ${network} there`;
    return new SuperfluidityError('SF-KUBE-NETWORK', {
      doing: `join network ${networkId} at ${name}`,
      reason: `namespace ${cluster.namespace} is in subnet ${subnet}, and pods of a namespace are in one: ${other}`,
      hint: 'Use a namespace for each network: a site for each in the same cluster.',
      data: { namespace: cluster.namespace, subnet },
    });
  }
}
