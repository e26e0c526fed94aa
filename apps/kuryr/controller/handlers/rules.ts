import { canonicalJson, sha256 } from '@superfluidity/core';
import { POLICY_FINALIZER } from '../../api/network-policy.ts';
import type { PolicyDriver, ProjectDriver } from '../drivers/types.ts';
import type { VifPools } from '../drivers/vif-pools.ts';
import { LIMITS } from '../limits.ts';
import { namespaceIn, type Subject, subjectOf } from '../objects.ts';
import type { Handler, World } from '../world.ts';

/** A KuryrNetworkPolicy becomes a security group, or what nodes enforce. */
export class RulesHandler implements Handler {
  readonly name = 'rules';
  readonly #world: World;
  readonly #driver: PolicyDriver;
  readonly #projects: ProjectDriver;
  readonly #vifs: VifPools;
  /** When each was compared with what is there. By uid. */
  readonly #compared = new Map<string, number>();

  constructor(world: World, driver: PolicyDriver, projects: ProjectDriver, vifs: VifPools) {
    this.#world = world;
    this.#driver = driver;
    this.#projects = projects;
    this.#vifs = vifs;
  }

  async handle(key: string, signal: AbortSignal): Promise<number | undefined> {
    const { rules, namespaces, clock } = this.#world;
    const resolved = rules.get(key);
    if (resolved === undefined) return undefined;
    const { metadata, spec, status } = resolved;
    const uid = metadata.uid!;
    if (metadata.deletionTimestamp !== undefined) {
      this.#compared.delete(uid);
      if (status !== undefined && status.groupId !== '') {
        // Pods let go of it on their own, since no policy of the name selects them any more.
        await this.#vifs.releaseGroup(status.groupId);
        await this.#driver.remove(status.groupId, signal);
      }
      await rules.finish(resolved, POLICY_FINALIZER, signal);
      return undefined;
    }
    const observed = sha256(canonicalJson(spec.rules)).slice(0, 16);
    const comparedMs = this.#compared.get(uid);
    const isFresh = comparedMs !== undefined && clock.now() - comparedMs < LIMITS.resyncMs;
    if (status?.observed === observed && isFresh) return undefined;
    const groupId = await this.#driver.ensure(
      {
        namespace: metadata.namespace!,
        name: metadata.name,
        uid,
        project: this.#projects.of(namespaces.get(namespaceIn(key))),
        rules: spec.rules,
      },
      signal,
    );
    await rules.write(resolved, { status: { groupId, observed } }, signal);
    this.#compared.set(uid, clock.now());
    return undefined;
  }

  subject(key: string): Subject | undefined {
    const policy = this.#world.policies.get(key);
    return policy === undefined ? undefined : subjectOf('networking.k8s.io/v1', 'NetworkPolicy', policy);
  }
}
