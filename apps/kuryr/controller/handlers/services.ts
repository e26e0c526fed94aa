import { BALANCER_FINALIZER, type KuryrLoadBalancer } from '../../api/load-balancer.ts';
import type { ProjectDriver } from '../drivers/types.ts';
import { nameIn, namespaceIn, ownerIn, type Service, type Subject, subjectOf } from '../../kubernetes/objects.ts';
import { balancerSpecOf } from '../translate/services.ts';
import { LIMITS } from '../limits.ts';
import type { Handler, World } from '../world.ts';

const SERVICE_LABEL = 'kubernetes.io/service-name';

/** A Service with its EndpointSlices becomes a KuryrLoadBalancer. */
export class ServiceHandler implements Handler {
  readonly name = 'services';
  readonly #world: World;
  readonly #projects: ProjectDriver;
  /** Keys of slices by the key of their Service. */
  readonly #slices = new Map<string, Set<string>>();

  constructor(world: World, projects: ProjectDriver, changed: (key: string) => void) {
    this.#world = world;
    this.#projects = projects;
    world.slices.on((key, before, now) => {
      const service = (now ?? before)?.metadata.labels?.[SERVICE_LABEL];
      if (service === undefined) return;
      const of = `${namespaceIn(key)}/${service}`;
      const known = this.#slices.get(of) ?? new Set<string>();
      if (now === undefined) known.delete(key);
      else known.add(key);
      if (known.size === 0) this.#slices.delete(of);
      else this.#slices.set(of, known);
      changed(of);
    });
  }

  async handle(key: string, signal: AbortSignal): Promise<number | undefined> {
    const { services, balancers, namespaces, events } = this.#world;
    const service = services.get(key);
    const known = balancers.informer.get(key);
    const spec = service === undefined ? undefined : this.#spec(key, service, namespaces.get(namespaceIn(key)));
    const isOthers = known !== undefined && ownerIn(known) !== service?.metadata.uid;
    if (spec === undefined || service === undefined || isOthers) {
      // It wakes us when it is gone.
      if (known !== undefined && known.metadata.deletionTimestamp === undefined) await balancers.delete(known, signal);
      return undefined;
    }
    const subject = subjectOf('v1', 'Service', service);
    if (known === undefined) {
      const made = await balancers.create(
        {
          namespace: namespaceIn(key),
          name: nameIn(key),
          owner: subject,
          finalizer: BALANCER_FINALIZER,
          spec,
        },
        signal,
      );
      if (made === undefined) return LIMITS.nameTakenMs;
      events.tell(subject, { reason: 'KuryrBalancerCreated', message: `a balancer is being made for ${spec.address}` });
      return undefined;
    }
    const balancer = balancers.get(key);
    if (balancer?.metadata.deletionTimestamp === undefined && balancer !== undefined)
      await balancers.write(balancer, { spec }, signal);
    return undefined;
  }

  subject(key: string): Subject | undefined {
    const service = this.#world.services.get(key);
    return service === undefined ? undefined : subjectOf('v1', 'Service', service);
  }

  #spec(
    key: string,
    service: Service,
    namespace: Parameters<ProjectDriver['of']>[0],
  ): KuryrLoadBalancer['spec'] | undefined {
    const slices = [...(this.#slices.get(key) ?? [])].flatMap((slice) => this.#world.slices.get(slice) ?? []);
    return balancerSpecOf(service, slices, this.#projects.of(namespace));
  }
}
