import { NETWORK_FINALIZER } from '../../api/network.ts';
import type { ProjectDriver } from '../drivers/types.ts';
import { type Subject, subjectOf } from '../../kubernetes/objects.ts';
import { LIMITS } from '../limits.ts';
import type { Handler, World } from '../world.ts';

/** A namespace gets a KuryrNetwork, which goes with it. */
export class NamespaceHandler implements Handler {
  readonly name = 'namespaces';
  readonly isEverywhere = true;
  readonly #world: World;
  readonly #projects: ProjectDriver;

  constructor(world: World, projects: ProjectDriver) {
    this.#world = world;
    this.#projects = projects;
  }

  async handle(key: string, signal: AbortSignal): Promise<number | undefined> {
    const { namespaces, networks } = this.#world;
    const namespace = namespaces.get(key);
    if (!this.#world.serves(key)) return undefined;
    if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined) return undefined;
    // That of a namespace of the same name before it ends with what it has, and wakes us.
    if (networks.informer.get(`${key}/${key}`) !== undefined) return undefined;
    const made = await networks.create(
      {
        namespace: key,
        name: key,
        owner: subjectOf('v1', 'Namespace', namespace),
        finalizer: NETWORK_FINALIZER,
        spec: { namespace: key, project: this.#projects.of(namespace) },
      },
      signal,
    );
    return made === undefined ? LIMITS.nameTakenMs : undefined;
  }

  subject(key: string): Subject | undefined {
    const namespace = this.#world.namespaces.get(key);
    return namespace === undefined ? undefined : subjectOf('v1', 'Namespace', namespace);
  }
}
