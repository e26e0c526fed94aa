import { SuperfluidityError } from '@superfluidity/core';
import { NETWORK_FINALIZER, type KuryrNetwork } from '../../api/network.ts';
import type { NetworkDriver } from '../drivers/types.ts';
import type { VifPools } from '../drivers/vif-pools.ts';
import '../errors.ts';
import { keyOf, namespaceIn, type Subject, subjectOf } from '../../kubernetes/objects.ts';
import type { Stored } from '../resource-store.ts';
import type { Handler, World } from '../world.ts';

type Network = Stored<KuryrNetwork> & KuryrNetwork;

/** A KuryrNetwork becomes a network with a subnet, and takes what lies ready in it along at its end. */
export class NetworkHandler implements Handler {
  readonly name = 'networks';
  readonly #world: World;
  readonly #driver: NetworkDriver;
  readonly #vifs: VifPools;

  constructor(world: World, driver: NetworkDriver, vifs: VifPools) {
    this.#world = world;
    this.#driver = driver;
    this.#vifs = vifs;
  }

  async handle(key: string, signal: AbortSignal): Promise<number | undefined> {
    const { networks, events, ports } = this.#world;
    const network = networks.get(key) as Network | undefined;
    if (network === undefined) return undefined;
    const namespace = namespaceIn(key);
    if (network.metadata.deletionTimestamp !== undefined) {
      const left = ports.informer.all().filter((port) => namespaceIn(keyOf(port)) === namespace);
      if (left.length > 0)
        throw new SuperfluidityError('SF-KURYR-NOT-READY', {
          doing: `remove the network of namespace ${namespace}`,
          reason: `${left.length} pods have ports in it`,
        });
      if (network.status !== undefined) await this.#vifs.releaseNetwork(network.status.networkId);
      await this.#driver.remove(network, signal);
      await networks.finish(network, NETWORK_FINALIZER, signal);
      return undefined;
    }
    if (network.status !== undefined) return undefined;
    const taken = networks.all().flatMap(({ status }) => status?.cidr ?? []);
    const status = await this.#driver.ensure(network, taken, signal);
    await networks.write(network, { status }, signal);
    const subject = this.subject(key);
    if (subject !== undefined)
      events.tell(subject, { reason: 'KuryrNetworkReady', message: `its pods are in ${status.cidr}` });
    return undefined;
  }

  subject(key: string): Subject | undefined {
    const namespace = this.#world.namespaces.get(namespaceIn(key));
    return namespace === undefined ? undefined : subjectOf('v1', 'Namespace', namespace);
  }
}
