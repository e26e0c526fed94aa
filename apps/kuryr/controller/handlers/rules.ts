import { canonicalJson, sha256 } from '@superfluidity/core';
import { POLICY_FINALIZER } from '../../api/network-policy.ts';
import type { PolicyDriver, ProjectDriver } from '../drivers/types.ts';
import type { VifPools } from '../drivers/vif-pools.ts';
import { namespaceIn, type Subject, subjectOf } from '../../kubernetes/objects.ts';
import { namedKey } from '../translate/policies.ts';
import type { Handler, World } from '../world.ts';
import { Compared } from './compared.ts';

/** Pods get what is new before what is old is removed. */
const AGAIN_MS = 250;

/** A KuryrNetworkPolicy becomes security groups, or what nodes enforce. */
export class RulesHandler implements Handler {
  readonly name = 'rules';
  readonly #world: World;
  readonly #driver: PolicyDriver;
  readonly #projects: ProjectDriver;
  readonly #vifs: VifPools;
  readonly #compared: Compared;

  constructor(world: World, driver: PolicyDriver, projects: ProjectDriver, vifs: VifPools) {
    this.#world = world;
    this.#compared = new Compared(world.clock);
    this.#driver = driver;
    this.#projects = projects;
    this.#vifs = vifs;
  }

  async handle(key: string, signal: AbortSignal): Promise<number | undefined> {
    const { rules, namespaces } = this.#world;
    const resolved = rules.get(key);
    if (resolved === undefined) return undefined;
    const { metadata, spec, status } = resolved;
    const uid = metadata.uid!;
    if (metadata.deletionTimestamp !== undefined) {
      this.#compared.forget(uid);
      const made = (await this.#driver.made?.(uid, signal)) ?? new Map<string, string>();
      // Pods let go of them on their own, since no policy of the name selects them any more.
      for (const group of new Set([...Object.values(status?.named ?? {}), ...made.values(), status?.groupId ?? '']))
        await this.#remove(group, signal);
      await rules.finish(resolved, POLICY_FINALIZER, signal);
      return undefined;
    }
    const { named = [] } = spec;
    const observed = sha256(canonicalJson([spec.rules, ...named.map((one) => [namedKey(one), one.rules])])).slice(
      0,
      16,
    );
    const isFresh = this.#compared.isFresh(uid);
    const wanted = new Set(named.map(namedKey));
    // What a controller before this one made, and could not write down before it ended, goes as well.
    const made = isFresh ? undefined : await this.#driver.made?.(uid, signal);
    const there = new Map([...(made ?? []), ...Object.entries(status?.named ?? {})]);
    const going = [...there].filter(([one]) => one !== '' && !wanted.has(one));
    if (status?.observed !== observed || !isFresh) {
      this.#compared.forget(uid);
      const wish = {
        namespace: metadata.namespace!,
        name: metadata.name,
        uid,
        project: this.#projects.of(namespaces.get(namespaceIn(key))),
      };
      const groupId = await this.#driver.ensure({ ...wish, named: '', rules: spec.rules }, signal);
      const groups = new Map(going);
      for (const one of named)
        groups.set(
          namedKey(one),
          await this.#driver.ensure({ ...wish, named: namedKey(one), rules: one.rules }, signal),
        );
      const ofNames = groups.size === 0 ? {} : { named: Object.fromEntries(groups) };
      const written = await rules.write(resolved, { status: { groupId, ...ofNames, observed } }, signal);
      if (written === undefined) return undefined;
      this.#compared.done(uid);
      return going.length === 0 ? undefined : AGAIN_MS;
    }
    if (going.length === 0) return undefined;
    for (const [, group] of going) await this.#remove(group, signal);
    const left = Object.entries(status.named ?? {}).filter(([one]) => wanted.has(one));
    const { groupId } = status;
    const ofNames = left.length === 0 ? {} : { named: Object.fromEntries(left) };
    await rules.write(resolved, { status: { groupId, ...ofNames, observed } }, signal);
    return undefined;
  }

  /** Refused as long as a pod has it: then it is tried again. */
  async #remove(group: string, signal: AbortSignal): Promise<void> {
    if (group === '') return;
    await this.#vifs.releaseGroup(group);
    await this.#driver.remove(group, signal);
  }

  subject(key: string): Subject | undefined {
    const policy = this.#world.policies.get(key);
    return policy === undefined ? undefined : subjectOf('networking.k8s.io/v1', 'NetworkPolicy', policy);
  }
}
